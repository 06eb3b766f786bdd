//! The stage of a drill: one folder, one organisation, a clock that is moved by hand, and people whose embeddings are
//! drawn instead of captured. Everything else is what a newcomer gets: the database, the key file, the log.

use std::error::Error as StdError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vouchsafe::consent::{AttestedBy, ExpressionKind, NoticeDraft};
use vouchsafe::envelope::port::KeyService;
use vouchsafe::{
    Act, Approver, ConsentReceipt, Consented, Destruction, Error, Notice, Organisation, Pace, Permit, Ports,
    Scope, Subject, Timestamp, VirtualClock, Vouchsafe,
};
use vouchsafe_embed::{FaceEmbedding, danger::supplied_embedding};
use vouchsafe_template::Threshold;
use vouchsafe_types::{OrganisationId, Secret};

use crate::draws::Draws;

/// Whatever stands in the way of a drill itself.
pub type Failure = Box<dyn StdError + Send + Sync>;

/// The id of the organisation.
pub const ORGANISATION: &str = "acme";
/// The scope of every consent in a drill.
pub const SCOPE: Scope = Scope::FACE_VERIFICATION;

/// A folder with the default ports, and the clock it is opened with.
#[derive(Debug)]
pub struct Scene {
    folder: PathBuf,
    clock: Arc<VirtualClock>,
}

impl Scene {
    /// A scene in a folder, which is created when it is first opened.
    pub fn new(folder: impl Into<PathBuf>, now: Timestamp) -> Self {
        Self { folder: folder.into(), clock: Arc::new(VirtualClock::starting_at(now)) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        database(&self.folder)
    }

    /// The clock.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// The default ports of the folder, with the scene's clock and without face models.
    ///
    /// # Errors
    /// As [`Ports::in_folder`].
    pub fn ports(&self) -> Result<Ports, vouchsafe::Error> {
        let clock: Arc<VirtualClock> = Arc::clone(&self.clock);
        Ok(with_approver(Ports::in_folder(&self.folder)?)?.with_clock(clock))
    }

    /// As [`Self::ports`], with another key service than a key file.
    ///
    /// # Errors
    /// As [`Ports::in_folder_with`].
    pub fn ports_with(&self, service: Arc<dyn KeyService>) -> Result<Ports, vouchsafe::Error> {
        let clock: Arc<VirtualClock> = Arc::clone(&self.clock);
        Ok(with_approver(Ports::in_folder_with(&self.folder, service)?)?.with_clock(clock))
    }

    /// Opens the folder.
    ///
    /// # Errors
    /// As [`Ports::in_folder`].
    pub fn open(&self) -> Result<Vouchsafe, vouchsafe::Error> {
        self.ports().map(Vouchsafe::open_with)
    }
}

/// A temporary folder for a drill that does not depend on the disk: where `TMPDIR` says, otherwise in memory where there
/// is `/dev/shm`.
///
/// # Errors
/// The operating system's own.
pub fn memory_folder() -> io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        return tempfile::tempdir_in(memory);
    }
    tempfile::tempdir()
}

/// The database file of a folder.
pub fn database(folder: &Path) -> PathBuf {
    folder.join("data").join("vouchsafe.sqlite")
}

/// The organisation's id as rows and keys know it.
///
/// # Errors
/// Never: the id is well-formed.
pub fn organisation_id() -> Result<OrganisationId, vouchsafe::Error> {
    Ok(OrganisationId::parse(ORGANISATION)?)
}

/// Publishes the notice that everybody consents to; again and again it is the same.
///
/// # Errors
/// As [`Organisation::publish_notice`].
pub fn notice(organisation: &Organisation<'_>) -> Result<Notice, vouchsafe::Error> {
    organisation.publish_notice(draft("1", "Your face template is kept until you withdraw."))
}

/// The notice that everybody consents to; every element stands in its one sentence.
pub fn draft<'a>(version: &'a str, text: &'a str) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox, ExpressionKind::TypedSignature];
    let draft =
        NoticeDraft::new("face", version, "en", text.as_bytes()).schedule(b"Destroyed when you withdraw.");
    let draft = draft.collected(text).purpose(text).until_destroyed(text).release(text, ways);
    Scope::all_biometric().fold(draft, NoticeDraft::covers).material(AttestedBy::PrivacyOfficer)
}

/// Shows a person the notice and gives their consent.
///
/// # Errors
/// What the showing or the act answers; [`vouchsafe::Error::UnknownNotice`] for a refusal, which adults do not meet.
pub fn give(person: &Subject<'_>, scope: Scope, notice: &Notice) -> Result<ConsentReceipt, vouchsafe::Error> {
    let served = person.serve_notice(scope, notice)?;
    let given = person.give_consent(served.ticket(), Act::checkbox().attesting_age(18))?;
    given.done().ok_or(vouchsafe::Error::UnknownNotice)
}

/// The caller's own id of a person.
pub fn caller_id(person: u32) -> String {
    format!("person-{person:05}")
}

/// The embedding of a person's face; every variant is another face to the matcher.
///
/// # Errors
/// Never for drawn numbers.
pub fn embedding(
    permit: &Permit<Consented>,
    person: u32,
    variant: u64,
) -> Result<FaceEmbedding<Consented>, vouchsafe::Error> {
    let seed = u64::from(person) << 32 | variant;
    let values = Draws::seeded(Draws::seeded(seed).next_u64()).vector();
    Ok(supplied_embedding(permit, &values, Threshold::SHIPPED_FACE_MODEL)?)
}

/// Copies a folder with all it holds; files keep their modes, folders get mode 0700.
///
/// # Errors
/// The operating system's own.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The one approver whom the services of the drills know.
///
/// # Errors
/// [`Error::Ledger`] never.
pub fn approver() -> Result<Approver, Error> {
    Approver::from_seed("drill.example", &Secret::init_with(|seed| seed.fill(7)))
}

/// Plans what is due, approves it and runs the plan, whatever the breakers say.
///
/// # Errors
/// As [`Organisation::plan_retention`] and [`Organisation::run_plan`].
pub fn approved_sweep(organisation: &Organisation<'_>) -> Result<Destruction, Error> {
    let plan = organisation.plan_retention()?;
    let approval = approver()?.approve(&plan)?;
    organisation.run_plan(plan, &[&approval], Pace::default())
}

fn with_approver(mut ports: Ports) -> Result<Ports, Error> {
    ports.approvers.push(approver()?.key().clone());
    Ok(ports)
}
