use std::collections::HashMap;
use std::fs::{DirBuilder, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Mutex;

use ring::digest::{SHA256, digest};
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{FenceRecords, FenceStore};
use vouchsafe_types::OrganisationId;

use crate::{KeysError, file};

/// Fence journals as files of one folder: `<organisation>.fences`, mode 0600, only ever appended to.
///
/// ```text
/// file  = "vouchsafe fence\x01" || frame*
/// frame = length of record (4) || first 8 bytes of SHA-256(record) || record
/// ```
///
/// The folder belongs on another disk or machine than the database, the states and the keys, so that no restore
/// of those replaces it. It holds no key and no personal data.
#[derive(Debug)]
pub struct FolderFences {
    folder: PathBuf,
    /// Where each journal is known to end, so that an append need not read it all.
    ends: Mutex<HashMap<OrganisationId, u64>>,
}

const MAGIC: &[u8; 16] = b"vouchsafe fence\x01";
const SUM_LEN: usize = 8;
const FRAME_LEN: usize = 4 + SUM_LEN;
/// The longest record, in bytes.
const MAX_RECORD: usize = 1 << 20;

impl FolderFences {
    /// Opens the folder; makes it, mode 0700, if it is missing.
    ///
    /// # Errors
    /// [`KeysError::Missing`] for a missing parent; [`KeysError::NotPlain`] for a link or a file;
    /// [`KeysError::TooOpen`] when it belongs to another user or others can write to it.
    pub fn at(folder: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let folder = folder.into();
        match DirBuilder::new().mode(0o700).create(&folder).map_err(|error| KeysError::from_io(&error)) {
            Ok(()) | Err(KeysError::Exists) => {}
            Err(error) => return Err(error),
        }
        file::check_folder(&folder)?;
        Ok(Self { folder, ends: Mutex::default() })
    }

    fn path(&self, organisation: &OrganisationId) -> PathBuf {
        self.folder.join(format!("{}.fences", organisation.as_str()))
    }

    fn read_from(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, KeysError> {
        let mut journal = match file::open(&self.path(organisation), false) {
            Ok(journal) => journal,
            Err(KeysError::Missing) if from == 0 => {
                return Ok(FenceRecords { records: Vec::new(), end: 0, damaged: false });
            }
            Err(KeysError::Missing) => return Err(KeysError::Corrupt),
            Err(error) => return Err(error),
        };
        let Some(bytes) = read_tail(&mut journal, from)? else {
            // A crash while the journal was begun: nothing was acknowledged.
            return Ok(FenceRecords { records: Vec::new(), end: 0, damaged: false });
        };
        let (records, len, damaged) = parse(&bytes);
        let end = from.max(MAGIC.len() as u64) + len;
        if !damaged {
            self.remember(organisation, end);
        }
        Ok(FenceRecords { records, end, damaged })
    }

    fn append_record(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, KeysError> {
        if record.len() > MAX_RECORD {
            return Err(KeysError::Corrupt);
        }
        let end = self.end(organisation)?;
        let path = self.path(organisation);
        let mut journal = file::open_lock(&path)?;
        let mut frame = Vec::with_capacity(MAGIC.len() + FRAME_LEN + record.len());
        if end == 0 {
            frame.extend_from_slice(MAGIC);
        }
        frame.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(&sum(record));
        frame.extend_from_slice(record);
        let write = |journal: &mut File| {
            journal.set_len(end)?;
            journal.seek(SeekFrom::Start(end))?;
            journal.write_all(&frame)?;
            journal.sync_all()
        };
        write(&mut journal).map_err(|error| {
            // What was written of it is cut off again, now or at the next append.
            let _ = journal.set_len(end);
            KeysError::from_io(&error)
        })?;
        if end == 0 {
            file::sync_folder(&path)?;
        }
        let end = end + frame.len() as u64;
        self.remember(organisation, end);
        Ok(end)
    }

    /// Where the whole records end; what lies behind was never acknowledged.
    fn end(&self, organisation: &OrganisationId) -> Result<u64, KeysError> {
        let known =
            self.ends.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(organisation).copied();
        let len = match file::open(&self.path(organisation), false) {
            Ok(journal) => journal.metadata().map_err(|error| KeysError::from_io(&error))?.len(),
            Err(KeysError::Missing) => 0,
            Err(error) => return Err(error),
        };
        match known {
            Some(end) if end == len => Ok(end),
            _ => {
                let read = self.read_from(organisation, 0)?;
                // What lies behind damage is not overwritten.
                if read.damaged { Err(KeysError::Corrupt) } else { Ok(read.end) }
            }
        }
    }

    fn remember(&self, organisation: &OrganisationId, end: u64) {
        self.ends.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(organisation.clone(), end);
    }

    fn rename(&self, organisation: &OrganisationId) -> Result<(), KeysError> {
        let path = self.path(organisation);
        self.ends.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).remove(organisation);
        if !file::exists(&path)? {
            return Ok(());
        }
        for number in 1..=u32::MAX {
            let aside = file::beside(&path, &format!(".lost-{number}"));
            if !file::exists(&aside)? {
                std::fs::rename(&path, aside).map_err(|error| KeysError::from_io(&error))?;
                return file::sync_folder(&path);
            }
        }
        Err(KeysError::Exists)
    }
}

impl FenceStore for FolderFences {
    fn read(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError> {
        self.read_from(organisation, from).map_err(KeysError::as_store)
    }

    fn append(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError> {
        self.append_record(organisation, record).map_err(KeysError::as_store)
    }

    fn set_aside(&self, organisation: &OrganisationId) -> Result<(), StateStoreError> {
        self.rename(organisation).map_err(KeysError::as_store)
    }
}

/// The bytes from a place on, behind the magic; `None` for a journal that was not begun whole.
fn read_tail(journal: &mut File, from: u64) -> Result<Option<Vec<u8>>, KeysError> {
    let io = |error: std::io::Error| KeysError::from_io(&error);
    let len = journal.metadata().map_err(io)?.len();
    let mut magic = [0; MAGIC.len()];
    if len < MAGIC.len() as u64 {
        return if from == 0 { Ok(None) } else { Err(KeysError::Corrupt) };
    }
    journal.read_exact(&mut magic).map_err(io)?;
    if magic != *MAGIC || len < from {
        return Err(KeysError::Corrupt);
    }
    journal.seek(SeekFrom::Start(from.max(MAGIC.len() as u64))).map_err(io)?;
    let mut bytes = Vec::new();
    journal.read_to_end(&mut bytes).map_err(io)?;
    Ok(Some(bytes))
}

/// The whole frames, their length, and whether a damaged frame follows that is not the last one.
fn parse(bytes: &[u8]) -> (Vec<Vec<u8>>, u64, bool) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((record, after)) = next_frame(rest) {
        if sum(record.1) != record.0 {
            return done(records, bytes, rest, !after.is_empty());
        }
        records.push(record.1.to_vec());
        rest = after;
    }
    done(records, bytes, rest, false)
}

fn done(records: Vec<Vec<u8>>, bytes: &[u8], rest: &[u8], damaged: bool) -> (Vec<Vec<u8>>, u64, bool) {
    let len = bytes.len() - rest.len();
    (records, u64::try_from(len).unwrap_or(u64::MAX), damaged)
}

type Frame<'a> = (([u8; SUM_LEN], &'a [u8]), &'a [u8]);

/// The first frame and what follows; `None` when it is cut short.
fn next_frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (record, after) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    Some(((*sum, record), after))
}

fn sum(record: &[u8]) -> [u8; SUM_LEN] {
    let mut out = [0; SUM_LEN];
    out.iter_mut().zip(digest(&SHA256, record).as_ref()).for_each(|(to, from)| *to = *from);
    out
}
