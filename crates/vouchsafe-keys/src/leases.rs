//! Who holds a state unsealed: one empty file for each lease, and for each holder one locked file that tells
//! whether it is alive. A process that ends, however it ends, gives up the lock and with it its leases.
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vouchsafe_envelope::port::{StateGuard, StateVersion};
use vouchsafe_types::{Entropy, OrganisationId};

use crate::{KeysError, OsEntropy, file};

/// The leases of one folder, as one holder sees them.
#[derive(Debug)]
pub(crate) struct Leases {
    folder: PathBuf,
    holder: Mutex<Option<Holder>>,
    next: AtomicU64,
}

/// No state is held for longer.
const LONGEST: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A random name, and the lock that shows that it is alive.
#[derive(Debug)]
struct Holder {
    name: String,
    alive: File,
}

/// One lease; dropping it removes its file.
struct Lease(PathBuf);

impl StateGuard for Lease {}

impl Drop for Lease {
    fn drop(&mut self) {
        // A file that stays counts until this process ends: the safe side.
        let _ = fs::remove_file(&self.0);
    }
}

impl Leases {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, holder: Mutex::new(None), next: AtomicU64::new(0) }
    }

    pub(crate) fn take(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<Box<dyn StateGuard>, KeysError> {
        let holder = self.holder()?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let StateVersion { generation, revision } = version;
        let folder = self.folder.join(organisation.as_str());
        make_folder(&folder)?;
        let path = folder.join(format!("{holder}.{number}.{generation}.{revision}"));
        file::open_lock(&path)?;
        Ok(Box::new(Lease(path)))
    }

    /// How many live leases there are before this version; those of dead holders are removed.
    pub(crate) fn before(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<usize, KeysError> {
        let names = match fs::read_dir(self.folder.join(organisation.as_str())) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(KeysError::from_io(&error)),
        };
        let mut live = 0;
        for entry in names {
            let entry = entry.map_err(|error| KeysError::from_io(&error))?;
            let name = entry.file_name();
            let Some((holder, leased)) = name.to_str().and_then(parse) else { continue };
            if leased >= version {
                continue;
            }
            match self.is_alive(holder)? {
                Some(false) => drop(fs::remove_file(entry.path())),
                // A file that was cleared away says nothing, so the lease counts for as long as it may.
                None if !is_young(&entry) => drop(fs::remove_file(entry.path())),
                Some(true) | None => live += 1,
            }
        }
        Ok(live)
    }

    fn alive_path(&self, holder: &str) -> PathBuf {
        self.folder.join(format!(".{holder}"))
    }

    /// Whether a holder is alive; `None` when its file is gone.
    fn is_alive(&self, holder: &str) -> Result<Option<bool>, KeysError> {
        let own = self.holder.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if own.as_ref().is_some_and(|own| own.name == holder) {
            return Ok(Some(true));
        }
        drop(own);
        let alive = match file::open(&self.alive_path(holder), true) {
            Ok(alive) => alive,
            Err(KeysError::Missing) => return Ok(None),
            Err(error) => return Err(error),
        };
        match alive.try_lock() {
            Ok(()) => Ok(Some(false)),
            Err(TryLockError::WouldBlock) => Ok(Some(true)),
            Err(TryLockError::Error(error)) => Err(KeysError::from_io(&error)),
        }
    }

    fn holder(&self) -> Result<String, KeysError> {
        let mut holder = self.holder.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // A holder whose file was removed looks dead to others; the next lease is taken under a new name.
        if let Some(holder) = holder.as_ref().filter(|holder| is_linked(&holder.alive)) {
            return Ok(holder.name.clone());
        }
        let mut random = [0; 8];
        OsEntropy::new().fill(&mut random).map_err(|_| KeysError::Unavailable)?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        make_folder(&self.folder)?;
        self.clear_old_holders();
        let alive = file::open_lock(&self.alive_path(&name))?;
        alive.try_lock().map_err(|_| KeysError::Unavailable)?;
        *holder = Some(Holder { name: name.clone(), alive });
        Ok(name)
    }

    /// Removes what processes left that ended a day ago or earlier.
    fn clear_old_holders(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let is_holder = entry.file_name().to_str().is_some_and(|name| name.starts_with('.'));
            if is_holder
                && age(&entry).is_some_and(|age| age > DAY)
                && file::open(&entry.path(), true).is_ok_and(|alive| alive.try_lock().is_ok())
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn is_linked(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

/// Whether a lease is so young that its holder may still hold the state.
fn is_young(lease: &fs::DirEntry) -> bool {
    age(lease).is_none_or(|age| age < LONGEST)
}

/// How long ago a file was written; `None` when it is gone or the clock was set back.
fn age(entry: &fs::DirEntry) -> Option<Duration> {
    entry.metadata().ok()?.modified().ok()?.elapsed().ok()
}

fn make_folder(folder: &Path) -> Result<(), KeysError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(KeysError::from_io(&error)),
        _ => Ok(()),
    }
}

/// `<holder>.<number>.<generation>.<revision>`
fn parse(name: &str) -> Option<(&str, StateVersion)> {
    let mut parts = name.split('.');
    let (holder, _number) = (parts.next()?, parts.next()?);
    let (generation, revision) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next().is_none() && !holder.is_empty()).then_some((holder, StateVersion { generation, revision }))
}
