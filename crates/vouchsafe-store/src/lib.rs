//! The storage port and its SQLite and PostgreSQL implementations.
//!
//! One transaction holds a change and the log entry that records it; its commit is the acknowledgement
//! (the outbox of the log). The rows know sealed bytes, pseudonyms and instants; they know no key, no name and no rule.
//!
//! | feature | store | for |
//! | --- | --- | --- |
//! | `sqlite` (default) | `SqliteStore` | one machine: a file, one writer whose callers share a commit |
//! | `postgres` | `PostgresStore` | many processes and machines: a server with row-level security |
//! | `test-util` | | tests: a conformance suite, a throw-away server, a fast loader; not semver stable |
//!
#![doc = include_str!("schema.md")]
#![forbid(unsafe_code)]

pub mod backup;
#[cfg(all(any(feature = "postgres", feature = "sqlite"), any(test, feature = "test-util")))]
pub mod conformance;
mod error;
mod inventory;
mod lock;
mod logs;
mod port;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(any(feature = "postgres", feature = "sqlite"), any(test, feature = "test-util")))]
pub mod recorded;
mod row;
#[cfg(test)]
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod schema;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(feature = "postgres", any(test, feature = "test-util")))]
pub mod test_util;
mod tiles;

pub use backup::{Backup, BackupError};
pub use error::StoreError;
pub use inventory::{Column, INVENTORY, inventory_table};
pub use lock::FolderLock;
pub use logs::FolderLogs;
pub use port::{
    DocumentRows, HoldingRows, LeaseRows, LifeRows, RetentionRows, Store, Transaction, read, write,
};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore, ServerReport};
pub use row::{
    ConsentRow, DocumentRow, EventRow, HoldRow, Holding, HoldingState, JobRow, KeyUsage, LeaseRow, MarkRow,
    NoticeRow, PayloadRow, RecordRow, ResidenceRow, RetentionRow, ServedRow, SubjectRow, TallyRow,
};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
#[cfg(all(feature = "sqlite", any(test, feature = "test-util")))]
pub use sqlite::load_holdings;
pub use tiles::{FolderTiles, Lease};
