//! Three equal databases of a size, for each engine.

use std::fs;
use std::sync::OnceLock;

use rusqlite::Connection;
use tempfile::TempDir;
use vouchsafe::{Scope, Timestamp};
use vouchsafe_benches::figures::{Result, folder};
use vouchsafe_store::test_util::{Database, Postgres};
use vouchsafe_store::{NoticeRow, PostgresStore, SqliteStore, Store, load_holdings, write};

use crate::acts::{NOTICE, Person, acme};
use crate::bare::{Bare, BarePostgres, BareSqlite};

/// An engine.
pub(crate) trait Stage {
    /// One whose statements are recorded, one that is timed, and one for the bare client.
    fn three(subjects: u64) -> Result<Three>;
}

/// The first two through the port, and the folder they lie in.
pub(crate) type Three = (Box<dyn Store>, Box<dyn Store>, Box<dyn Bare>, Option<TempDir>);

pub(crate) struct Sqlite;
pub(crate) struct Postgresql;

fn found(store: &dyn Store) -> Result<()> {
    let organisation = acme()?;
    let notice = NoticeRow {
        digest: NOTICE,
        id: "face".to_owned(),
        version: "1".to_owned(),
        locale: "en".to_owned(),
        shown: vec![1; 2_000],
        published_at: Timestamp::UNIX_EPOCH,
        effective_at: Timestamp::UNIX_EPOCH,
        material: true,
        attested_by: 1,
        terms: vec![1; 2_000],
        schedule: vec![1; 200],
    };
    Ok(write(store, &organisation, |rows| {
        rows.insert_organisation(&organisation, Timestamp::UNIX_EPOCH)?;
        rows.insert_notice(&organisation, &notice)
    })?)
}

/// A consent and an entry of the log for everybody, with bytes written as the engine writes them.
fn beside(literal: impl Fn(&str) -> String) -> String {
    format!(
        "INSERT INTO entry (organisation, number, bytes) SELECT organisation, leaf, {} FROM holding;
         INSERT INTO consent (organisation, subject, scope, sequence, status, notice, at, expires, entry, newest)
             SELECT organisation, subject, {}, 1, 1, {}, created_at, NULL, leaf, 1 FROM holding;",
        literal(&hexadecimal(&[9; 80])),
        literal(&hexadecimal(&Scope::FACE_VERIFICATION.code())),
        literal(&hexadecimal(NOTICE.as_bytes()))
    )
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Stage for Sqlite {
    fn three(subjects: u64) -> Result<Three> {
        let place = folder("store-cost")?;
        let file = |name: &str| place.path().join(name);
        found(&SqliteStore::open(&file("written"))?)?;
        let everybody = (0..subjects).map_while(|number| Person::of(number).enrolled().ok());
        load_holdings(&file("written"), &acme()?, everybody)?;
        let connection = Connection::open(file("written"))?;
        connection.execute_batch(&beside(|digits| format!("x'{digits}'")))?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        drop(connection);
        fs::copy(file("written"), file("timed"))?;
        fs::copy(file("written"), file("bare"))?;
        Ok((
            Box::new(SqliteStore::open(&file("written"))?),
            Box::new(SqliteStore::open(&file("timed"))?),
            Box::new(BareSqlite::open(&file("bare"))?),
            Some(place),
        ))
    }
}

impl Postgresql {
    /// Whether a server is installed.
    pub(crate) fn is_there() -> Result<bool> {
        Ok(Self::server()?.is_some())
    }

    /// One that waits for its disk.
    fn server() -> Result<Option<&'static Postgres>> {
        static SERVER: OnceLock<std::result::Result<Option<Postgres>, String>> = OnceLock::new();
        let started = SERVER.get_or_init(|| {
            Postgres::start(&[
                "fsync=on",
                "synchronous_commit=on",
                "shared_buffers=512MB",
                "max_wal_size=4GB",
            ])
            .map_err(|error| error.to_string())
        });
        Ok(started.as_ref().map_err(String::as_str)?.as_ref())
    }
}

impl Stage for Postgresql {
    fn three(subjects: u64) -> Result<Three> {
        let server = Self::server()?.ok_or("no server")?;
        let database = |made: Database<'static>| -> &'static Database<'static> { Box::leak(Box::new(made)) };
        let first = database(server.database().map_err(|error| error.to_string())?);
        let open = |database: &Database<'_>| -> Result<PostgresStore> {
            let config = database.service().map_err(|error| error.to_string())?;
            Ok(PostgresStore::open(&config, Timestamp::now())?)
        };
        found(&open(first)?)?;
        let everybody = (0..subjects).map_while(|number| Person::of(number).enrolled().ok());
        first.load_holdings(&acme()?, everybody).map_err(|error| error.to_string())?;
        let rows = beside(|digits| format!("'\\x{digits}'::bytea"));
        for statement in rows.split(';').filter(|statement| !statement.trim().is_empty()) {
            let sql = format!("SET session_replication_role = replica; {statement}");
            first.alter_patiently(&sql).map_err(|error| error.to_string())?;
        }
        first.settle().map_err(|error| error.to_string())?;
        let copy = || first.copy().map_err(|error| error.to_string());
        let (timed, bare) = (database(copy()?), database(copy()?));
        let port = server.port().map_err(|error| error.to_string())?;
        Ok((
            Box::new(open(first)?),
            Box::new(open(timed)?),
            Box::new(BarePostgres::connect(&bare.through(port))?),
            None,
        ))
    }
}
