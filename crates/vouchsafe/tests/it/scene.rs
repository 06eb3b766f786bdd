//! A folder, a virtual clock and people whose embeddings are supplied.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use vouchsafe::consent::{AttestedBy, ExpressionKind};
use vouchsafe::embed::FaceEmbedding;
use vouchsafe::embed::danger::supplied_embedding;
use vouchsafe::envelope::{Context, KeyPorts, KeyRing};
use vouchsafe::keys::KeyFile;
use vouchsafe::ledger::{EntryKind, Leaf};
use vouchsafe::retention::{Policy, Region};
use vouchsafe::store::test_util::{Database, Postgres};
use vouchsafe::store::{Backup, PostgresConfig, PostgresStore, SqliteStore, Store, StoreError, Transaction};
use vouchsafe::template::Threshold;
use vouchsafe::types::Secret;
use vouchsafe::{
    Act, Approver, Assurance, AssurancePolicy, ConsentReceipt, Consented, Decision, Destruction,
    EnrolmentReceipt, Error, Notice, NoticeDraft, Organisation, OrganisationId, Outcome, Pace, Permit, Place,
    Ports, Purpose, Receipt, Residence, Role, Scope, Subject, Timestamp, VirtualClock, Vouchsafe,
};

pub(crate) const FACE: Scope = Scope::FACE_VERIFICATION;

/// One folder, opened without face models.
pub(crate) struct Scene {
    pub(crate) dir: TempDir,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) service: Vouchsafe,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(VirtualClock::starting_at("2026-04-01T12:00:00Z".parse().unwrap()));
        let service = open(dir.path(), &clock);
        Self { dir, clock, service }
    }

    /// Closes nothing, opens the same folder again: a second process as far as files can tell.
    pub(crate) fn again(&self) -> Vouchsafe {
        open(self.dir.path(), &self.clock)
    }

    /// The same folder for administrators who are satisfied with a supplied embedding.
    pub(crate) fn lenient(&self) -> Vouchsafe {
        let mut ports = self.ports();
        ports.assurance = AssurancePolicy { end_user: Assurance::Weak, administrator: Assurance::Weak };
        Vouchsafe::open_with(ports)
    }

    pub(crate) fn ports(&self) -> Ports {
        let mut ports = ports_in(self.dir.path()).with_clock(self.clock.clone());
        ports.approvers.push(approver().key().clone());
        ports
    }

    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("data/vouchsafe.sqlite")
    }

    /// Loses the database, and restores a backup in its place.
    pub(crate) fn restore(&self, backup: &Path) {
        let (dir, backup) = (self.dir.path(), Backup::open(backup).unwrap());
        let at = vouchsafe::Clock::now(&*self.clock);
        if is_on_postgres() {
            fs::write(dir.join(SERVER), "").unwrap();
            let database = new_database(dir);
            return PostgresStore::restore(&database.owner().unwrap(), &backup, at).unwrap();
        }
        for ending in ["", "-wal", "-shm", "-turn"] {
            let _ = fs::remove_file(format!("{}{ending}", self.database().display()));
        }
        SqliteStore::restore(&self.database(), &backup, at).unwrap();
    }

    /// The database, past the facade.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        ports_in(self.dir.path()).store
    }

    /// What the rows of the database say.
    pub(crate) fn rows<T>(
        &self,
        organisation: &OrganisationId,
        look: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
    ) -> T {
        let store = ports_in(self.dir.path()).store;
        vouchsafe::store::read(&*store, organisation, look).unwrap()
    }

    /// What the log of an organisation says happened, in order.
    pub(crate) fn kinds(&self, organisation: &str) -> Vec<EntryKind> {
        let id = OrganisationId::parse(organisation).unwrap();
        let entries = self.rows(&id, |rows| rows.entries(&id, 0, 10_000));
        entries.iter().map(|entry| Leaf::from_bytes(entry).unwrap().kind).collect()
    }

    /// The sealed payload of an entry, opened with the keys of the folder.
    pub(crate) fn payload(&self, organisation: &str, entry: u64) -> Value {
        let id = OrganisationId::parse(organisation).unwrap();
        let (row, class) = self.rows(&id, |rows| {
            let row = rows.payload(&id, entry)?.unwrap();
            let holding = rows.holding(&id, row.leaf)?.unwrap();
            Ok((row, holding.class))
        });
        let ports = self.ports();
        let ports = KeyPorts::new(ports.keys, ports.states, ports.fences, ports.entropy, ports.ticks);
        let context = Context {
            organisation: id.clone(),
            leaf: row.leaf,
            class,
            scope: None,
            record: row.id,
            model: None,
            dimension: None,
            key_version: row.key_version,
        };
        let opened = KeyRing::new(ports).with_state(&id, |state| state.open(&context, &row.sealed));
        serde_json::from_slice(&opened.unwrap().unwrap().expose_secret()[32..]).unwrap()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        let now = vouchsafe::Clock::now(&*self.clock).as_second();
        self.clock.set(Timestamp::from_second(now + seconds).unwrap());
    }
}

/// Says on which engine the scenes keep their rows: `sqlite`, or `postgres`.
pub(crate) const ENGINE: &str = "VOUCHSAFE_TEST_STORE";
/// Says in a folder where its rows are, if they are not in it.
const SERVER: &str = "server";

/// Whether scenes keep their rows on a PostgreSQL server.
pub(crate) fn is_on_postgres() -> bool {
    std::env::var_os(ENGINE).is_some_and(|engine| engine == "postgres")
}

/// Whether this is a test of SQLite's file, and scenes have none; says so.
pub(crate) fn is_without_file() -> bool {
    if is_on_postgres() {
        eprintln!("not on PostgreSQL: it goes past the port, into SQLite's file");
    }
    is_on_postgres()
}

/// The default ports of a folder, with the rows where the scenes keep them.
pub(crate) fn ports_in(dir: &Path) -> Ports {
    if !is_on_postgres() {
        return Ports::in_folder(dir).unwrap();
    }
    let keys = dir.join("keys");
    fs::create_dir_all(&keys).unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o700)).unwrap();
    let file = keys.join("service.keys");
    let key_file = if file.exists() { KeyFile::open(&file) } else { KeyFile::create_new(&file) };
    Ports::in_folder_on(dir, Arc::new(key_file.unwrap()), Arc::new(server_of(dir))).unwrap()
}

/// The database of a folder: made when it is first opened, and there until the server ends with the process.
fn server_of(dir: &Path) -> PostgresStore {
    let file = dir.join(SERVER);
    if !file.exists() {
        new_database(dir);
    }
    let config = PostgresConfig::parse(&fs::read_to_string(&file).unwrap()).unwrap();
    PostgresStore::open(&config, Timestamp::now()).unwrap()
}

fn new_database(dir: &Path) -> &'static Database<'static> {
    let server = Postgres::shared().unwrap().unwrap();
    let database = Box::leak(Box::new(server.database().unwrap()));
    fs::write(dir.join(SERVER), database.through(server.port().unwrap())).unwrap();
    database
}

pub(crate) fn open(dir: &Path, clock: &Arc<VirtualClock>) -> Vouchsafe {
    let mut ports = ports_in(dir).with_clock(clock.clone());
    ports.approvers.push(approver().key().clone());
    Vouchsafe::open_with(ports)
}

/// An organisation whose account and billing data a processor keeps.
pub(crate) const HOST: &str = "[organisation]\nname = \"Acme\"\naddress = \"1 Street\"\nemail = \"privacy@acme.example\"\n\
                    minimum_age = \"18\"\nregions = \"eu\"\nstore_region = \"eu\"\n\
                    [[recipient]]\nid = \"host\"\nname = \"Host\"\nkind = \"processor\"\nregion = \"eu\"\n\
                    purpose = \"hosting\"\nclasses = \"account, billing\"\ndocument = \"dpa-1\"\n\
                    confidential = \"yes\"\ndelete_within = \"30 days\"\n";

/// What ships, with the organisation's own pack behind it.
pub(crate) fn policy(own: &str) -> Policy {
    let head = "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n";
    let own = format!("{head}{own}");
    Policy::from_packs(&[Policy::shipped_packs(), vec![&own]].concat()).unwrap()
}

/// A service with the organisation's own pack behind those that ship.
pub(crate) fn with(scene: &Scene, own: &str) -> Vouchsafe {
    let mut ports: Ports = scene.ports();
    ports.retention = policy(own);
    ports.residence = Residence::all_in(Place::in_region(Region::parse("eu").unwrap()));
    Vouchsafe::open_with(ports)
}

/// The one approver that these services know.
pub(crate) fn approver() -> Approver {
    Approver::from_seed("dpo.example", &Secret::init_with(|seed| seed.fill(7))).unwrap()
}

/// Plans, approves and runs.
pub(crate) fn approved_sweep(organisation: &Organisation<'_>) -> Destruction {
    let plan = organisation.plan_retention().unwrap();
    let approval = approver().approve(&plan).unwrap();
    organisation.run_plan(plan, &[&approval], Pace::default()).unwrap()
}

/// The notice that everybody consents to; every element stands in its one sentence.
pub(crate) fn draft<'a>(version: &'a str, text: &'a str) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox, ExpressionKind::TypedSignature];
    let draft =
        NoticeDraft::new("face", version, "en", text.as_bytes()).schedule(b"Destroyed when you withdraw.");
    let draft = draft.collected(text).purpose(text).until_destroyed(text).release(text, ways);
    Scope::all_biometric().fold(draft, NoticeDraft::covers).material(AttestedBy::PrivacyOfficer)
}

pub(crate) fn notice(organisation: &Organisation<'_>) -> Notice {
    organisation.publish_notice(draft("1", "we measure your face")).unwrap()
}

pub(crate) const COMMUNICATION: [Role; 2] = Role::ALL;

pub(crate) fn communication(role: Role) -> Scope {
    Scope::new(None, role, Purpose::Communication).unwrap()
}

/// A notice that covers every biometric scope and communication.
pub(crate) fn wide_notice(organisation: &Organisation<'_>) -> Notice {
    let draft = draft("1", "we measure you and write to you");
    let draft = COMMUNICATION.into_iter().map(communication).fold(draft, NoticeDraft::covers);
    organisation.publish_notice(draft).unwrap()
}

/// What a receipt's entry commits to.
pub(crate) fn content(receipt: &Receipt) -> Value {
    serde_json::from_slice(receipt.payload()).unwrap()
}

/// Proves a receipt, as a person keeps it.
pub(crate) fn proven(organisation: &Organisation<'_>, receipt: &Receipt) -> Receipt {
    let mut kept = Receipt::from_json(&receipt.to_json().unwrap()).unwrap();
    organisation.prove_receipt(&mut kept).unwrap();
    kept
}

/// Shows the person a notice and gives their consent.
pub(crate) fn try_give(
    person: &Subject<'_>,
    scope: Scope,
    notice: &Notice,
    act: Act,
) -> Result<ConsentReceipt, Error> {
    let served = person.serve_notice(scope, notice)?;
    Ok(person.give_consent(served.ticket(), act.attesting_age(18))?.or_refuse().unwrap())
}

pub(crate) fn give(person: &Subject<'_>, scope: Scope, notice: &Notice) -> ConsentReceipt {
    try_give(person, scope, notice, Act::checkbox()).unwrap()
}

/// A person who has consented to face verification.
pub(crate) fn consented<'a>(organisation: &'a Organisation<'a>, id: &str) -> Subject<'a> {
    let person = organisation.subject(id).unwrap();
    give(&person, FACE, &notice(organisation));
    person
}

pub(crate) fn permit(person: &Subject<'_>) -> Permit<Consented> {
    person.permit(FACE).unwrap().or_refuse().unwrap()
}

/// A reproducible direction in 512 dimensions; another seed gives an unlike one.
pub(crate) fn face(permit: &Permit<Consented>, seed: u64) -> FaceEmbedding<Consented> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values = std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    });
    supplied_embedding(permit, &values, Threshold::SHIPPED_FACE_MODEL).unwrap()
}

pub(crate) fn enrol(person: &Subject<'_>, seed: u64) -> EnrolmentReceipt {
    let permit = permit(person);
    person.enrol_embedding(&permit, face(&permit, seed)).unwrap().or_refuse().unwrap()
}

pub(crate) fn verify(person: &Subject<'_>, seed: u64) -> Decision {
    let permit = permit(person);
    person.verify_embedding(&permit, face(&permit, seed)).unwrap()
}

pub(crate) fn permit_for(person: &Subject<'_>, scope: Scope) -> Permit<Consented> {
    person.permit(scope).unwrap().or_refuse().unwrap()
}

/// Why a decision is no acceptance.
pub(crate) fn rejected(decision: Decision) -> vouchsafe::Refusal {
    match decision {
        Decision::Rejected(reasons) => reasons.as_slice()[0],
        other => panic!("not rejected: {other:?}"),
    }
}

pub(crate) fn refusal<T>(outcome: Outcome<T>) -> vouchsafe::Refusal {
    outcome.or_refuse().err().unwrap().as_slice()[0]
}
