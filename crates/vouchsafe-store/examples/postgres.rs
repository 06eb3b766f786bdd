//! What reads and commits cost on a throw-away PostgreSQL server, against the same statements of a bare client.
//!
//! `cargo run --release -p vouchsafe-store --features postgres,test-util --example postgres [stored] [rounds]`
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};
use vouchsafe_store::test_util::Postgres;
use vouchsafe_store::{PostgresStore, StoreError, read, write};
use vouchsafe_types::{LeafIndex, OrganisationId, Timestamp};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const HOLDING: &str = "SELECT leaf, class, subject, scope, state, created_at, created_entry, cause, changed_at, \
                       destroyed_entry, review_at FROM holding WHERE organisation = $1 AND leaf = $2";
const RECORD: &str = "SELECT id, leaf, model, dimension, sealed, key_version FROM record \
                      WHERE organisation = $1 AND leaf = $2";
const SET: &str = "SELECT set_config('vouchsafe.organisation', $1, true)";
const COUNT: &str = "SELECT number + 1 FROM entry WHERE organisation = $1 ORDER BY number DESC LIMIT 1";
const APPEND: &str = "INSERT INTO entry (organisation, number, bytes) VALUES ($1, $2, $3)";

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let stored: u32 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let rounds: u32 = arguments.next().map_or(Ok(2_000), |text| text.parse())?;
    let Some(server) = Postgres::start(&["fsync=on"])? else { return Ok(()) };
    let database = server.database()?;
    let acme = OrganisationId::parse("acme")?;
    let store = PostgresStore::open(&database.service()?, Timestamp::now())?;
    write(&store, &acme, |rows| rows.insert_organisation(&acme, Timestamp::UNIX_EPOCH))?;
    database.alter(&load(stored))?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut bare = runtime.block_on(connect(&database.through(server.port()?)))?;
    let leaf = |number: u32| i64::from(number.wrapping_mul(2_654_435_761) % stored);
    let mut out = io::stdout().lock();
    for _ in 0..3 {
        let pairs = timed(rounds, |number| {
            let leaf = LeafIndex::new(leaf(number).cast_unsigned())?;
            read(&store, &acme, |rows| match (rows.holding(&acme, leaf)?, rows.record(&acme, leaf)?) {
                (Some(_), Some(_)) => Ok(()),
                _ => Err(StoreError::Damaged),
            })?;
            Ok(())
        })?;
        let bare_pairs = timed(rounds, |number| runtime.block_on(bare_read(&mut bare, leaf(number))))?;
        let appends = timed(rounds, |_| {
            write(&store, &acme, |rows| rows.append_entry(&acme, &[7; 80]))?;
            Ok(())
        })?;
        let bare_appends = timed(rounds, |_| runtime.block_on(bare_append(&mut bare)))?;
        for (what, ours, theirs) in
            [("a pair of reads", pairs, bare_pairs), ("an append", appends, bare_appends)]
        {
            writeln!(
                out,
                "{what}: p50 {:.0} us, p99 {:.0} us; bare client: p50 {:.0} us, p99 {:.0} us; ratio {:.2}",
                ours.0,
                ours.1,
                theirs.0,
                theirs.1,
                ours.0 / theirs.0
            )?;
        }
    }
    Ok(())
}

/// The median and the 99th percentile, in microseconds.
fn timed(rounds: u32, mut act: impl FnMut(u32) -> Result<()>) -> Result<(f64, f64)> {
    let mut spans = (0..rounds)
        .map(|number| {
            let begun = Instant::now();
            act(number).map(|()| begun.elapsed())
        })
        .collect::<Result<Vec<Duration>>>()?;
    spans.sort_unstable();
    let at = |share: usize| spans.get(spans.len() * share / 100).map_or(0.0, |span| span.as_secs_f64() * 1e6);
    Ok((at(50), at(99)))
}

/// As many live holdings, each with its person and record.
fn load(stored: u32) -> String {
    format!(
        "SET session_replication_role = replica;
         INSERT INTO subject SELECT 'acme', sha256(n::text::bytea), 0, 0 FROM generate_series(0, {stored} - 1) n;
         INSERT INTO holding SELECT 'acme', n, 1, sha256(n::text::bytea), '\\x010101', 1, 0, NULL, NULL, NULL, NULL, n
             FROM generate_series(0, {stored} - 1) n;
         INSERT INTO record SELECT 'acme', substr(sha256(n::text::bytea), 1, 16), n, sha256('x'), 512,
                convert_to(repeat('x', 1024), 'UTF8'), 1
             FROM generate_series(0, {stored} - 1) n;
         ANALYZE;"
    )
}

async fn connect(text: &str) -> Result<Client> {
    let mut config: tokio_postgres::Config = text.parse()?;
    config.options("-c search_path=vouchsafe -c jit=off");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn bare_read(client: &mut Client, leaf: i64) -> Result<()> {
    let (set, holding, record) = prepared(client, [SET, HOLDING, RECORD]).await?;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    client.query_one(&set, &[&"acme"]).await?;
    client.query_one(&holding, &[&"acme", &leaf]).await?;
    client.query_one(&record, &[&"acme", &leaf]).await?;
    client.batch_execute("ROLLBACK").await?;
    Ok(())
}

async fn bare_append(client: &mut Client) -> Result<()> {
    let (set, count, append) = prepared(client, [SET, COUNT, APPEND]).await?;
    client.batch_execute("BEGIN").await?;
    client.query_one(&set, &[&"acme"]).await?;
    let number: i64 = client.query_opt(&count, &[&"acme"]).await?.map_or(Ok(0), |row| row.try_get(0))?;
    client.execute(&append, &[&"acme", &number, &[7_u8; 80].as_slice()]).await?;
    client.batch_execute("COMMIT").await?;
    Ok(())
}

/// Each text once for the process: there is one connection.
async fn prepared(
    client: &Client,
    texts: [&'static str; 3],
) -> Result<(tokio_postgres::Statement, tokio_postgres::Statement, tokio_postgres::Statement)> {
    use std::cell::RefCell;
    use std::collections::HashMap;
    thread_local! {
        static KNOWN: RefCell<HashMap<&'static str, tokio_postgres::Statement>> = RefCell::default();
    }
    let mut found = Vec::new();
    for text in texts {
        let known = KNOWN.with_borrow(|known| known.get(text).cloned());
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = client.prepare(text).await?;
                KNOWN.with_borrow_mut(|known| known.insert(text, statement.clone()));
                statement
            }
        };
        found.push(statement);
    }
    let mut found = found.into_iter();
    let mut next = || found.next().ok_or("three texts");
    Ok((next()?, next()?, next()?))
}
