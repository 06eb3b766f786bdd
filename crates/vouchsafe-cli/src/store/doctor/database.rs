//! The database: whether it opens, and how it is set.

use super::Lines;
use crate::CliError;
use crate::parts::Database;
use vouchsafe::store::StoreError;

pub(super) fn look(database: &Database, lines: &mut Lines) {
    match database {
        #[cfg(feature = "postgres")]
        Database::Postgres(config) => postgres(config, lines),
        Database::Sqlite(path) if !path.is_file() => return,
        Database::Sqlite(_) => {}
    }
    match database.schema() {
        Ok(schema) => version(schema, database.newest(), lines),
        Err(error) => return lines.fail("schema", error.to_string(), advice(&error)),
    }
    match database.open() {
        Ok(_) => lines.ok("database", format!("{} opens as the service opens it", database.engine())),
        Err(error) => lines.fail("database", error.to_string(), advice(&error)),
    }
}

fn version(schema: Option<u32>, newest: u32, lines: &mut Lines) {
    let found = schema.unwrap_or(0);
    let said = format!("version {found}, this program makes {newest}");
    let next = if found > newest { "upgrade the program" } else { "run `vouchsafe store migrate`" };
    lines.must(found == newest, "schema", said, next);
}

/// What to do about a database that does not open.
fn advice(error: &CliError) -> &'static str {
    let CliError::Store(error) = error else { return "mend the store file" };
    match error {
        StoreError::ClockSkew => "synchronise the clocks of both machines",
        StoreError::Connection => "mend the address or the certificates",
        StoreError::Damaged => "restore a backup into an empty database",
        StoreError::Denied => "check user, password, database, pg_hba.conf and the grants of `store migrate`",
        StoreError::HalfRestored => "restore the backup again, into an empty database",
        StoreError::NewerSchema => "upgrade the program",
        StoreError::OlderSchema => "run `vouchsafe store migrate` as the owner",
        StoreError::PlaintextRefused => {
            "turn TLS on at the server (ssl=on), and ask for it with sslmode=require"
        }
        StoreError::ReadOnly => "give the process write permission, or connect to the primary",
        StoreError::RowSecurityOff => "connect as a role that is no superuser and does not own the tables",
        StoreError::SchemaDiffers => "undo what was edited by hand, or move the rows with a backup",
        StoreError::UntrustedServer => {
            "name the root that signed the server's certificate in ca-certificates"
        }
        _ => "see that the server or the disk answers, then try again",
    }
}

#[cfg(feature = "postgres")]
fn postgres(config: &vouchsafe::store::PostgresConfig, lines: &mut Lines) {
    use vouchsafe::Timestamp;
    use vouchsafe::store::PostgresStore;

    let report = match PostgresStore::inspect(config, Timestamp::now()) {
        Ok(report) => report,
        Err(error) => return lines.fail("connection", error.to_string(), advice(&error.into())),
    };
    let (version, role) = (report.version, &report.role);
    lines.must(
        version >= 150_000,
        "server",
        format!("version {}.{}", version / 10_000, version % 10_000),
        "upgrade to PostgreSQL 15 or newer",
    );
    match &report.tls {
        Some(tls) => lines.ok("tls", format!("{tls}, verified against the roots of the store file")),
        None => lines.ok("tls", "none: nothing leaves this machine"),
    }
    lines.must(
        !report.is_privileged,
        "role",
        format!(
            "{role} is {}",
            if report.is_privileged {
                "a superuser, or passes row-level security over"
            } else {
                "no superuser"
            }
        ),
        "connect as the role that serves",
    );
    lines.must(
        !report.is_owner,
        "role",
        format!("{role} {}", if report.is_owner { "owns the tables" } else { "owns no table" }),
        "connect as the role that serves",
    );
    if report.schema.is_some() {
        lines.must(
            report.has_row_security,
            "rows",
            "row-level security is forced on every table",
            "restore the policies, or move the rows with a backup",
        );
    }
    lines.must(
        report.is_primary,
        "server",
        if report.is_primary { "it writes" } else { "it is a standby" },
        "connect to the primary",
    );
    let commit = report.synchronous_commit.as_str();
    lines.should(
        commit != "off" && commit != "local",
        "durability",
        format!("synchronous_commit is {commit}"),
        "set it to on or remote_apply; the store raises off to on",
    );
    lines.should(
        !report.synchronous_standbys.is_empty(),
        "durability",
        if report.synchronous_standbys.is_empty() {
            "a commit waits for no standby"
        } else {
            "a commit waits for a standby"
        },
        "set synchronous_standby_names where a failover must lose nothing",
    );
    let seconds = report.ahead / 1_000_000;
    lines.should(
        seconds.abs() <= 5,
        "clock",
        format!("the server is {seconds} s ahead"),
        "synchronise the clocks of both machines",
    );
    let [statement, lock, idle] = &report.timeouts;
    lines.ok("time-outs", format!("statement {statement}, lock {lock}, idle in transaction {idle}"));
    let (most, used) = report.connections;
    lines.should(
        used * 10 < most * 8,
        "connections",
        format!("{used} of {most} are taken"),
        "raise max_connections, or lower max-connections of each process",
    );
}
