//! A throw-away PostgreSQL server for tests, and databases on it.
//!
//! Not semver stable.
use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::postgres::Admin;
use crate::{PostgresConfig, PostgresStore};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A server of its own in a folder of its own, on a free port of 127.0.0.1; or the one that `VOUCHSAFE_POSTGRES_URL`
/// names, as a superuser.
///
/// The server ends, and its folder goes, with this value or with the process, however that ends.
#[derive(Debug)]
pub struct Postgres {
    own: Option<Own>,
    /// A connection string of a superuser, without the name of a database.
    superuser: String,
    roles: Roles,
}

/// The roles of the tests, each with its name as password.
#[derive(Debug)]
struct Roles {
    owner: String,
    service: String,
}

#[derive(Debug)]
struct Own {
    folder: PathBuf,
    binaries: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    options: Vec<String>,
    /// Each holds a pipe: when that closes, the server is ended. Those of killed servers stay until then.
    watchers: Vec<Child>,
}

/// An empty database with the newest schema; it goes with this value.
#[derive(Debug)]
pub struct Database<'a> {
    server: &'a Postgres,
    name: String,
}

/// Runs the server, and ends it when nobody holds the other end of the pipe any more.
const WATCHER: &str = r#"
    folder=$1; shift
    exec 3<&0
    "$@" </dev/null >"$folder/log" 2>&1 &
    server=$!
    ( cat <&3 >/dev/null; kill -QUIT $server; while kill -0 $server; do sleep 0.02; done; rm -rf "$folder" ) 2>/dev/null &
    wait $server
"#;
const PASSWORD: &str = "superuser-of-a-test";
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Postgres {
    /// The server that all tests of this process share; `None`, loudly, if no server is installed.
    ///
    /// # Errors
    /// Why it did not start; without an installed server, if `VOUCHSAFE_REQUIRE_SERVICES` is set.
    pub fn shared() -> Result<Option<&'static Self>> {
        static SHARED: OnceLock<std::result::Result<Option<Postgres>, String>> = OnceLock::new();
        let started = SHARED.get_or_init(|| match env::var("VOUCHSAFE_POSTGRES_URL") {
            Ok(url) => Self::at(url).map(Some).map_err(|error| error.to_string()),
            Err(_) => Self::start(&[]).map_err(|error| error.to_string()),
        });
        started.as_ref().map(Option::as_ref).map_err(|error| error.as_str().into())
    }

    /// A server of its own, with further options (`ssl=on` takes the certificate of [`Self::certificates`]).
    ///
    /// # Errors
    /// As [`Self::shared`].
    pub fn start(options: &[&str]) -> Result<Option<Self>> {
        Self::start_in(&env::temp_dir(), options)
    }

    /// As [`Self::start`], with its folder in another than that for temporary files.
    ///
    /// # Errors
    /// As [`Self::shared`].
    pub fn start_in(place: &Path, options: &[&str]) -> Result<Option<Self>> {
        let Some(binaries) = binaries() else {
            if env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_some() {
                return Err("no PostgreSQL server is installed".into());
            }
            eprintln!("SKIPPED: no PostgreSQL server is installed (apt-get install postgresql)");
            return Ok(None);
        };
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut own = Own::new(place, binaries, unprivileged()?, options)?;
        own.prepare()?;
        own.run()?;
        let superuser = format!("host=127.0.0.1 port={} user=postgres password={PASSWORD}", own.port);
        let mut server = Self::at(superuser)?;
        server.own = Some(own);
        Ok(Some(server))
    }

    fn at(superuser: String) -> Result<Self> {
        let number = std::process::id();
        let roles = Roles { owner: format!("owner_{number}"), service: format!("service_{number}") };
        let server = Self { own: None, superuser, roles };
        server.wait()?;
        let Roles { owner, service } = &server.roles;
        server.admin("postgres")?.run(&format!(
            "CREATE ROLE {owner} LOGIN PASSWORD '{owner}' NOSUPERUSER;
             CREATE ROLE {service} LOGIN PASSWORD '{service}' NOSUPERUSER;"
        ))?;
        Ok(server)
    }

    fn wait(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.admin("postgres").and_then(|admin| Ok(admin.run("SELECT 1")?)) {
                Ok(()) => return Ok(()),
                Err(error) if begun.elapsed() > Duration::from_secs(30) => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// A superuser in a database.
    fn admin(&self, database: &str) -> Result<Admin> {
        Ok(Admin::of(&self.config(&self.superuser, database)?)?)
    }

    fn config(&self, who: &str, database: &str) -> Result<PostgresConfig> {
        let text = match who.split_once("://") {
            Some((scheme, rest)) => {
                let (server, options) = rest.split_once('?').unwrap_or((rest, ""));
                let server = server.split('/').next().unwrap_or(server);
                format!("{scheme}://{server}/{database}?{options}")
            }
            None => format!("{who} dbname={database}"),
        };
        Ok(PostgresConfig::parse(&text)?)
    }

    /// An empty database with the newest schema.
    ///
    /// # Errors
    /// Why it could not be made.
    pub fn database(&self) -> Result<Database<'_>> {
        let database = self.empty_database()?;
        PostgresStore::migrate(&database.owner()?, &self.roles.service)?;
        Ok(database)
    }

    /// An empty database without a schema.
    ///
    /// # Errors
    /// Why it could not be made.
    pub fn empty_database(&self) -> Result<Database<'_>> {
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let admin = self.admin("postgres")?;
        admin.run(&format!("CREATE DATABASE {name} OWNER {}", self.roles.owner))?;
        Ok(Database { server: self, name })
    }

    /// Kills the server with SIGKILL and starts it again on the same data.
    ///
    /// # Errors
    /// Why it could not.
    pub fn kill_and_restart(&mut self) -> Result<()> {
        let own = self.own.as_mut().ok_or("not a server of its own")?;
        own.kill()?;
        own.run()?;
        self.wait()
    }

    /// Kills the server with SIGKILL.
    ///
    /// # Errors
    /// Why it could not.
    pub fn kill(&mut self) -> Result<()> {
        self.own.as_mut().ok_or("not a server of its own")?.kill()
    }

    /// Starts the server again if it ended by itself.
    ///
    /// # Errors
    /// Why it could not.
    pub fn revive(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            if self.admin("postgres").and_then(|admin| Ok(admin.run("SELECT 1")?)).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let own = self.own.as_mut().ok_or("not a server of its own")?;
        // There may be nothing left to kill.
        let _ = own.kill();
        own.run()?;
        self.wait()
    }

    /// A standby that follows this server by streaming.
    ///
    /// # Errors
    /// Why it did not start; if this is not a server of its own.
    pub fn standby(&self) -> Result<Self> {
        let from = self.own.as_ref().ok_or("not a server of its own")?;
        let place = from.folder.parent().ok_or("no folder")?;
        let mut own = Own::new(place, from.binaries.clone(), from.user, from.options.clone())?;
        let mut copy = own.command(own.binaries.join("pg_basebackup"));
        copy.env("PGPASSWORD", PASSWORD).args(["-h", "127.0.0.1", "-U", "postgres", "-R", "-X", "stream"]);
        copy.args(["-c", "fast", "-p", &from.port.to_string(), "-D"]).arg(own.data());
        done(copy.output()?)?;
        own.run()?;
        let superuser = format!("host=127.0.0.1 port={} user=postgres password={PASSWORD}", own.port);
        let roles = Roles { owner: self.roles.owner.clone(), service: self.roles.service.clone() };
        let standby = Self { own: Some(own), superuser, roles };
        standby.wait()?;
        Ok(standby)
    }

    /// Makes a standby the primary.
    ///
    /// # Errors
    /// What the server said.
    pub fn promote(&self) -> Result<()> {
        Ok(self.admin("postgres")?.run("SELECT pg_promote()")?)
    }

    /// The port of 127.0.0.1.
    ///
    /// # Errors
    /// If it is not a server of its own.
    pub fn port(&self) -> Result<u16> {
        Ok(self.own.as_ref().ok_or("not a server of its own")?.port)
    }

    /// The certificate of an authority that vouches for this server, and of one that does not, in PEM.
    ///
    /// # Errors
    /// If the server was started without `ssl=on`.
    pub fn certificates(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        let own = self.own.as_ref().ok_or("not a server of its own")?;
        Ok((fs::read(own.folder.join("ca.pem"))?, fs::read(own.folder.join("other.pem"))?))
    }
}

impl Database<'_> {
    /// The configuration of the role that serves.
    ///
    /// # Errors
    /// Never for a server of its own.
    pub fn service(&self) -> Result<PostgresConfig> {
        self.of(&self.server.roles.service)
    }

    /// The configuration of the role that owns the tables.
    ///
    /// # Errors
    /// As [`Self::service`].
    pub fn owner(&self) -> Result<PostgresConfig> {
        self.of(&self.server.roles.owner)
    }

    /// The configuration of a superuser.
    ///
    /// # Errors
    /// As [`Self::service`].
    pub fn superuser(&self) -> Result<PostgresConfig> {
        self.server.config(&self.server.superuser, &self.name)
    }

    /// The name of the role that owns the tables.
    pub fn owner_role(&self) -> &str {
        &self.server.roles.owner
    }

    /// The name of the role that serves.
    pub fn service_role(&self) -> &str {
        &self.server.roles.service
    }

    /// A connection string of the role that serves, by way of another port.
    pub fn through(&self, port: u16) -> String {
        let service = &self.server.roles.service;
        format!("host=127.0.0.1 port={port} user={service} password={service} dbname={}", self.name)
    }

    /// Runs statements as a superuser, beside the port and its policies.
    ///
    /// Returns: how many rows the only statement changed, or 0 for several.
    ///
    /// # Errors
    /// What the server said.
    pub fn alter(&self, sql: &str) -> Result<u64> {
        Ok(self.server.admin(&self.name)?.execute(&format!("SET ROLE NONE; {sql}"))?)
    }

    /// Adds live holdings, each with a person and a record of its own, to an organisation.
    ///
    /// For benches and tests only: it checks no reference, keeps no tally, and acknowledges before the disk has it.
    ///
    /// Returns: how many.
    ///
    /// # Errors
    /// What the server said; some of them may be there then.
    #[cfg(feature = "sqlite")]
    pub fn load_holdings(
        &self,
        organisation: &vouchsafe_types::OrganisationId,
        holdings: impl IntoIterator<Item = (crate::Holding, crate::RecordRow)>,
    ) -> Result<u64> {
        let loaded = self.server.admin(&self.name)?.load_holdings(organisation, holdings)?;
        self.alter_patiently(
            "INSERT INTO vouchsafe.holding_tally SELECT organisation, class, count(*) FROM vouchsafe.holding \
             WHERE state = 1 GROUP BY 1, 2 \
             ON CONFLICT (organisation, class) DO UPDATE SET live = excluded.live",
        )?;
        self.settle()?;
        Ok(loaded)
    }

    /// Runs statements as [`Self::alter`], however long they take.
    ///
    /// # Errors
    /// What the server said.
    pub fn alter_patiently(&self, sql: &str) -> Result<()> {
        Ok(self.server.admin(&self.name)?.patiently(sql)?)
    }

    /// Leaves nothing for the server to do later, and tells it what there is.
    ///
    /// # Errors
    /// What the server said.
    pub fn settle(&self) -> Result<()> {
        let admin = self.server.admin(&self.name)?;
        admin.patiently("VACUUM ANALYZE")?;
        Ok(admin.patiently("CHECKPOINT")?)
    }

    /// An exact copy. Every connection to this database is ended.
    ///
    /// # Errors
    /// What the server said.
    pub fn copy(&self) -> Result<Self> {
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let admin = self.server.admin("postgres")?;
        let end = format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        admin.run(&end)?;
        let copy = format!("CREATE DATABASE {name} TEMPLATE {} STRATEGY FILE_COPY", self.name);
        admin.patiently(&copy)?;
        Ok(Self { server: self.server, name })
    }

    /// The rows of a query of a superuser, each column as text.
    ///
    /// # Errors
    /// What the server said.
    pub fn look(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        Ok(self.server.admin(&self.name)?.look(sql)?)
    }

    fn of(&self, role: &str) -> Result<PostgresConfig> {
        if let Some(own) = &self.server.own {
            let text =
                format!("host=127.0.0.1 port={} user={role} password={role} dbname={}", own.port, self.name);
            return Ok(PostgresConfig::parse(&text)?);
        }
        Ok(self.superuser()?.with_user(role).with_password(role.as_bytes()))
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // The server may be gone; then the database is, too.
        if let Ok(admin) = self.server.admin("postgres") {
            let _ = admin.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.watchers.iter_mut().for_each(|watcher| drop(watcher.stdin.take()));
        // Whoever is killed already has nothing to say.
        self.watchers.iter_mut().for_each(|watcher| drop(watcher.wait()));
    }
}

impl Own {
    fn new(place: &Path, binaries: PathBuf, user: Option<(u32, u32)>, options: Vec<String>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("vouchsafe-postgres-").tempdir_in(place)?.keep();
        #[cfg(unix)]
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(&folder, Some(user), Some(group))?;
        }
        Ok(Self { folder, binaries, user, port: 0, options, watchers: Vec::new() })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_remove("PGDATA").env("LC_ALL", "C").stdin(Stdio::null());
        #[cfg(unix)]
        if let Some((user, group)) = self.user {
            use std::os::unix::process::CommandExt;
            command.uid(user).gid(group);
        }
        command
    }

    fn prepare(&self) -> Result<()> {
        let mut pass = self.command("sh");
        done(pass.args(["-c", "printf %s \"$1\" > pass", "sh", PASSWORD]).output()?)?;
        let initdb = ["-U", "postgres", "-A", "scram-sha-256", "--pwfile=pass", "--no-sync", "-E", "UTF8"];
        let mut command = self.command(self.binaries.join("initdb"));
        done(command.arg("-D").arg(self.data()).args(initdb).output()?)?;
        if self.options.iter().any(|option| option == "ssl=on") {
            done(self.command("sh").args(["-c", CERTIFICATES]).output()?)?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        if self.port == 0 {
            self.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        }
        let mut command = self.command("sh");
        command.args(["-c", WATCHER, "sh"]).arg(&self.folder).arg(self.binaries.join("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let certificate = |name: &str| self.folder.join(name).display().to_string();
        for option in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // The server is killed, never the machine.
            "fsync=off",
            "max_connections=200",
            "shared_buffers=64MB",
            &format!("ssl_cert_file={}", certificate("server.pem")),
            &format!("ssl_key_file={}", certificate("server.key")),
        ] {
            command.args(["-c", option]);
        }
        for option in &self.options {
            command.args(["-c", option]);
        }
        self.watchers.push(command.stdin(Stdio::piped()).spawn()?);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        let file = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let number = file.lines().next().ok_or("no process")?;
        let children = String::from_utf8(Command::new("pgrep").args(["-P", number]).output()?.stdout)?;
        let all: Vec<&str> = std::iter::once(number).chain(children.lines()).collect();
        // Some of the children end by themselves meanwhile.
        Command::new("kill").arg("-KILL").args(&all).stderr(Stdio::null()).status()?;
        let is_there = |number: &str| -> Result<bool> {
            Ok(Command::new("kill").args(["-0", number]).stderr(Stdio::null()).status()?.success())
        };
        for number in all {
            while is_there(number)? {
                thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }
}

/// Two authorities, of which the first signs a certificate for 127.0.0.1.
const CERTIFICATES: &str = r#"set -e
    for name in ca other; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj "/CN=$name of a test" -keyout $name.key -out $name.pem
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=server" \
        -keyout server.key -out server.csr
    printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
        -extfile server.ext -out server.pem
    chmod 600 server.key
"#;

fn done(output: Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let mut said = output.stdout;
    said.write_all(&output.stderr)?;
    Err(String::from_utf8_lossy(&said).into_owned().into())
}

/// Where the newest installed server is.
fn binaries() -> Option<PathBuf> {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = packaged.map(|version| version.path().join("bin")).collect();
    found.sort_by_key(|path| {
        path.parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .and_then(|name| name.parse::<u32>().ok())
    });
    found.reverse();
    found.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    found.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// The user and group to run as, where this process is root, which the server refuses.
fn unprivileged() -> Result<Option<(u32, u32)>> {
    let number = |arguments: &[&str]| -> Result<u32> {
        let output = Command::new("id").args(arguments).output()?;
        let text = String::from_utf8(output.stdout)?;
        text.trim().parse().map_err(|_| io::Error::from(io::ErrorKind::NotFound).into())
    };
    if number(&["-u"])? != 0 {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let (Ok(user), Ok(group)) = (number(&["-u", name]), number(&["-g", name])) {
            return Ok(Some((user, group)));
        }
    }
    Err("no user to run a server as".into())
}
