//! A wire to the TPM that can be listened to, and cut.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use vouchsafe_testkit::services::swtpm;

#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// The command does not reach the TPM.
    Before,
    /// The TPM acts and its response is lost.
    After,
}

/// Passes TPM commands on, until it is cut; nothing passes from then on.
pub(crate) struct Wire {
    port: u16,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    target: u16,
    seen: Mutex<Seen>,
    over: AtomicBool,
}

/// What passed: the number of commands, and every byte of commands and responses; and where it is to be cut.
#[derive(Default)]
struct Seen {
    commands: usize,
    cut: Option<(usize, When)>,
    bytes: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(target: u16) -> Self {
        let (commands, control, port) = loop {
            let port = swtpm::free_ports().unwrap();
            let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            if let (Ok(commands), Ok(control)) = (listen(port), listen(port + 1)) {
                break (commands, control, port);
            }
        };
        let shared = Arc::new(Shared { target, seen: Mutex::default(), over: AtomicBool::new(false) });
        let threads = [
            serve(commands, &shared, |shared, client| shared.carry_commands(client)),
            serve(control, &shared, |shared, client| shared.carry_control(client)),
        ];
        Self { port, shared, threads: Vec::from(threads) }
    }

    pub(crate) fn tcti(&self) -> String {
        swtpm::tcti(self.port)
    }

    /// Cuts it at the command with this number from now on, the next being 0.
    pub(crate) fn cut_at(&self, number: usize, when: When) {
        let mut seen = self.shared.seen.lock().unwrap();
        seen.cut = Some((seen.commands + number, when));
    }

    /// Whether the command came at which it is cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.shared.is_cut()
    }

    pub(crate) fn carried(&self, needle: &[u8]) -> bool {
        self.shared.seen.lock().unwrap().bytes.windows(needle.len()).any(|window| window == needle)
    }

    pub(crate) fn commands(&self) -> usize {
        self.shared.seen.lock().unwrap().commands
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for (port, thread) in (self.port..).zip(self.threads.drain(..)) {
            // Wakes the thread up.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn is_cut(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.cut.is_some_and(|(at, _)| seen.commands > at)
    }

    /// Carries the commands of one connection, one after the other as the TPM takes them.
    fn carry_commands(&self, client: &mut TcpStream) -> io::Result<()> {
        if self.is_cut() {
            return Ok(());
        }
        let mut tpm = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target))?;
        loop {
            let command = message(client)?;
            let now = self.note(&command);
            if matches!(now, Some(When::Before)) {
                return Ok(());
            }
            tpm.write_all(&command)?;
            let response = message(&mut tpm)?;
            self.seen.lock().unwrap().bytes.extend_from_slice(&response);
            if matches!(now, Some(When::After)) {
                return Ok(());
            }
            client.write_all(&response)?;
        }
    }

    /// Carries the requests of one connection to the control channel, which are shorter than a packet.
    fn carry_control(&self, client: &mut TcpStream) -> io::Result<()> {
        let mut control = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target + 1))?;
        let mut packet = [0; 512];
        loop {
            let len = client.read(&mut packet)?;
            if len == 0 {
                return Ok(());
            }
            control.write_all(&packet[..len])?;
            let len = control.read(&mut packet)?;
            client.write_all(&packet[..len])?;
        }
    }

    /// Counts a command, and says whether it is the last one.
    fn note(&self, command: &[u8]) -> Option<When> {
        let mut seen = self.seen.lock().unwrap();
        seen.bytes.extend_from_slice(command);
        let number = seen.commands;
        seen.commands += 1;
        seen.cut.filter(|(at, _)| *at == number).map(|(_, when)| when)
    }
}

fn serve(
    listener: TcpListener,
    shared: &Arc<Shared>,
    carry: fn(&Shared, &mut TcpStream) -> io::Result<()>,
) -> JoinHandle<()> {
    let shared = shared.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            if shared.over.load(Ordering::SeqCst) {
                return;
            }
            // An end of either side ends the connection.
            let _ = client.and_then(|mut client| carry(&shared, &mut client));
        }
    })
}

/// One command or response: tag (2), its whole length (4), code (4), the rest.
fn message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 10];
    stream.read_exact(&mut message)?;
    let len = u32::from_be_bytes(message[2..6].try_into().unwrap());
    message.resize(usize::try_from(len).unwrap().max(10), 0);
    stream.read_exact(&mut message[10..])?;
    Ok(message)
}
