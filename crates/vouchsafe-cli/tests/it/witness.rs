//! A witness on a loopback port: it keeps the rules of C2SP tlog-witness.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use vouchsafe::ledger::Checkpoint;
use vouchsafe::ledger::merkle::verify_consistency;
use vouchsafe::types::{Digest, Secret};
use vouchsafe_ledger::Cosigner;
use vouchsafe_ledger::witness::{AddCheckpoint, size_body};

/// When it says that it cosigned: 2027-01-15T08:00:00Z.
const TIME: u64 = 1_800_000_000;

pub(crate) struct Neighbour {
    pub(crate) key: String,
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    cosigner: Cosigner,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: Option<(u64, Digest)>,
    asleep: bool,
}

impl Neighbour {
    pub(crate) fn new(name: &str) -> Self {
        let seed = Secret::init_with(|bytes| bytes.fill(u8::try_from(name.len()).unwrap()));
        let cosigner = Cosigner::from_seed(name, &seed).unwrap();
        let key = cosigner.key().to_string();
        let shared = Arc::new(Shared { cosigner, state: Mutex::default() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/w", listener.local_addr().unwrap());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Self { key, url, shared }
    }

    /// As `--witness` names it.
    pub(crate) fn argument(&self) -> String {
        format!("{}={}", self.key, self.url)
    }

    pub(crate) fn sleep(&self, asleep: bool) {
        self.shared.state.lock().unwrap().asleep = asleep;
    }

    /// Makes it remember a longer log than anybody showed it.
    pub(crate) fn dream(&self, size: u64) {
        self.shared.state.lock().unwrap().seen = Some((size, Digest::from_bytes([7; 32])));
    }
}

/// A policy that demands so many of these.
pub(crate) fn policy(witnesses: &[&Neighbour], threshold: usize) -> String {
    let numbered = || witnesses.iter().enumerate();
    let lines =
        numbered().map(|(number, witness)| format!("witness w{number} {} {}\n", witness.key, witness.url));
    let names = numbered().map(|(number, _)| format!(" w{number}")).collect::<String>();
    format!("{}group most {threshold}{names}\nquorum most\n", lines.collect::<String>())
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let (mut reader, mut writer) = (BufReader::new(stream), stream);
        while let Some(body) = read_request(&mut reader) {
            let (status, answer) = self.answer(&body);
            let length = answer.len();
            let kind = if status == 409 { "text/x.tlog.size" } else { "text/plain" };
            let head = format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            );
            if writer.write_all((head + &answer).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, body: &str) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        let Ok(request) = AddCheckpoint::parse(body) else { return (400, String::new()) };
        if state.asleep {
            return (503, String::new());
        }
        let text = format!("{}\n", request.note().rsplit_once("\n\n").unwrap().0);
        let head = Checkpoint::parse(&text).unwrap();
        let (size, root) = state.seen.unwrap_or((0, *head.root()));
        if request.old_size() != size {
            return (409, size_body(size));
        }
        if size > 0 && verify_consistency(size, head.size(), &root, head.root(), request.proof()).is_err() {
            return (422, String::new());
        }
        state.seen = Some((head.size(), *head.root()));
        (200, self.cosigner.cosign(&text, TIME).unwrap())
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}
