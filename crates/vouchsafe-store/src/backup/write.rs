//! Taking a backup.
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ring::digest;
use vouchsafe_types::OrganisationId;

use super::frame::{self, Cell, failed};
use super::manifest::{Copied, Head, MANIFEST, Manifest, TableFile, finished};
use super::tables::{TABLES, Table};
use super::{Backup, BackupError, Copying};
use crate::sql::Value;
use crate::tiles::sync_folder;
use crate::{Store, StoreError};

impl Backup {
    /// Copies every row of a store into a folder that is not there yet; the store serves meanwhile.
    ///
    /// `note` gives the newest published checkpoint of an organisation, signed; it is asked for before the snapshot is
    /// taken, so that the rows cover it. The folder gets its name last: one that bears it is complete.
    ///
    /// # Errors
    /// [`BackupError::Exists`], [`BackupError::Io`], [`BackupError::Store`]; [`BackupError::RootDiffers`] when the rows
    /// lack entries that were published; whatever `note` returns. Nothing is left then.
    pub fn take(
        store: &dyn Store,
        folder: &Path,
        at: Timestamp,
        note: &mut dyn FnMut(&OrganisationId) -> Result<Option<String>, BackupError>,
    ) -> Result<Self, BackupError> {
        let mut heads = Vec::new();
        for id in store.organisations()? {
            let head = match note(&id)? {
                Some(note) => Some(Head::of(note).ok_or(BackupError::NotSigned)?),
                None => None,
            };
            heads.push((id, head));
        }
        let part = Part::make(folder)?;
        let mut done = None;
        store
            .copy_with(&mut |copying| {
                done = Some(copy(copying, &part.path, at, &heads));
                match &done {
                    Some(Err(BackupError::Store(error))) => Err(*error),
                    Some(Err(_)) => Err(StoreError::Aborted),
                    _ => Ok(()),
                }
            })
            .or_else(|error| if matches!(done, Some(Err(_))) { Ok(()) } else { Err(error) })?;
        let manifest = done.ok_or(StoreError::Aborted)??;
        part.finish(folder, &manifest)?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }
}

/// The folder while it is being written; it goes, unless it was finished.
struct Part {
    path: PathBuf,
    is_finished: bool,
}

impl Part {
    fn make(folder: &Path) -> Result<Self, BackupError> {
        if fs::symlink_metadata(folder).is_ok() {
            return Err(BackupError::Exists);
        }
        let mut path = folder.as_os_str().to_owned();
        path.push(format!(".{}.part", std::process::id()));
        let path = PathBuf::from(path);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists,
            kind => BackupError::Io(kind),
        })?;
        Ok(Self { path, is_finished: false })
    }

    fn finish(mut self, folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
        let mut file = create(&self.path.join(MANIFEST))?;
        file.write_all(&manifest.to_bytes()?).map_err(|error| failed(&error))?;
        file.sync_all().map_err(|error| failed(&error))?;
        sync_folder(&self.path).map_err(|error| failed(&error))?;
        if fs::symlink_metadata(folder).is_ok() {
            return Err(BackupError::Exists);
        }
        fs::rename(&self.path, folder).map_err(|error| failed(&error))?;
        self.is_finished = true;
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_folder(parent.unwrap_or(Path::new("."))).map_err(|error| failed(&error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_finished {
            // One that stays is in nobody's way, and is no backup.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn create(path: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| failed(&error))
}

fn copy(
    copying: &Copying<'_>,
    folder: &Path,
    at: Timestamp,
    heads: &[(OrganisationId, Option<Head>)],
) -> Result<Manifest, BackupError> {
    let ids = copying.organisations()?;
    let mut organisations = Vec::with_capacity(ids.len());
    for id in &ids {
        let head = heads.iter().find(|(of, _)| of == id).and_then(|(_, head)| head.clone());
        organisations.push(Copied { id: id.clone(), entries: 0, head });
    }
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut file = Writing::begin(folder, table)?;
        for copied in &mut organisations {
            copying.enter(&copied.id)?;
            let rows = rows(copying, table, &copied.id, &mut file)?;
            if table.name == "entry" {
                copied.entries = rows;
            }
        }
        tables.push(file.end()?);
    }
    let lacks = |copied: &Copied| copied.checkpoint().is_some_and(|head| head.size() > copied.entries);
    if organisations.iter().any(lacks) {
        return Err(BackupError::RootDiffers);
    }
    Ok(Manifest { engine: copying.engine_name().to_owned(), at, organisations, tables })
}

/// Copies the rows of one organisation, a page at a time; gives their number.
fn rows(
    copying: &Copying<'_>,
    table: &Table,
    organisation: &OrganisationId,
    file: &mut Writing<'_>,
) -> Result<u64, BackupError> {
    let (mut last, mut count): (Vec<Cell>, u64) = (Vec::new(), 0);
    loop {
        let mut values = vec![Value::Text(organisation.as_str())];
        values.extend(last.iter().map(Cell::value));
        let (mut found, mut wrong) = (0, None);
        let mut key = Vec::new();
        copying
            .engine
            .query(&table.select(last.is_empty()), &values, &mut |columns| {
                let mut row = table.read(columns)?;
                found += 1;
                key = table.key_of(&row).get(1..).unwrap_or_default().to_vec();
                if table.numbered
                    && let Some(number) = row.get_mut(1)
                {
                    *number = Cell::Int(i64::try_from(count).unwrap_or(i64::MAX) + found as i64);
                }
                if let Err(error) = file.add(&row) {
                    wrong = Some(error);
                    return Err(StoreError::Aborted);
                }
                Ok(())
            })
            .or_else(|error| if wrong.is_some() { Ok(()) } else { Err(error) })?;
        if let Some(error) = wrong {
            return Err(error);
        }
        count += found as u64;
        last = key;
        if !table.is_full(found) {
            return Ok(count);
        }
    }
}

/// The file of a table while it is being written.
struct Writing<'a> {
    table: &'a Table,
    file: BufWriter<File>,
    hash: digest::Context,
    frame: Vec<u8>,
    rows: u64,
    bytes: u64,
}

impl<'a> Writing<'a> {
    fn begin(folder: &Path, table: &'a Table) -> Result<Self, BackupError> {
        let file = BufWriter::with_capacity(1 << 16, create(&folder.join(table.file()))?);
        let hash = digest::Context::new(&digest::SHA256);
        Ok(Self { table, file, hash, frame: Vec::new(), rows: 0, bytes: 0 })
    }

    fn add(&mut self, row: &[Cell]) -> Result<(), BackupError> {
        self.frame.clear();
        frame::encode(row, &mut self.frame).ok_or(BackupError::TooLong(self.table.name))?;
        self.hash.update(&self.frame);
        self.rows += 1;
        self.bytes += self.frame.len() as u64;
        self.file.write_all(&self.frame).map_err(|error| failed(&error))
    }

    fn end(mut self) -> Result<TableFile, BackupError> {
        self.file.flush().map_err(|error| failed(&error))?;
        self.file.get_ref().sync_all().map_err(|error| failed(&error))?;
        Ok(TableFile { rows: self.rows, bytes: self.bytes, digest: finished(self.hash) })
    }
}
