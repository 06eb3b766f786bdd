//! The storage port and its SQLite and PostgreSQL implementations.
//!
//! One transaction holds a change and the log entry that records it; its commit is the acknowledgement
//! (the outbox of the log). Callers that write at the same time share one commit, whatever their organisations. The rows know sealed bytes, pseudonyms and instants; they know no key, no name and
//! no rule. [`INVENTORY`] lists every stored column with its data class and purpose.
#![forbid(unsafe_code)]

#[cfg(all(any(feature = "postgres", feature = "sqlite"), any(test, feature = "test-util")))]
pub mod conformance;
mod error;
mod inventory;
mod lock;
mod port;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(feature = "postgres", any(test, feature = "test-util")))]
pub mod test_util;
mod tiles;

pub use error::StoreError;
pub use inventory::{Column, INVENTORY, inventory_table};
pub use lock::FolderLock;
pub use port::{DocumentRows, HoldingRows, LifeRows, RetentionRows, Store, Transaction, read, write};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore};
pub use row::{
    ConsentRow, DocumentRow, EventRow, HoldRow, Holding, HoldingState, JobRow, KeyUsage, MarkRow, NoticeRow,
    PayloadRow, RecordRow, ResidenceRow, RetentionRow, ServedRow, SubjectRow, TallyRow,
};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
#[cfg(all(feature = "sqlite", any(test, feature = "test-util")))]
pub use sqlite::load_holdings;
pub use tiles::{FolderTiles, Lease};
