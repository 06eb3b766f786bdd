use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{StateGuard, StateStore};
use vouchsafe_types::OrganisationId;

use crate::{KeysError, file, lock};

/// Sealed states as files of one folder: `<organisation>.state`, mode 0600, with a SHA-256 at the end.
///
/// Beside each lie two empty files, `.lock` and `.gate`. Readers pass the gate on their way to the shared lock;
/// a writer closes it first, so that a stream of readers cannot starve it.
///
/// The folder belongs to this user and nobody else can write to it. Keep it out of backups.
#[derive(Debug)]
pub struct FolderStates {
    folder: PathBuf,
}

/// Both files' locks end with their file descriptors.
struct FolderGuard {
    _lock: File,
    _gate: Option<File>,
}

impl StateGuard for FolderGuard {}

const MAGIC: &[u8; 16] = b"vouchsafe state\x01";
const GENERATION_LEN: usize = 8;

impl FolderStates {
    /// Makes the folder, mode 0700.
    ///
    /// # Errors
    /// [`KeysError::Exists`], [`KeysError::Missing`] for a missing parent, [`KeysError::Unavailable`].
    pub fn create_new(folder: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let folder = folder.into();
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| KeysError::from_io(&error))?;
        Self::open(folder)
    }

    /// Opens a folder that is there.
    ///
    /// # Errors
    /// [`KeysError::Missing`]; [`KeysError::NotPlain`] for a link or a file; [`KeysError::TooOpen`] when it belongs
    /// to another user or others can write to it.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let folder = folder.into();
        let metadata = fs::symlink_metadata(&folder).map_err(|error| KeysError::from_io(&error))?;
        if !metadata.is_dir() {
            return Err(KeysError::NotPlain);
        }
        file::check_access(&metadata, 0o022)?;
        Ok(Self { folder })
    }

    fn path(&self, organisation: &OrganisationId, ending: &str) -> PathBuf {
        self.folder.join(format!("{organisation}.{ending}"))
    }

    fn guard(&self, organisation: &OrganisationId, writer: bool) -> Result<FolderGuard, KeysError> {
        let (gate, lock) = (self.path(organisation, "gate"), self.path(organisation, "lock"));
        if writer {
            let gate = lock::exclusive(&gate)?;
            return Ok(FolderGuard { _lock: lock::exclusive(&lock)?, _gate: Some(gate) });
        }
        let _passing = lock::shared(&gate)?;
        Ok(FolderGuard { _lock: lock::shared(&lock)?, _gate: None })
    }
}

impl StateStore for FolderStates {
    fn read(&self, organisation: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError> {
        let stored = read_state(&self.path(organisation, "state")).map_err(KeysError::as_store)?;
        Ok(stored.map(|(_, blob)| blob))
    }

    fn write(
        &self,
        organisation: &OrganisationId,
        generation: u64,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        let path = self.path(organisation, "state");
        let write = || {
            if read_state(&path)?.is_some_and(|(stored, _)| stored > generation) {
                return Err(KeysError::OlderGeneration);
            }
            file::replace(&path, &[MAGIC, generation.to_be_bytes().as_slice(), blob].concat())
        };
        write().map_err(KeysError::as_store)
    }

    fn lock_shared(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(self.guard(organisation, false).map_err(KeysError::as_store)?))
    }

    fn lock_exclusive(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(self.guard(organisation, true).map_err(KeysError::as_store)?))
    }
}

/// A stored generation and blob; `None` when there is none.
fn read_state(path: &Path) -> Result<Option<(u64, Vec<u8>)>, KeysError> {
    let bytes = match file::read(path) {
        Ok(bytes) => bytes,
        Err(KeysError::Missing) => return Ok(None),
        Err(error) => return Err(error),
    };
    let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(KeysError::Corrupt)?;
    let (generation, blob) = rest.split_first_chunk::<GENERATION_LEN>().ok_or(KeysError::Corrupt)?;
    Ok(Some((u64::from_be_bytes(*generation), blob.to_vec())))
}
