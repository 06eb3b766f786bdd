//! Object stores that speak the S3 protocol.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a server for tests: without it they fail")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::skip;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// The name that requests are signed with.
pub const ACCESS_KEY: &str = "testing-access";
/// The secret that requests are signed with. `moto_server` does not look at it.
pub const SECRET: &str = "testing-secret";

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests name each")]
pub enum ObjectServerKind {
    /// `moto_server` (PyPI `moto[server]`): objects in memory, versions, no check of signatures.
    Moto,
    /// `s3s-fs` (a crate): objects in files, no versions, signatures checked.
    S3sFs,
}

impl ObjectServerKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Moto, Self::S3sFs];

    /// The name of its program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Moto => "moto_server",
            Self::S3sFs => "s3s-fs",
        }
    }
}

/// A server of this process on a loopback port; it ends when the value is dropped.
#[derive(Debug)]
pub struct ObjectServer {
    kind: ObjectServerKind,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

/// The servers that [`ObjectServer::shared`] gave out.
static SHARED: Mutex<Vec<Weak<ObjectServer>>> = Mutex::new(Vec::new());

impl ObjectServer {
    /// A server; `None`, said aloud, where it is not installed.
    ///
    /// # Panics
    /// When it does not start; when it is missing and `VOUCHSAFE_REQUIRE_SERVICES` is set.
    pub fn start(kind: ObjectServerKind, test: &str) -> Option<Self> {
        let Some(program) = find(kind.program()) else {
            skip(test, kind.program());
            return None;
        };
        // Somebody else may take a free port before the server does.
        let start = || Self::try_start(kind, &program);
        let started = start().or_else(|_| start());
        Some(started.unwrap_or_else(|error| panic!("{} does not start: {error}", kind.program())))
    }

    /// A server that tests share; it ends when nobody holds it any more.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn shared(kind: ObjectServerKind, test: &str) -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.iter().filter_map(Weak::upgrade).find(|server| server.kind == kind) {
            return Some(server);
        }
        let server = Arc::new(Self::start(kind, test)?);
        shared.retain(|server| server.strong_count() > 0);
        shared.push(Arc::downgrade(&server));
        Some(server)
    }

    fn try_start(kind: ObjectServerKind, program: &PathBuf) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = File::create(folder.path().join("log"))?;
        let mut command = Command::new(program);
        match kind {
            ObjectServerKind::Moto => {
                command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            }
            ObjectServerKind::S3sFs => {
                let root = folder.path().join("objects");
                fs::create_dir(&root)?;
                command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
                command.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET]).arg(root);
            }
        }
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut server = Self { kind, folder, port, child };
        let begun = Instant::now();
        while server.ask("GET", "/", "").is_err() {
            if server.child.try_wait()?.is_some() || begun.elapsed() >= START {
                let log = fs::read_to_string(server.folder.path().join("log"))?;
                return Err(io::Error::other(log));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Which server it is.
    pub const fn kind(&self) -> ObjectServerKind {
        self.kind
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Makes an empty bucket.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn make_bucket(&self, name: &str) {
        match self.kind {
            ObjectServerKind::Moto => self.must("PUT", &format!("/{name}"), ""),
            ObjectServerKind::S3sFs => fs::create_dir(self.folder.path().join("objects").join(name)).unwrap(),
        }
    }

    /// Makes a bucket keep old versions; for `moto_server` alone.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn set_versioning(&self, bucket: &str, status: &str) {
        let body = format!(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status></VersioningConfiguration>"
        );
        self.must("PUT", &format!("/{bucket}?versioning"), &body);
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn must(&self, method: &str, path: &str, body: &str) {
        let answer = self.ask(method, path, body).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200"), "{answer}");
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address(), Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut request = String::new();
        let (address, len) = (self.address(), body.len());
        let _ = write!(request, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        // A server of many services goes by the credential's scope; it does not check the rest.
        let scope = format!("{ACCESS_KEY}/20260101/us-east-1/s3/aws4_request");
        if self.kind == ObjectServerKind::Moto {
            let _ = write!(
                request,
                "Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n"
            );
        }
        let _ = write!(request, "Content-Length: {len}\r\n\r\n{body}");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer) }
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|program| program.is_file())
}
