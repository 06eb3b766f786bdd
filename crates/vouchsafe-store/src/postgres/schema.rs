//! The schema: made by a role that owns it, checked by the one that serves.
use ring::digest;
use tokio_postgres::Client;
use vouchsafe_types::Digest;

use super::error;
use crate::StoreError;

/// Migrations, oldest first, each after the version it makes. The first one makes the logical schema that SQLite's
/// version of the same number has.
const MIGRATIONS: &[(u32, &str)] = &[
    (5, include_str!("schema-5.sql")),
    (7, include_str!("schema-7.sql")),
    (NEWEST, include_str!("schema-8.sql")),
];
pub(crate) const NEWEST: u32 = 8;

/// SHA-256 of what [`INSPECT`] finds in the newest schema.
const MADE: &str = "1a99bd86a39bf45d7ce080d40c9d839430c0469f1c478838ff588a5cfd169a19";

/// What is in the schema, a line each: tables, columns, constraints, indexes, policies, triggers, functions.
const INSPECT: &str = include_str!("inspect.sql");

/// What the comment of the schema begins with; the version follows.
const NAME: &str = "vouchsafe ";

/// What follows the version while the rows of a backup are being written.
const RESTORING: &str = " restoring";

/// What the comment of the schema says of the rows.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Restoring,
    Whole,
}

/// What the role that serves may do to each table. Entries of the log, and what was shown, are never changed.
const GRANTS: &[(&str, &str)] = &[
    ("SELECT, INSERT", "organisation, notice, entry, public_payload"),
    ("SELECT, INSERT, UPDATE", "holding_tally, lease, retention"),
    ("SELECT, INSERT, DELETE", "subject_mark"),
    (
        "SELECT, INSERT, UPDATE, DELETE",
        "subject, consent, served, life_event, residence, holding, record, payload, document, legal_hold, job",
    ),
];

/// Refuses a role without row-level security and a schema that is not the one this program knows.
pub(super) async fn check(client: &Client) -> Result<(), StoreError> {
    let sql = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    if one(client, sql).await? {
        return Err(StoreError::RowSecurityOff);
    }
    match version(client).await? {
        Some(version) if version > NEWEST => return Err(StoreError::NewerSchema),
        Some(NEWEST) => {}
        _ => return Err(StoreError::OlderSchema),
    }
    // Whoever owns a table, or may become its owner, can switch its policies off.
    let sql = "SELECT coalesce(bool_and(row_security_active(oid) \
               AND NOT pg_has_role(current_user, relowner, 'MEMBER')), false) \
               FROM pg_class WHERE relnamespace = 'vouchsafe'::regnamespace AND relkind IN ('r', 'p')";
    if !one::<bool>(client, sql).await? {
        return Err(StoreError::RowSecurityOff);
    }
    is_as_made(client).await
}

/// Refuses a schema that is not the newest one as it was made; the owner restores into no other.
pub(super) async fn check_as_owner(client: &Client) -> Result<(), StoreError> {
    match version(client).await? {
        Some(version) if version > NEWEST => Err(StoreError::NewerSchema),
        Some(NEWEST) => is_as_made(client).await,
        _ => Err(StoreError::OlderSchema),
    }
}

/// The version, and whether the schema can be used, whoever asks.
pub(super) async fn examine(client: &Client) -> (Option<u32>, Result<(), StoreError>) {
    match version(client).await {
        Ok(None) => (None, Err(StoreError::OlderSchema)),
        Ok(Some(found)) => (Some(found), check_as_owner(client).await),
        Err(error) => (None, Err(error)),
    }
}

/// Marks the schema as being restored, or as whole; only its owner can.
pub(super) async fn mark(client: &Client, mark: Mark) -> Result<(), StoreError> {
    let state = match mark {
        Mark::Restoring => RESTORING,
        Mark::Whole => "",
    };
    run(client, &format!("COMMENT ON SCHEMA vouchsafe IS '{NAME}{NEWEST}{state}'")).await
}

pub(super) async fn migrate(client: &Client, service_role: &str) -> Result<(), StoreError> {
    // One process at a time; the lock ends with the transaction.
    run(client, "BEGIN; SELECT pg_advisory_xact_lock(x'76636830'::int, 0)").await?;
    let done = match bring_forward(client).await {
        Ok(()) => grant(client, service_role).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => run(client, "COMMIT").await,
        Err(error) => {
            run(client, "ROLLBACK").await?;
            Err(error)
        }
    }
}

async fn bring_forward(client: &Client) -> Result<(), StoreError> {
    let from = match version(client).await? {
        Some(version) if version > NEWEST => return Err(StoreError::NewerSchema),
        Some(version) => version,
        None => {
            run(client, "CREATE SCHEMA vouchsafe").await?;
            0
        }
    };
    for (version, step) in MIGRATIONS.iter().filter(|(version, _)| *version > from) {
        run(client, step).await?;
        run(client, &format!("COMMENT ON SCHEMA vouchsafe IS '{NAME}{version}'")).await?;
    }
    is_as_made(client).await
}

async fn grant(client: &Client, service_role: &str) -> Result<(), StoreError> {
    let sql = "SELECT pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = $1";
    let row = client.query_opt(sql, &[&service_role]).await.map_err(error::statement)?;
    let is_owner: bool = row.ok_or(StoreError::Denied)?.try_get(0).map_err(error::statement)?;
    if is_owner {
        return Err(StoreError::RowSecurityOff);
    }
    let role = format!("\"{}\"", service_role.replace('"', "\"\""));
    run(client, &format!("REVOKE ALL ON ALL TABLES IN SCHEMA vouchsafe FROM {role}")).await?;
    run(client, &format!("GRANT USAGE ON SCHEMA vouchsafe TO {role}")).await?;
    for (rights, tables) in GRANTS {
        run(client, &format!("GRANT {rights} ON {tables} TO {role}")).await?;
    }
    Ok(())
}

/// The version in the comment of the schema; `None` if there is no schema.
async fn version(client: &Client) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = 'vouchsafe'";
    let Some(row) = client.query_opt(sql, &[]).await.map_err(error::statement)? else { return Ok(None) };
    let comment: &str = row.try_get(0).map_err(error::statement)?;
    if comment.starts_with(NAME) && comment.ends_with(RESTORING) {
        return Err(StoreError::HalfRestored);
    }
    let version = comment.strip_prefix(NAME).and_then(|version| version.parse().ok());
    version.map(Some).ok_or(StoreError::Damaged)
}

async fn inspect(client: &Client) -> Result<Digest, StoreError> {
    let mut context = digest::Context::new(&digest::SHA256);
    for row in client.query(INSPECT, &[]).await.map_err(error::statement)? {
        let line: &str = row.try_get(0).map_err(error::statement)?;
        context.update(line.as_bytes());
        context.update(b"\n");
    }
    let bytes = context.finish().as_ref().try_into().map_err(|_| StoreError::Damaged)?;
    Ok(Digest::from_bytes(bytes))
}

async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(
    client: &Client,
    sql: &str,
) -> Result<T, StoreError> {
    let row = client.query_one(sql, &[]).await.map_err(error::statement)?;
    row.try_get(0).map_err(error::statement)
}

async fn run(client: &Client, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(error::statement)
}

async fn is_as_made(client: &Client) -> Result<(), StoreError> {
    let found = inspect(client).await?.to_string();
    #[cfg(test)]
    if found != MADE {
        eprintln!("the schema is {found}");
    }
    if found == MADE { Ok(()) } else { Err(StoreError::SchemaDiffers) }
}
