//! A folder made through the library with supplied embeddings, and the binary run on it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use tempfile::TempDir;
use vouchsafe::consent::{AttestedBy, ExpressionKind, NoticeDraft};
use vouchsafe::embed::danger::supplied_embedding;
use vouchsafe::envelope::port::KeyService;
use vouchsafe::template::Threshold;
use vouchsafe::{Act, EnrolmentReceipt, Notice, Organisation, Ports, Scope, VirtualClock, Vouchsafe};

pub(crate) const FACE: Scope = Scope::FACE_VERIFICATION;

/// One folder with the organisation `acme`, in which everything happened on 1 April 2020: due long since.
pub(crate) struct Scene {
    pub(crate) dir: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn service(&self) -> Vouchsafe {
        Self::opened(Ports::in_folder(&self.path("store")).unwrap())
    }

    /// As [`Self::service`], with another key service than the folder's key file.
    pub(crate) fn service_with(&self, keys: Arc<dyn KeyService>) -> Vouchsafe {
        Self::opened(Ports::in_folder_with(&self.path("store"), keys).unwrap())
    }

    pub(crate) fn opened(ports: Ports) -> Vouchsafe {
        let clock = VirtualClock::starting_at("2020-04-01T12:00:00Z".parse().unwrap());
        Vouchsafe::open_with(ports.with_clock(Arc::new(clock)))
    }

    /// Writes a file that its owner alone can read.
    pub(crate) fn secret(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs a command on the folder and organisation.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let place = ["--dir", "store", "--org", "acme"];
        self.run_anywhere(&[arguments, &place].concat())
    }

    /// Runs a command; relative paths start at the scene.
    pub(crate) fn run_anywhere(&self, arguments: &[&str]) -> Run {
        Run::of(self.dir.path(), arguments)
    }

    /// The verifier key, as somebody obtained it beforehand.
    pub(crate) fn key(&self) -> String {
        self.service().organisation("acme").unwrap().verifier_key().unwrap().to_string()
    }

    /// The folder of the published log.
    pub(crate) fn log_folder(&self) -> PathBuf {
        fs::read_dir(self.path("store/log")).unwrap().next().unwrap().unwrap().path()
    }
}

/// Enrols a person whose face is a reproducible direction in 512 dimensions.
pub(crate) fn enrol(organisation: &Organisation<'_>, id: &str, seed: u64) -> EnrolmentReceipt {
    let notice = organisation.publish_notice(draft("1", "we measure your face")).unwrap();
    enrol_under(organisation, &notice, id, seed)
}

/// As [`enrol`], with consent to this notice.
pub(crate) fn enrol_under(
    organisation: &Organisation<'_>,
    notice: &Notice,
    id: &str,
    seed: u64,
) -> EnrolmentReceipt {
    let person = organisation.subject(id).unwrap();
    let served = person.serve_notice(FACE, notice).unwrap();
    let given = person.give_consent(served.ticket(), Act::checkbox().attesting_age(18)).unwrap();
    given.or_refuse().unwrap();
    let permit = person.permit(FACE).unwrap().or_refuse().unwrap();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values = std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    });
    let embedding = supplied_embedding(&permit, &values, Threshold::SHIPPED_FACE_MODEL).unwrap();
    person.enrol_embedding(&permit, embedding).unwrap().or_refuse().unwrap()
}

/// The notice that everybody consents to; every element stands in its one sentence.
fn draft<'a>(version: &'a str, text: &'a str) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox, ExpressionKind::TypedSignature];
    let draft =
        NoticeDraft::new("face", version, "en", text.as_bytes()).schedule(b"Destroyed when you withdraw.");
    let draft = draft.collected(text).purpose(text).until_destroyed(text).release(text, ways);
    Scope::all_biometric().fold(draft, NoticeDraft::covers).material(AttestedBy::PrivacyOfficer)
}

/// Copies a folder with all that is in it to a name that is free.
pub(crate) fn copy(from: &Path, to: &Path) {
    assert!(!to.exists());
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// What a run of the binary said.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn of(folder: &Path, arguments: &[&str]) -> Self {
        let binary = env!("CARGO_BIN_EXE_vouchsafe");
        let Output { status, stdout, stderr } =
            Command::new(binary).args(arguments).current_dir(folder).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// What it printed; fails the test unless it left with 0 and said nothing else.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// The code it left with.
    pub(crate) const fn code(&self) -> Option<i32> {
        self.code
    }

    /// Fails the test unless it left with this code and one sentence.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, sentence: &str) -> String {
        assert_eq!((self.code, self.err), (Some(code), format!("vouchsafe: {sentence}\n")), "{}", self.out);
        self.out
    }
}
