//! Keys without a database: a folder with all that a key ring needs, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vouchsafe_envelope::port::{FenceStore, KeyHandle, KeyService, StateStore};
use vouchsafe_envelope::{CachePolicy, KeyPorts, KeyRing};
use vouchsafe_keys::{BootTicks, FolderFences, FolderStates, KeyFile, OsEntropy, ReplicatedStates};
use vouchsafe_types::{OrganisationId, Ticks};

use crate::scene::Failure;

/// A folder with a key file, two folders of states and one of fence journals.
pub struct KeyPlace {
    folder: PathBuf,
    ticks: Arc<dyn Ticks>,
}

/// The two folders of states.
pub const STATES: [&str; 2] = ["states", "replica"];

impl KeyPlace {
    /// Makes the folder, which is not there yet, and what belongs into it.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn create(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir(folder)?;
        KeyFile::create_new(folder.join("keys"))?;
        for states in STATES {
            FolderStates::create_new(folder.join(states))?;
        }
        Ok(Self::at(folder))
    }

    /// The place in a folder that was made before.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ticks: Arc::new(BootTicks) }
    }

    /// With these ticks instead of the system's.
    #[must_use]
    pub fn with_ticks(self, ticks: Arc<dyn Ticks>) -> Self {
        Self { ticks, ..self }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key file.
    ///
    /// # Errors
    /// The adapter's own.
    pub fn service(&self) -> Result<Arc<KeyFile>, Failure> {
        Ok(Arc::new(KeyFile::open(self.folder.join("keys"))?))
    }

    /// One of the [`STATES`].
    ///
    /// # Errors
    /// The adapter's own.
    pub fn place(&self, name: &str) -> Result<Arc<FolderStates>, Failure> {
        Ok(Arc::new(FolderStates::open(self.folder.join(name))?))
    }

    /// Both folders of states as one.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn states(&self) -> Result<Arc<ReplicatedStates>, Failure> {
        let [first, second] = STATES;
        Ok(Arc::new(ReplicatedStates::new(vec![self.place(first)?, self.place(second)?])?))
    }

    /// The fence journals.
    ///
    /// # Errors
    /// The adapter's own.
    pub fn fences(&self) -> Result<Arc<FolderFences>, Failure> {
        Ok(Arc::new(FolderFences::at(self.folder.join("fences"))?))
    }

    /// Everything of the place, opened as another process does.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn ports(&self) -> Result<KeyPorts, Failure> {
        let (service, states, fences) = (self.service()?, self.states()?, self.fences()?);
        let entropy = Arc::new(OsEntropy::new());
        Ok(KeyPorts::new(
            service as Arc<dyn KeyService>,
            states as Arc<dyn StateStore>,
            fences as Arc<dyn FenceStore>,
            entropy,
            Arc::clone(&self.ticks),
        ))
    }

    /// A key ring as another process has it.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn ring(&self, policy: CachePolicy) -> Result<KeyRing, Failure> {
        Ok(KeyRing::with_cache(self.ports()?, policy))
    }

    /// The generations of the state keys that the key file holds.
    ///
    /// # Errors
    /// The adapter's own.
    pub fn held(&self, organisation: &OrganisationId) -> Result<Vec<u64>, Failure> {
        Ok(self.service()?.list(organisation)?.iter().map(KeyHandle::generation).collect())
    }
}

impl std::fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPlace").field("folder", &self.folder).finish_non_exhaustive()
    }
}
