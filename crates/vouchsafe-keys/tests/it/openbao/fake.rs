//! A small HTTP server on loopback that answers whatever a test says.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use vouchsafe_keys::OpenBaoConfig;

use super::token;

/// What the server does with one request.
pub(super) enum Reply {
    /// A status and a body.
    Answer(u16, String),
    /// A beginning, then a byte now and then.
    Drip(&'static str),
    /// The bytes as they are, then the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, until the client goes.
    Silence,
}

type Script = dyn Fn(&str, &str, &str) -> Reply + Send + Sync;

pub(super) struct Fake {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Fake {
    /// Answers each request by its method, path and body.
    pub(super) fn new(script: impl Fn(&str, &str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, over) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (script, seen, end): (Arc<Script>, _, _) = (Arc::new(script), requests.clone(), over.clone());
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let (script, seen) = (script.clone(), seen.clone());
                std::thread::spawn(move || serve(&stream, &*script, &seen));
            }
        });
        Self { address, requests, over }
    }

    pub(super) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn config(&self) -> OpenBaoConfig {
        OpenBaoConfig::new(&self.address(), b"", token("s.fake")).plaintext_loopback()
    }

    /// Method and path of every request so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// As [`Self::new`], after a good beginning: a token that never ends, a server that does not cache.
    pub(super) fn welcoming(script: impl Fn(&str, &str, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::new(move |method, path, body| match path {
            "/v1/auth/token/lookup-self" => Reply::Answer(200, json!({"data": {"ttl": 0}}).to_string()),
            "/v1/sys/config/state/sanitized" => {
                Reply::Answer(200, json!({"data": {"disable_cache": true}}).to_string())
            }
            path => script(method, path, body),
        })
    }

    /// A key with these versions.
    pub(super) fn key(min_available: u64, latest: u64) -> Reply {
        let least = min_available.max(1);
        let key = json!({"data": {
            "type": "aes256-gcm96", "exportable": false, "allow_plaintext_backup": false, "derived": false,
            "imported_key": false, "latest_version": latest, "min_available_version": min_available,
            "min_decryption_version": least, "min_encryption_version": 0, "keys": {latest.to_string(): 1},
        }});
        Reply::Answer(200, key.to_string())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, script: &Script, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (method, path, body) = read_request(&mut reader)?;
        seen.lock().unwrap().push(format!("{method} {path}"));
        let mut out = stream;
        match script(&method, &path, &body) {
            Reply::Answer(status, body) => {
                let len = body.len();
                write!(out, "HTTP/1.1 {status} X\r\nContent-Length: {len}\r\n\r\n{body}").ok()?;
            }
            Reply::Drip(beginning) => {
                out.write_all(beginning.as_bytes()).ok()?;
                // Ends when the client hangs up, and at last by itself.
                for _ in 0..200 {
                    std::thread::sleep(Duration::from_millis(50));
                    out.write_all(b"x").ok()?;
                }
            }
            Reply::Raw(bytes) => {
                let _ = out.write_all(&bytes);
                return None;
            }
            Reply::Silence => return reader.read(&mut [0]).ok().map(drop),
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<(String, String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut parts = line.split(' ');
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut len = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => len = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, String::from_utf8(body).ok()?))
}
