//! A gate before an HTTP server: it lets one request at a time through, and makes faults on demand.
#![expect(clippy::unwrap_used, reason = "a gate for tests: without it they fail")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests name each")]
pub enum Fault {
    /// It is answered 503 SlowDown; the server does not hear of it.
    Busy,
    /// The answer ends after so many bytes of its body.
    CutBody(usize),
    /// The server hears it only after a while; the client waits.
    Late(Duration),
    /// The server does what it is asked, and the answer is lost.
    LoseAnswer,
    /// The connection is closed before the server hears of it.
    LoseRequest,
    /// Nothing.
    None,
    /// The answer says that it is shorter than it is, by so many bytes.
    ShortLength(usize),
    /// The conditions are taken off.
    Unconditional,
}

/// What is seen of a request.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests look at all of it")]
pub struct Seen {
    /// GET, PUT or DELETE.
    pub method: String,
    /// The path, without parameters.
    pub path: String,
}

type Plan = Box<dyn FnMut(&Seen) -> Fault + Send>;

/// A listener on a loopback port that passes requests on.
///
/// Servers for tests check a condition and then write, in two steps; of one request at a time each is done before
/// the next, which makes the two one, as it is in the stores of providers.
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    plan: Mutex<Plan>,
    turn: Mutex<()>,
    closed: AtomicBool,
}

impl Gate {
    /// A gate before a server.
    ///
    /// # Panics
    /// When no port is free.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let plan: Plan = Box::new(|_| Fault::None);
        let shared = Arc::new(Shared {
            server,
            plan: Mutex::new(plan),
            turn: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let inner = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if inner.closed.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&inner)) else { continue };
                thread::spawn(move || {
                    let _ = shared.serve(stream);
                });
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What becomes of the requests from now on.
    pub fn plan(&self, plan: impl FnMut(&Seen) -> Fault + Send + 'static) {
        *self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(plan);
    }

    /// The fault for the next request that `of` picks, and none from then on.
    pub fn once(&self, fault: Fault, of: impl Fn(&Seen) -> bool + Send + 'static) {
        let mut left = Some(fault);
        self.plan(move |seen| if of(seen) { left.take().unwrap_or(Fault::None) } else { Fault::None });
    }

    /// No faults from now on.
    pub fn mend(&self) {
        self.plan(|_| Fault::None);
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // The listener sees it when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(LONGEST))?;
        let Some((head, body)) = read_request(&mut client)? else { return Ok(()) };
        let seen = seen(&head);
        let fault = (self.plan.lock().unwrap_or_else(PoisonError::into_inner))(&seen);
        match fault {
            Fault::Busy => return client.write_all(BUSY),
            Fault::LoseRequest => return client.shutdown(Shutdown::Both),
            Fault::Late(time) => thread::sleep(time),
            _ => {}
        }
        let answer = {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.ask(&rewritten(&head, fault == Fault::Unconditional), &body)?
        };
        match fault {
            Fault::LoseAnswer => client.shutdown(Shutdown::Both),
            Fault::CutBody(len) => {
                let end = body_start(&answer).map_or(answer.len(), |start| answer.len().min(start + len));
                client.write_all(answer.get(..end).unwrap_or_default())?;
                client.shutdown(Shutdown::Both)
            }
            Fault::ShortLength(by) => client.write_all(&shortened(&answer, by)),
            _ => client.write_all(&answer),
        }
    }

    fn ask(&self, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect_timeout(&self.server, LONGEST)?;
        server.set_read_timeout(Some(LONGEST))?;
        server.write_all(head.as_bytes())?;
        server.write_all(body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// One request, whole; `None` where the client went away.
fn read_request(client: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let start = loop {
        if let Some(start) = body_start(&bytes) {
            break start;
        }
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            len => bytes.extend_from_slice(buffer.get(..len).unwrap_or_default()),
        }
    };
    let mut body = bytes.split_off(start);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    while body.len() < length {
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            len => body.extend_from_slice(buffer.get(..len).unwrap_or_default()),
        }
    }
    Ok(Some((head, body)))
}

fn seen(head: &str) -> Seen {
    let mut words = head.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Seen { method, path }
}

/// The head with one connection for one request.
fn rewritten(head: &str, unconditional: bool) -> String {
    let dropped = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        name == "connection" || unconditional && matches!(name.as_str(), "if-match" | "if-none-match")
    };
    let mut lines = head.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let rest: String = lines.filter(|line| !dropped(line)).map(|line| format!("{line}\r\n")).collect();
    format!("{first}\r\n{rest}Connection: close\r\n\r\n")
}

fn shortened(answer: &[u8], by: usize) -> Vec<u8> {
    let Some(start) = body_start(answer) else { return answer.to_vec() };
    let (head, body) = answer.split_at(start);
    let head = String::from_utf8_lossy(head).into_owned();
    let length: usize = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let said = format!("Content-Length: {}\r\n", length.saturating_sub(by));
    let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
    let mut out: String = head
        .trim_end()
        .split("\r\n")
        .filter(|line| !is_length(line))
        .map(|line| format!("{line}\r\n"))
        .collect();
    out.push_str(&said);
    out.push_str("\r\n");
    [out.as_bytes(), body].concat()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn body_start(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

const LONGEST: Duration = Duration::from_secs(30);
const BUSY: &[u8] = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 64\r\nConnection: close\r\n\r\n<Error><Code>SlowDown</Code><Message>Slow down</Message></Error>";
