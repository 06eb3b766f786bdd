use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use vouchsafe::{Clock, Ports, Timestamp};
use vouchsafe_envelope::port::{ErasureStrength, StateStore};
use vouchsafe_keys::{BootTicks, FolderStates, KeyFile, ReplicatedStates};
use vouchsafe_objects::{Bucket, BucketConfig, BucketCredentials, BucketLogs, BucketStates, LeaseTerms};
use vouchsafe_store::{PostgresConfig, PostgresStore};
use vouchsafe_types::{SecretBytes, Ticks};

use crate::scene::{Failure, approver};
use crate::services::objects::{ACCESS_KEY, SECRET};

/// The clock of a drill: that of the machine since its start, shifted. Processes with the same shift show the same
/// instant.
#[derive(Debug, Default)]
pub struct Shifted(AtomicI64);

impl Shifted {
    /// By so many microseconds.
    pub const fn by(shift: i64) -> Self {
        Self(AtomicI64::new(shift))
    }

    /// The clock that shows an instant now.
    pub fn showing(now: Timestamp) -> Self {
        Self::by(now.as_microsecond() - Self::machine())
    }

    /// By how many microseconds it is shifted.
    pub fn shift(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Shifts it.
    pub fn set(&self, shift: i64) {
        self.0.store(shift, Ordering::SeqCst);
    }

    fn machine() -> i64 {
        i64::try_from(BootTicks.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(Self::machine().saturating_add(self.shift())).unwrap_or_default()
    }
}

/// Where rows, keys and log of a drill are.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a drill names each")]
pub struct Stand {
    /// The folder of the keys, and of all that is nowhere else.
    pub folder: PathBuf,
    /// The connection string of a PostgreSQL server that has the rows.
    pub server: Option<String>,
    /// The endpoint of an object store that has the log, the checkpoints and the second place of key states.
    pub objects: Option<String>,
}

const FOLDER: &str = super::serve::FOLDER;
const SERVER: &str = "VOUCHSAFE_TRAFFIC_SERVER";
const OBJECTS: &str = "VOUCHSAFE_TRAFFIC_OBJECTS";
/// The buckets of a stand in an object store.
pub const BUCKETS: [&str; 3] = ["published", "outside", "states"];

impl Stand {
    /// Everything in a folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), server: None, objects: None }
    }

    /// The rows on a PostgreSQL server.
    #[must_use]
    pub fn on_server(self, connection: impl Into<String>) -> Self {
        Self { server: Some(connection.into()), ..self }
    }

    /// The log in an object store that has the [`BUCKETS`].
    #[must_use]
    pub fn with_objects(self, endpoint: impl Into<String>) -> Self {
        Self { objects: Some(endpoint.into()), ..self }
    }

    /// Which engine has the rows.
    pub const fn engine(&self) -> &'static str {
        if self.server.is_some() { "postgres" } else { "sqlite" }
    }

    /// Tells a program that it is started for where the stand is.
    pub fn tell(&self, program: &mut Program) {
        program.env(FOLDER, &self.folder);
        for (name, value) in [(SERVER, &self.server), (OBJECTS, &self.objects)] {
            match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            };
        }
    }

    /// What a program was told; `None` if nothing.
    pub fn told() -> Option<Self> {
        let folder = std::env::var_os(FOLDER)?.into();
        let text = |name| std::env::var(name).ok();
        Some(Self { folder, server: text(SERVER), objects: text(OBJECTS) })
    }

    /// The ports of the stand.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn ports(&self, clock: Arc<Shifted>) -> Result<Ports, Failure> {
        let mut ports = match &self.server {
            None => Ports::in_folder(&self.folder)?,
            Some(connection) => {
                let config = PostgresConfig::parse(connection)?.with_wait(WAIT);
                let store = PostgresStore::open(&config, Timestamp::now())?;
                Ports::in_folder_on(&self.folder, Arc::new(self.key_file()?), Arc::new(store))?
            }
        };
        if let Some(endpoint) = &self.objects {
            let bucket = |name: &str| {
                let secret = SecretBytes::new(SECRET.as_bytes().to_vec());
                let credentials = BucketCredentials::new(ACCESS_KEY, secret);
                Bucket::new(BucketConfig::new(endpoint, name, credentials))
            };
            let [published, outside, states] = BUCKETS;
            let own: Arc<Shifted> = Arc::clone(&clock);
            let terms = LeaseTerms::default();
            ports.logs = Arc::new(BucketLogs::open(bucket(published)?, bucket(outside)?, terms, own)?);
            let local = FolderStates::open(self.folder.join("keys/state"))?;
            let remote = BucketStates::open(bucket(states)?, ErasureStrength::HostOnly)?;
            let places: Vec<Arc<dyn StateStore>> = vec![Arc::new(local), Arc::new(remote)];
            ports.states = Arc::new(ReplicatedStates::new(places)?);
        }
        ports.approvers.push(approver()?.key().clone());
        Ok(ports.with_clock(clock))
    }

    fn key_file(&self) -> Result<KeyFile, Failure> {
        let keys = self.folder.join("keys");
        fs::create_dir_all(&keys)?;
        for folder in [Path::new(&self.folder), &keys] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        let file = keys.join("service.keys");
        Ok(if file.exists() { KeyFile::open(&file)? } else { KeyFile::create_new(&file)? })
    }
}

/// How long a transaction waits for the server before it gives up.
const WAIT: Duration = Duration::from_secs(5);
