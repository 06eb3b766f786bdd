//! Filling an empty database from a backup.
use vouchsafe_types::{OrganisationId, Timestamp};

use super::frame::Cell;
use super::tables::{TABLES, Table};
use super::{Backup, BackupError, RECOVERY};
use crate::StoreError;
use crate::sql::{Engine, Value};

/// A database that is being restored: its own mark keeps everybody else out until it is whole.
pub(crate) trait Target {
    /// Runs the closure in a transaction of one organisation that commits before it returns.
    fn batch(
        &self,
        organisation: &OrganisationId,
        act: &mut dyn FnMut(&dyn Engine) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// How many rows one transaction holds.
const BATCH: usize = 2048;
/// How many values one statement takes, and how many bytes a batch gathers.
const MOST_VALUES: usize = 512;
const MOST_BYTES: usize = 8 << 20;

impl Backup {
    /// Writes every row, then leaves each organisation to its recovery. The backup was verified before.
    pub(crate) fn fill(&self, target: &dyn Target, at: Timestamp) -> Result<(), BackupError> {
        for (table, file) in TABLES.iter().zip(&self.manifest.tables) {
            let mut batch = Batch { table, target, organisation: None, rows: Vec::new(), bytes: 0 };
            self.rows(table, file, &mut |row| batch.add(row))?;
            batch.flush()?;
        }
        self.leave_to_recovery(target, at)
    }

    fn leave_to_recovery(&self, target: &dyn Target, at: Timestamp) -> Result<(), BackupError> {
        let digest = self.manifest.digest()?;
        let Some(id) = digest.as_bytes().first_chunk::<16>() else { return Ok(()) };
        let at = Value::Int(at.as_microsecond());
        for copied in &self.manifest.organisations {
            let values = [
                Value::Text(copied.id.as_str()),
                Value::Blob(id),
                Value::Int(RECOVERY.into()),
                Value::Blob(b"{\"v\":1}"),
                at,
            ];
            let sql = "INSERT INTO job (organisation, id, kind, subject, state, created_at, run_at, attempts, \
                       lease_until, fence, finished_at) \
                       VALUES (?1, ?2, ?3, NULL, ?4, ?5, ?5, 0, NULL, 0, NULL)";
            target.batch(&copied.id, &mut |engine| engine.execute(sql, &values).map(drop))?;
        }
        Ok(())
    }
}

/// Rows of one table and one organisation that are written together.
struct Batch<'a> {
    table: &'a Table,
    target: &'a dyn Target,
    organisation: Option<OrganisationId>,
    rows: Vec<Vec<Cell>>,
    bytes: usize,
}

impl Batch<'_> {
    fn add(&mut self, row: Vec<Cell>) -> Result<(), BackupError> {
        let own = self.organisation.as_ref().map(OrganisationId::as_str);
        let of = row.first().and_then(Cell::text).ok_or(BackupError::Damaged(self.table.name))?;
        if own != Some(of) {
            let of = OrganisationId::parse(of).map_err(|_| BackupError::Damaged(self.table.name))?;
            self.flush()?;
            self.organisation = Some(of);
        }
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() >= BATCH || self.bytes >= MOST_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), BackupError> {
        let (table, rows) = (self.table, std::mem::take(&mut self.rows));
        self.bytes = 0;
        let Some(organisation) = self.organisation.as_ref().filter(|_| !rows.is_empty()) else {
            return Ok(());
        };
        let most = (MOST_VALUES / table.columns.len()).max(1);
        let whole = table.insert(most);
        let written = self.target.batch(organisation, &mut |engine| {
            for chunk in rows.chunks(most) {
                let values: Vec<_> = chunk.iter().flat_map(|row| table.values(row)).collect();
                if chunk.len() == most {
                    engine.execute(&whole, &values)?;
                } else {
                    engine.execute(&table.insert(chunk.len()), &values)?;
                }
            }
            Ok(())
        });
        // A row that contradicts another one, or lacks what it refers to, was not written by this program.
        written.map_err(|error| match error {
            StoreError::Conflict | StoreError::Damaged => BackupError::Damaged(table.name),
            error => error.into(),
        })
    }
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Null | Cell::Int(_) => 8,
        Cell::Text(text) => text.len(),
        Cell::Blob(bytes) => bytes.len(),
    }
}
