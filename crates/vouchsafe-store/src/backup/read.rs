//! Reading a backup: every byte is accounted for before anything is believed.
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ring::digest;
use vouchsafe_ledger::merkle::{leaf_hash, node_hash};
use vouchsafe_ledger::{Note, VerifierKey};
use vouchsafe_types::Digest;

use super::frame::{self, Cell, failed};
use super::manifest::{self, Copied, MANIFEST, Manifest, TableFile, finished};
use super::tables::{TABLES, Table};
use super::{Backup, BackupError};

impl Backup {
    /// Opens a backup by its table of contents; every file of it has to be there.
    ///
    /// # Errors
    /// [`BackupError::Missing`], [`BackupError::Damaged`], [`BackupError::Newer`], [`BackupError::Older`],
    /// [`BackupError::Io`].
    pub fn open(folder: &Path) -> Result<Self, BackupError> {
        let mut bytes = Vec::new();
        let mut file = open(folder, MANIFEST, MANIFEST)?.take(manifest::MOST);
        file.read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        let manifest = Manifest::parse(&bytes)?;
        for table in TABLES {
            open(folder, &table.file(), table.name)?;
        }
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// What it holds.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads all of it: digests, order and number of the rows, and that the entries of each organisation give the root
    /// of its checkpoint.
    ///
    /// # Errors
    /// As [`Self::open`]; [`BackupError::RootDiffers`].
    pub fn verify(&self) -> Result<(), BackupError> {
        for (table, file) in TABLES.iter().zip(&self.manifest.tables) {
            if table.name != "entry" {
                self.rows(table, file, &mut |_| Ok(()))?;
                continue;
            }
            // What a damaged file says of a log is the file's finding.
            let (mut logs, mut taken) = (Logs::of(&self.manifest.organisations), Ok(()));
            self.rows(table, file, &mut |row| {
                if taken.is_ok() {
                    taken = logs.take(&row);
                }
                Ok(())
            })?;
            taken.and_then(|()| logs.end())?;
        }
        Ok(())
    }

    /// Whether the checkpoint of an organisation is signed with this key of its log.
    ///
    /// # Errors
    /// [`BackupError::NotSigned`] if it is not, [`BackupError::Damaged`] if there is no such organisation.
    pub fn verify_note(&self, organisation: &str, key: &VerifierKey) -> Result<(), BackupError> {
        let copied = self.manifest.organisations.iter().find(|copied| copied.id.as_str() == organisation);
        let Some(head) = copied.ok_or(BackupError::Damaged(MANIFEST))?.head.as_ref() else { return Ok(()) };
        let note = Note::parse(&head.note).map_err(|_| BackupError::NotSigned)?;
        note.verify(&[key]).map(drop).map_err(|_| BackupError::NotSigned)
    }

    /// Gives each row of a table in turn, and checks the file by the way.
    pub(super) fn rows(
        &self,
        table: &Table,
        file: &TableFile,
        each: &mut dyn FnMut(Vec<Cell>) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let opened = open(&self.folder, &table.file(), table.name)?;
        let mut reading = Hashing {
            inner: BufReader::with_capacity(1 << 16, opened),
            hash: digest::Context::new(&digest::SHA256),
            bytes: 0,
        };
        let (mut rows, mut last): (u64, Option<Vec<Cell>>) = (0, None);
        while let Some(row) = frame::decode(&mut reading, table.columns, table.name)? {
            if !self.follows(table, last.as_deref(), &row) {
                return Err(BackupError::Damaged(table.name));
            }
            last = Some(table.key_of(&row).to_vec());
            rows += 1;
            each(row)?;
        }
        let found = TableFile { rows, bytes: reading.bytes, digest: finished(reading.hash) };
        if found == *file { Ok(()) } else { Err(BackupError::Damaged(table.name)) }
    }

    /// Whether a row may come after the last key: there is one order, and no row is there twice.
    fn follows(&self, table: &Table, last: Option<&[Cell]>, row: &[Cell]) -> bool {
        let Some(organisation) = row.first().and_then(Cell::text) else { return false };
        let first = if table.numbered { Cell::Int(1) } else { Cell::Null };
        let next = match last {
            Some([of, Cell::Int(number), ..]) if of.text() == Some(organisation) => {
                number.checked_add(1).map_or(Cell::Null, Cell::Int)
            }
            _ => first,
        };
        self.manifest.has(organisation)
            && last.is_none_or(|last| last < table.key_of(row))
            && (!table.numbered || row.get(1) == Some(&next))
    }
}

/// Reads the rows of the table of that number, as its file holds them, and writes them again; for fuzzing.
///
/// # Errors
/// [`BackupError::Damaged`].
#[cfg(any(test, feature = "test-util"))]
pub fn rewrite_rows(table: u8, mut bytes: &[u8]) -> Result<Vec<u8>, BackupError> {
    let table = TABLES.get(usize::from(table)).ok_or(BackupError::Damaged("table"))?;
    let mut written = Vec::new();
    while let Some(row) = frame::decode(&mut bytes, table.columns, table.name)? {
        frame::encode(&row, &mut written).ok_or(BackupError::TooLong(table.name))?;
    }
    Ok(written)
}

/// Reads a manifest, and writes it again; for fuzzing.
///
/// # Errors
/// As [`Backup::open`].
#[cfg(any(test, feature = "test-util"))]
pub fn rewrite_manifest(bytes: &[u8]) -> Result<Vec<u8>, BackupError> {
    Manifest::parse(bytes)?.to_bytes()
}

fn open(folder: &Path, file: &str, name: &'static str) -> Result<File, BackupError> {
    File::open(folder.join(file)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => BackupError::Missing(name),
        _ => failed(&error),
    })
}

struct Hashing<R> {
    inner: R,
    hash: digest::Context,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Recomputes each log while its entries go by.
struct Logs<'a> {
    left: &'a [Copied],
    tree: Tree,
    /// Whether the tree had the root of the checkpoint at its size.
    is_met: bool,
}

impl<'a> Logs<'a> {
    fn of(organisations: &'a [Copied]) -> Self {
        let mut logs = Self { left: organisations, tree: Tree::default(), is_met: false };
        logs.look();
        logs
    }

    fn take(&mut self, row: &[Cell]) -> Result<(), BackupError> {
        let [organisation, Cell::Int(number), Cell::Blob(bytes), ..] = row else {
            return Err(BackupError::Damaged("entry"));
        };
        while self.left.first().is_some_and(|copied| Some(copied.id.as_str()) != organisation.text()) {
            self.next()?;
        }
        if u64::try_from(*number) != Ok(self.tree.size) {
            return Err(BackupError::Damaged("entry"));
        }
        self.tree.push(leaf_hash(bytes));
        self.look();
        Ok(())
    }

    /// Compares the root where the checkpoint has its size.
    fn look(&mut self) {
        let head = self.left.first().and_then(Copied::checkpoint);
        if let Some(head) = head.filter(|head| head.size() == self.tree.size) {
            self.is_met = self.tree.root() == *head.root();
        }
    }

    /// Ends the log of the first organisation that is left.
    fn next(&mut self) -> Result<(), BackupError> {
        let Some((copied, left)) = self.left.split_first() else { return Err(BackupError::Damaged("entry")) };
        if copied.entries != self.tree.size {
            return Err(BackupError::Damaged("entry"));
        }
        if copied.head.is_some() && !self.is_met {
            return Err(BackupError::RootDiffers);
        }
        (self.left, self.tree, self.is_met) = (left, Tree::default(), false);
        self.look();
        Ok(())
    }

    fn end(mut self) -> Result<(), BackupError> {
        while !self.left.is_empty() {
            self.next()?;
        }
        Ok(())
    }
}

/// The full subtrees of an RFC 6962 tree, the largest first.
#[derive(Default)]
struct Tree {
    size: u64,
    full: Vec<Digest>,
}

impl Tree {
    fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.full.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.full.push(hash);
        self.size += 1;
    }

    fn root(&self) -> Digest {
        let mut subtrees = self.full.iter().rev();
        let last = subtrees.next().copied();
        let root = last.map(|last| subtrees.fold(last, |right, left| node_hash(left, &right)));
        root.unwrap_or_else(|| vouchsafe_ledger::merkle::tree_hash(&[]))
    }
}
