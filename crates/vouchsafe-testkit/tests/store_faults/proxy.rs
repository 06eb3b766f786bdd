//! A way to a PostgreSQL server that cuts connections in mid-commit.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What becomes of the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never gets it.
    Request,
    /// The server gets it, and the client gets no answer.
    Answer,
}

#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cuts: Arc<Mutex<Vec<Cut>>>,
}

impl Proxy {
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts: Arc<Mutex<Vec<Cut>>> = Arc::default();
        let proxy = Self { port, cuts: Arc::clone(&cuts) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client that finds no server is told by the closed connection.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (Ok(back), Ok(there)) = (client.try_clone(), server.try_clone()) else { continue };
                let cuts = Arc::clone(&cuts);
                thread::spawn(move || forward(client, server, &cuts));
                thread::spawn(move || pass(there, back));
            }
        });
        proxy
    }

    /// The next commits meet these, the last one first.
    pub(crate) fn cut(&self, cuts: &[Cut]) {
        self.cuts.lock().unwrap().extend(cuts);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.cuts.lock().unwrap().is_empty()
    }
}

fn forward(mut client: TcpStream, mut server: TcpStream, cuts: &Mutex<Vec<Cut>>) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let commits = bytes[..length].windows(7).any(|window| window == b"COMMIT\0");
        match commits.then(|| cuts.lock().unwrap().pop()).flatten() {
            None if server.write_all(&bytes[..length]).is_ok() => continue,
            Some(Cut::Answer) => {
                // Before the server can answer, nobody listens any more.
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.write_all(&bytes[..length]);
                thread::sleep(Duration::from_millis(50));
            }
            None | Some(Cut::Request) => {}
        }
        break;
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
