use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_consent::{AgePolicy, Gate, NoPasskeys, PasskeyVerifier};
use vouchsafe_embed::{Assurance, CapturePolicy, FaceEngine, Judge};
use vouchsafe_envelope::CachePolicy;
use vouchsafe_envelope::port::{FenceStore, KeyService, NoAudit, OpenAudit, StateStore};
use vouchsafe_keys::{
    BootTicks, FolderFences, FolderStates, KeyFile, KeysError, OsEntropy, ReplicatedStates,
};
use vouchsafe_ledger::{LogPlace, VerifierKey, Witness};
use vouchsafe_liveness::PassiveJudge;
use vouchsafe_retention::Policy;
use vouchsafe_store::{FolderLogs, SqliteStore, Store};
use vouchsafe_types::{Clock, Entropy, Role, Scope, Ticks, Timestamp};

use crate::{Error, Residence};

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// How much a capture must vouch for before it may be enrolled or verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "one field a role; a new role must be decided")]
pub struct AssurancePolicy {
    /// For end users; by default a still picture is enough, and proves little.
    pub end_user: Assurance,
    /// For administrators; by default a challenge, which no still picture meets.
    pub administrator: Assurance,
}

impl Default for AssurancePolicy {
    fn default() -> Self {
        Self { end_user: Assurance::Weak, administrator: Assurance::Challenged }
    }
}

impl AssurancePolicy {
    pub(crate) fn allows(self, scope: Scope, assurance: Assurance) -> bool {
        assurance
            >= match scope.role() {
                Role::EndUser => self.end_user,
                // A role that this version does not know is held to the stricter.
                _ => self.administrator.max(self.end_user),
            }
    }
}

/// Everything the facade reaches outside itself through, with the policies it applies.
///
/// [`Ports::in_folder`] gives the defaults of a laptop: SQLite, a key file, the passive judge, the system's clock.
/// Replace single fields for production, drills and tests.
#[non_exhaustive]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn Store>,
    /// Who wraps and destroys keys.
    pub keys: Arc<dyn KeyService>,
    /// Where sealed key states lie, in two places or more.
    pub states: Arc<dyn StateStore>,
    /// Where the fence journals lie: outside of what a restore of database, states or keys replaces.
    pub fences: Arc<dyn FenceStore>,
    /// Where tiles and checkpoints are published, one log for each organisation, and where the newest checkpoint of
    /// each is kept once more: outside of what a restore replaces, as the fence journals are.
    pub logs: Arc<dyn LogPlace>,
    /// Who is told of every opening of a sealed record and of alarms, besides the log; nobody by default.
    pub audit: Arc<dyn OpenAudit>,
    /// How long unsealed key states are kept; never longer than 300 s.
    pub cache: CachePolicy,
    /// What the age of an unsealed key state is measured with.
    pub ticks: Arc<dyn Ticks>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// For how long a process that sweeps keeps others from it after each of its transactions: a minute by default.
    /// After a crash another one goes on by then.
    pub lease: Duration,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// The loaded face models; without them nothing is captured.
    pub engine: Option<Arc<FaceEngine>>,
    /// Who judges presentation attacks.
    pub judge: Arc<dyn Judge>,
    /// The quality limits of a capture.
    pub capture: CapturePolicy,
    /// How much a capture must vouch for.
    pub assurance: AssurancePolicy,
    /// The consent gate.
    pub gate: Gate,
    /// What age people attest to before they consent.
    pub age: AgePolicy,
    /// Who verifies acts that are signed with a passkey; nobody by default.
    pub passkeys: Arc<dyn PasskeyVerifier>,
    /// Who cosigns the checkpoints of the logs; nobody by default.
    pub witnesses: Vec<Arc<dyn Witness>>,
    /// How many of them make a quorum; a log's key that was compromised is handed over with one only.
    pub quorum: Option<vouchsafe_ledger::Policy>,

    /// Where database, log and key states lie; undeclared by default. Under a policy that names regions no organisation
    /// is opened before all are declared, within them or with a named safeguard.
    pub residence: Residence,
    /// The retention policy; by default the notices, the libraries' own rules and the laws that ship.
    pub retention: Policy,
    /// The keys of those who may approve destruction; nobody by default.
    pub approvers: Vec<VerifierKey>,
}

impl Ports {
    /// The default ports in one folder, created if it is empty; no face models are loaded.
    ///
    /// Layout: `data/` is the database and all that a backup should hold; `keys/` is the key file and the key
    /// states and must never enter a backup history; `log/` is what anybody may read; `outside/` is the second
    /// place of the key states, with the fence journals and the newest checkpoint. On one disk `outside/` guards
    /// against mistakes, not against the loss of the disk: mount another one there, and never restore it together
    /// with the others.
    ///
    /// # Errors
    /// [`Error::KeysMissing`], [`Error::Keys`], [`Error::Store`], [`Error::Folder`].
    pub fn in_folder(dir: &Path) -> Result<Self, Error> {
        let keys = Folders::make(dir)?.keys;
        let key_file = keys.join("service.keys");
        let database = dir.join(DATABASE);
        // Where nobody has rows yet, no key is lost.
        if database.exists()
            && !key_file.exists()
            && !SqliteStore::open(&database)?.organisations()?.is_empty()
        {
            return Err(Error::KeysMissing);
        }
        let service = create_or_open(&key_file, KeyFile::create_new, KeyFile::open)?;
        Self::in_folder_with(dir, Arc::new(service))
    }

    /// As [`Self::in_folder`], with another key service than a key file: a token, a server, a TPM
    /// ([`vouchsafe_keys`]), or a key file with a passphrase.
    ///
    /// # Errors
    /// As [`Self::in_folder`].
    pub fn in_folder_with(dir: &Path, service: Arc<dyn KeyService>) -> Result<Self, Error> {
        let _made = Folders::make(dir)?;
        Self::in_folder_on(dir, service, Arc::new(SqliteStore::open(&dir.join(DATABASE))?))
    }

    /// As [`Self::in_folder_with`], with the rows in another database than a file of the folder, such as
    /// `vouchsafe_store::PostgresStore` (feature `postgres`). Key states and log stay in the folder.
    ///
    /// # Errors
    /// As [`Self::in_folder`].
    pub fn in_folder_on(
        dir: &Path,
        service: Arc<dyn KeyService>,
        store: Arc<dyn Store>,
    ) -> Result<Self, Error> {
        let Folders { keys, logs, outside } = Folders::make(dir)?;
        Ok(Self {
            keys: service,
            states: Arc::new(replicated(&[&keys, &outside])?),
            fences: Arc::new(FolderFences::at(outside.join("fences"))?),
            audit: Arc::new(NoAudit),
            cache: CachePolicy::default(),
            ticks: Arc::new(BootTicks),
            store,
            logs: Arc::new(FolderLogs::at(logs, outside.join("checkpoints"))),
            entropy: Arc::new(OsEntropy::new()),
            lease: LEASE,
            clock: Arc::new(SystemClock),
            engine: None,
            judge: Arc::new(PassiveJudge::default()),
            capture: CapturePolicy::default(),
            assurance: AssurancePolicy::default(),
            gate: Gate::default(),
            age: AgePolicy::default(),
            passkeys: Arc::new(NoPasskeys),
            witnesses: Vec::new(),
            quorum: None,
            residence: Residence::default(),
            retention: Policy::shipped()?,
            approvers: read_approvers(&keys.join(APPROVERS))?,
        })
    }

    /// With this face engine.
    #[must_use]
    pub fn with_engine(mut self, engine: Arc<FaceEngine>) -> Self {
        self.engine = Some(engine);
        self
    }

    /// With this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

const LEASE: Duration = Duration::from_secs(60);

/// Where the keys of approvers lie, a line each, in the folder of the keys.
const APPROVERS: &str = "approvers";

/// The keys in a file, a line each; none where there is no file.
fn read_approvers(file: &Path) -> Result<Vec<VerifierKey>, Error> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().map(VerifierKey::parse).collect::<Result<_, _>>()?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::Folder(error.kind())),
    }
}

/// Where the database lies in a folder of defaults.
const DATABASE: &str = "data/vouchsafe.sqlite";

/// The private folders of a folder of defaults, beside that of the database.
struct Folders {
    keys: PathBuf,
    logs: PathBuf,
    outside: PathBuf,
}

impl Folders {
    fn make(dir: &Path) -> Result<Self, Error> {
        let [data, keys, logs, outside] = ["data", "keys", "log", "outside"].map(|name| dir.join(name));
        for folder in [&data, &keys, &logs, &outside] {
            create_private(folder)?;
        }
        #[cfg(unix)]
        [&keys, &outside].into_iter().try_for_each(|folder| refuse_writable(folder))?;
        Ok(Self { keys, logs, outside })
    }
}

/// The key states in the folder `state` of each of these.
fn replicated(folders: &[&Path]) -> Result<ReplicatedStates, Error> {
    let mut places: Vec<Arc<dyn StateStore>> = Vec::new();
    for folder in folders {
        let states = create_or_open(&folder.join("state"), FolderStates::create_new, FolderStates::open)?;
        places.push(Arc::new(states));
    }
    ReplicatedStates::new(places).map_err(|_| Error::KeysMissing)
}

/// Another process may create the same folder at the same time; whoever is second opens.
fn create_or_open<T>(
    path: &Path,
    create: impl FnOnce(PathBuf) -> Result<T, KeysError>,
    open: impl FnOnce(PathBuf) -> Result<T, KeysError>,
) -> Result<T, Error> {
    match create(path.to_owned()) {
        Err(KeysError::Exists) => Ok(open(path.to_owned())?),
        created => Ok(created?),
    }
}

/// Whoever can write to the folder of the keys can put other keys in their place.
#[cfg(unix)]
fn refuse_writable(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(folder).map_err(|error| Error::Folder(error.kind()))?;
    if metadata.permissions().mode() & 0o022 == 0 { Ok(()) } else { Err(Error::Keys(KeysError::TooOpen)) }
}

fn create_private(folder: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Error::Folder(error.kind()))
}
