//! An OpenBao server with TLS and storage in a temporary folder.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a server for tests: without it they fail"
)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod certificates;
mod http;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A server of this process; it ends when the value is dropped.
///
/// It listens on two loopback ports, one with TLS and one without, keeps its storage in files (raft of one node), and has a transit
/// engine at `transit` and the `approle` method.
#[derive(Debug)]
pub struct OpenBaoServer {
    program: PathBuf,
    folder: tempfile::TempDir,
    ports: [u16; 3],
    child: Mutex<Option<Child>>,
    unseal_key: String,
    root_token: String,
}

/// Whether it was said that there is no server.
static SAID: Once = Once::new();

/// The server that [`OpenBaoServer::shared`] gave out last.
static SHARED: Mutex<Weak<OpenBaoServer>> = Mutex::new(Weak::new());

impl OpenBaoServer {
    /// A server of its own; `None`, said aloud, where `bao` is not installed.
    ///
    /// # Panics
    /// When the server does not start; when it is missing and `VOUCHSAFE_REQUIRE_SERVICES` is set.
    pub fn launch() -> Option<Self> {
        Self::launch_with(true)
    }

    /// As [`Self::launch`], with the cache that a server has unless it is told otherwise.
    ///
    /// # Panics
    /// As [`Self::launch`].
    pub fn launch_caching() -> Option<Self> {
        Self::launch_with(false)
    }

    fn launch_with(disable_cache: bool) -> Option<Self> {
        let Some(program) = program() else {
            let message = "no `bao` on PATH or in VOUCHSAFE_BAO: OpenBao is not tested";
            assert!(std::env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_none(), "{message}");
            // Straight to the terminal: the test harness keeps what `eprintln` prints.
            let say = || io::stderr().write_all(format!("SKIPPED: {message}\n").as_bytes());
            SAID.call_once(|| say().unwrap());
            return None;
        };
        // Somebody else may take a free port before the server does.
        let launch = || Self::try_launch(&program, disable_cache);
        let launched = launch().or_else(|_| launch());
        Some(launched.unwrap_or_else(|error| panic!("OpenBao does not start: {error}")))
    }

    /// A server that tests share; it ends when nobody holds it any more.
    ///
    /// # Panics
    /// As [`Self::launch`].
    pub fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::launch()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    fn try_launch(program: &Path, disable_cache: bool) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("storage"))?;
        certificates::make(folder.path())?;
        let ports = free_ports()?;
        fs::write(folder.path().join("config.hcl"), configuration(folder.path(), ports, disable_cache))?;
        let (unseal_key, root_token) = Default::default();
        let child = Mutex::default();
        let mut server = Self { program: program.to_owned(), folder, ports, child, unseal_key, root_token };
        server.spawn()?;
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let (_, made) = server.admin("PUT", "sys/init", &shares);
        server.unseal_key = made["keys_base64"][0].as_str().unwrap_or_default().to_owned();
        server.root_token = made["root_token"].as_str().unwrap_or_default().to_owned();
        server.unseal();
        server.must("POST", "sys/mounts/transit", &json!({"type": "transit"}));
        server.must("POST", "sys/auth/approle", &json!({"type": "approle"}));
        Ok(server)
    }

    /// `https://127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports[0])
    }

    /// `http://127.0.0.1:port`.
    pub fn plain_address(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[1])
    }

    /// The root certificate of its certificate, in PEM.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn ca_certificate(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("ca.pem")).unwrap()
    }

    /// The token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// Asks the server's API as root, without TLS; gives the status (0 for none) and the answer.
    pub fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask(&self.root_token, method, path, body)
    }

    /// As [`Self::admin`], with another token.
    pub fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http::ask(self.ports[1], method, path, token, &body).unwrap_or((0, Value::Null))
    }

    /// As [`Self::admin`], for what must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.admin(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Stores a policy and makes a token that has it and nothing else. `more` are further parameters, `ttl` say.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn token(&self, policy: &str, more: &Value) -> String {
        self.must("PUT", "sys/policies/acl/vouchsafe", &json!({"policy": policy}));
        let mut body = json!({"policies": ["vouchsafe"], "no_default_policy": true, "no_parent": true});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = self.must("POST", "auth/token/create", &body);
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Stores a policy and makes a role that has it and nothing else; gives the role's id and a secret id.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn role(&self, policy: &str, more: &Value) -> (String, String) {
        self.must("PUT", "sys/policies/acl/vouchsafe", &json!({"policy": policy}));
        let mut body = json!({"token_policies": ["vouchsafe"], "token_no_default_policy": true});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.must("POST", "auth/approle/role/vouchsafe", &body);
        let role = self.must("GET", "auth/approle/role/vouchsafe/role-id", &Value::Null);
        let secret = self.must("POST", "auth/approle/role/vouchsafe/secret-id", &json!({}));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&role["data"]["role_id"]), text(&secret["data"]["secret_id"]))
    }

    /// Seals it: it runs and refuses.
    ///
    /// # Panics
    /// When the server refuses to.
    pub fn seal(&self) {
        self.must("PUT", "sys/seal", &json!({}));
    }

    /// Unseals it and waits until it serves.
    ///
    /// # Panics
    /// When it stays sealed.
    pub fn unseal(&self) {
        self.must("PUT", "sys/unseal", &json!({"key": self.unseal_key}));
        let begun = Instant::now();
        while self.admin("GET", "sys/health", &Value::Null).0 != 200 {
            assert!(begun.elapsed() < START, "OpenBao stays sealed");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it, as a power cut does.
    pub fn stop(&self) {
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again, on the same ports and storage, and unseals it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&self) {
        self.spawn().unwrap();
        self.unseal();
    }

    /// Copies the storage of the stopped server to a folder that is not there yet.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn snapshot_to(&self, folder: &Path) {
        copy_folder(&self.folder.path().join("storage"), folder).unwrap();
    }

    /// Puts back what [`Self::snapshot_to`] copied, and nothing else. The server is stopped.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn restore_from(&self, folder: &Path) {
        let storage = self.folder.path().join("storage");
        fs::remove_dir_all(&storage).unwrap();
        copy_folder(folder, &storage).unwrap();
    }

    fn spawn(&self) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let mut child = Command::new(&self.program)
            .arg("server")
            .arg(format!("-config={}", self.folder.path().join("config.hcl").display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let begun = Instant::now();
        while self.admin("GET", "sys/seal-status", &Value::Null).0 != 200 {
            if child.try_wait()?.is_some() || begun.elapsed() >= START {
                let _ = child.kill();
                let _ = child.wait();
                let log = fs::read_to_string(self.folder.path().join("log"))?;
                return Err(io::Error::other(log));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        Ok(())
    }
}

impl Drop for OpenBaoServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("VOUCHSAFE_BAO") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("bao")).find(|program| program.is_file())
}

fn free_ports() -> io::Result<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let all = [bind()?, bind()?, bind()?];
    let [one, two, three] =
        all.each_ref().map(|listener| listener.local_addr().map(|address| address.port()));
    Ok([one?, two?, three?])
}

fn configuration(folder: &Path, [tls, plain, cluster]: [u16; 3], disable_cache: bool) -> String {
    let folder = folder.display();
    format!(
        r#"ui = false
disable_cache = {disable_cache}
api_addr     = "https://127.0.0.1:{tls}"
cluster_addr = "https://127.0.0.1:{cluster}"
storage "raft" {{
  path    = "{folder}/storage"
  node_id = "test"
  # One node elects itself at once.
  performance_multiplier = 1
}}
listener "tcp" {{
  address         = "127.0.0.1:{tls}"
  cluster_address = "127.0.0.1:{cluster}"
  tls_cert_file = "{folder}/server.pem"
  tls_key_file  = "{folder}/server.key"
}}
listener "tcp" {{
  address         = "127.0.0.1:{plain}"
  cluster_address = "127.0.0.1:{cluster}"
  tls_disable     = true
}}
"#
    )
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}
