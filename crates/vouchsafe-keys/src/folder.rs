use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{ShardName, StateGuard, StateStore, StateVersion};
use vouchsafe_types::OrganisationId;

use crate::leases::Leases;
use crate::{KeysError, file, lock};

/// Sealed states as files of one folder: `<organisation>.state`, mode 0600, with a SHA-256 at the end; the shards of
/// a large one in the folder `<organisation>.shards`.
///
/// Beside each lie two empty files, `.lock` and `.gate`. Readers pass the gate on their way to the shared lock;
/// a writer closes it first, so that a stream of readers cannot starve it. Who holds a state unsealed stands in the
/// folder `leases`; a process that ends gives its leases up.
///
/// The folder belongs to this user and nobody else can write to it. Keep it out of backups, and keep a second one
/// elsewhere: [`ReplicatedStates`](crate::ReplicatedStates).
#[derive(Debug)]
pub struct FolderStates {
    folder: PathBuf,
    leases: Leases,
}

/// Both files' locks end with their file descriptors.
struct FolderGuard {
    _lock: File,
    _gate: Option<File>,
}

impl StateGuard for FolderGuard {}

const MAGIC: &[u8; 16] = b"vouchsafe state\x02";
const VERSION_LEN: usize = 16;
const SUM_LEN: usize = 8;
/// How often a reader looks again when a file was replaced under its hands.
const READS: usize = 4;

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
        file::check_folder(&folder)?;
        let leases = Leases::new(folder.join("leases"));
        Ok(Self { folder, leases })
    }

    fn path(&self, organisation: &OrganisationId, ending: &str) -> PathBuf {
        self.folder.join(format!("{organisation}.{ending}"))
    }

    fn put(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), KeysError> {
        file::replace(&self.path(organisation, "state"), &[header(version).as_slice(), blob].concat())
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

    fn version(&self, organisation: &OrganisationId) -> Result<Option<StateVersion>, StateStoreError> {
        read_version(&self.path(organisation, "state")).map_err(KeysError::as_store)
    }

    fn write(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        let stored = read_state(&self.path(organisation, "state")).map_err(KeysError::as_store)?;
        if stored.is_some_and(|(stored, _)| stored > version) {
            return Err(StateStoreError::OlderGeneration);
        }
        self.put(organisation, version, blob).map_err(KeysError::as_store)
    }

    fn overwrite(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.put(organisation, version, blob).map_err(KeysError::as_store)
    }

    fn shards(&self, organisation: &OrganisationId) -> Result<Vec<ShardName>, StateStoreError> {
        let files = list(&self.path(organisation, "shards")).map_err(KeysError::as_store)?;
        Ok(files.iter().filter_map(|path| shard_of(path)).collect())
    }

    fn read_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
    ) -> Result<Option<Vec<u8>>, StateStoreError> {
        match file::read(&self.path(organisation, "shards").join(file_name(name))) {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(KeysError::Missing) => Ok(None),
            Err(error) => Err(error.as_store()),
        }
    }

    fn write_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        let folder = self.path(organisation, "shards");
        let write = || {
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(KeysError::from_io(&error));
                }
                _ => file::sync_folder(&folder)?,
            }
            file::replace(&folder.join(file_name(name)), blob)
        };
        write().map_err(KeysError::as_store)
    }

    fn retain_shards(
        &self,
        organisation: &OrganisationId,
        keep: &[ShardName],
    ) -> Result<(), StateStoreError> {
        remove_others(&self.path(organisation, "shards"), keep).map_err(KeysError::as_store)
    }

    fn lock_shared(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(self.guard(organisation, false).map_err(KeysError::as_store)?))
    }

    fn lock_exclusive(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(self.guard(organisation, true).map_err(KeysError::as_store)?))
    }

    fn lease(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.leases.take(organisation, version).map_err(KeysError::as_store)
    }

    fn leased_before(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<usize, StateStoreError> {
        self.leases.before(organisation, version).map_err(KeysError::as_store)
    }
}

/// A stored version and blob; `None` when there is none.
fn read_state(path: &Path) -> Result<Option<(StateVersion, Vec<u8>)>, KeysError> {
    present(again(|| {
        let bytes = file::read(path)?;
        let (version, blob) = parse(&bytes).ok_or(KeysError::Corrupt)?;
        Ok((version, blob.to_vec()))
    }))
}

/// The version alone, with its own checksum.
fn read_version(path: &Path) -> Result<Option<StateVersion>, KeysError> {
    present(again(|| {
        let head = file::read_head::<{ MAGIC.len() + VERSION_LEN + SUM_LEN }>(path)?;
        parse(&head).map(|(version, _)| version).ok_or(KeysError::Corrupt)
    }))
}

fn present<T>(read: Result<T, KeysError>) -> Result<Option<T>, KeysError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(KeysError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file that is replaced while it is read is overwritten, and looks damaged once.
fn again<T>(read: impl Fn() -> Result<T, KeysError>) -> Result<T, KeysError> {
    let mut result = read();
    for _ in 1..READS {
        if result.as_ref().err() != Some(&KeysError::Corrupt) {
            break;
        }
        result = read();
    }
    result
}

/// `magic (16) || generation (8) || revision (8) || first 8 bytes of SHA-256 of these`
fn header(version: StateVersion) -> Vec<u8> {
    let StateVersion { generation, revision } = version;
    let head = [MAGIC.as_slice(), &generation.to_be_bytes(), &revision.to_be_bytes()].concat();
    let sum: Vec<u8> = digest(&SHA256, &head).as_ref().iter().copied().take(SUM_LEN).collect();
    [head, sum].concat()
}

fn parse(bytes: &[u8]) -> Option<(StateVersion, &[u8])> {
    let (generation, rest) = bytes.strip_prefix(MAGIC.as_slice())?.split_first_chunk()?;
    let (revision, _) = rest.split_first_chunk()?;
    let version =
        StateVersion { generation: u64::from_be_bytes(*generation), revision: u64::from_be_bytes(*revision) };
    Some((version, bytes.strip_prefix(header(version).as_slice())?))
}

fn file_name(shard: &ShardName) -> String {
    shard.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shard_of(path: &Path) -> Option<ShardName> {
    let hex = path.file_name()?.to_str()?;
    let mut name = [0; 16];
    if hex.len() != 32 || !hex.is_ascii() {
        return None;
    }
    for (byte, digits) in name.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    let name = ShardName::from_bytes(name);
    // One spelling for each name.
    (file_name(&name) == hex).then_some(name)
}

/// The files of a folder that may be missing.
fn list(folder: &Path) -> Result<Vec<PathBuf>, KeysError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(KeysError::from_io(&error)),
    };
    let path = |entry: io::Result<fs::DirEntry>| match entry {
        Ok(entry) => Ok(entry.path()),
        Err(error) => Err(KeysError::from_io(&error)),
    };
    entries.map(path).collect()
}

fn remove_others(folder: &Path, keep: &[ShardName]) -> Result<(), KeysError> {
    for path in list(folder)? {
        if !shard_of(&path).is_some_and(|name| keep.contains(&name)) {
            fs::remove_file(path).map_err(|error| KeysError::from_io(&error))?;
        }
    }
    Ok(())
}
