//! The two clients without the port, with prepared statements and the durability of a deployment.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};
use tokio::runtime::Runtime;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};
use vouchsafe_benches::figures::Result;
use vouchsafe_store::recorded::{Bound, Statement};

/// Runs recorded transactions.
pub(crate) trait Bare {
    fn read(&mut self, statements: &[Statement]) -> Result<()>;
    fn write(&mut self, statements: &[Statement]) -> Result<()>;
}

pub(crate) struct BareSqlite(Connection);

impl BareSqlite {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(
            "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 8192; PRAGMA trusted_schema = OFF",
        )?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(Self(connection))
    }

    fn run(&mut self, how: TransactionBehavior, statements: &[Statement]) -> Result<()> {
        let transaction = self.0.transaction_with_behavior(how)?;
        for statement in statements {
            let mut prepared = transaction.prepare_cached(&statement.sql)?;
            for (at, value) in (1..).zip(&statement.values) {
                match value {
                    Bound::Null => prepared.raw_bind_parameter(at, Value::Null)?,
                    Bound::Int(value) => prepared.raw_bind_parameter(at, value)?,
                    Bound::Text(value) => prepared.raw_bind_parameter(at, value)?,
                    Bound::Blob(value) => prepared.raw_bind_parameter(at, value)?,
                }
            }
            if !statement.reads {
                prepared.raw_execute()?;
                continue;
            }
            let columns = prepared.column_count();
            let mut rows = prepared.raw_query();
            while let Some(row) = rows.next()? {
                for at in 0..columns {
                    black_box(row.get::<_, Value>(at)?);
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

impl Bare for BareSqlite {
    fn read(&mut self, statements: &[Statement]) -> Result<()> {
        self.run(TransactionBehavior::Deferred, statements)
    }

    fn write(&mut self, statements: &[Statement]) -> Result<()> {
        self.run(TransactionBehavior::Immediate, statements)
    }
}

pub(crate) struct BarePostgres {
    runtime: Runtime,
    client: Client,
    prepared: HashMap<String, tokio_postgres::Statement>,
}

const SET: &str = "SELECT set_config('vouchsafe.organisation', $1, true)";
const TURN: &str = "SELECT pg_advisory_xact_lock(7, 7)";

impl BarePostgres {
    pub(crate) fn connect(text: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(async {
            let mut config: tokio_postgres::Config = text.parse()?;
            config.options("-c search_path=vouchsafe -c jit=off -c synchronous_commit=on");
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self { runtime, client, prepared: HashMap::new() })
    }

    fn run(&mut self, begin: &str, first: &[&str], statements: &[Statement], end: &str) -> Result<()> {
        let Self { runtime, client, prepared } = self;
        runtime.block_on(async {
            client.batch_execute(begin).await?;
            for text in first {
                let values: &[&(dyn ToSql + Sync)] = if text.contains("$1") { &[&"acme"] } else { &[] };
                client.query_one(&known(client, prepared, text).await?, values).await?;
            }
            for statement in statements {
                let known = known(client, prepared, &statement.sql).await?;
                let values = statement.values.iter().map(Parameter).collect::<Vec<_>>();
                let values = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect::<Vec<_>>();
                if statement.reads {
                    black_box(client.query(&known, &values).await?);
                } else {
                    client.execute(&known, &values).await?;
                }
            }
            Ok(client.batch_execute(end).await?)
        })
    }
}

async fn known(
    client: &Client,
    prepared: &mut HashMap<String, tokio_postgres::Statement>,
    text: &str,
) -> Result<tokio_postgres::Statement> {
    if let Some(known) = prepared.get(text) {
        return Ok(known.clone());
    }
    let statement = client.prepare(&text.replace('?', "$")).await?;
    prepared.insert(text.to_owned(), statement.clone());
    Ok(statement)
}

impl Bare for BarePostgres {
    fn read(&mut self, statements: &[Statement]) -> Result<()> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &[SET], statements, "COMMIT")
    }

    fn write(&mut self, statements: &[Statement]) -> Result<()> {
        self.run("BEGIN", &[SET, TURN], statements, "COMMIT")
    }
}

/// A value in the type that the server wants.
#[derive(Debug)]
struct Parameter<'a>(&'a Bound);

impl ToSql for Parameter<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self.0, of) {
            (Bound::Null, _) => Ok(IsNull::Yes),
            (Bound::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(of, out),
            (Bound::Int(value), _) => value.to_sql(of, out),
            (Bound::Text(value), _) => value.to_sql(of, out),
            (Bound::Blob(value), _) => value.to_sql(of, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
