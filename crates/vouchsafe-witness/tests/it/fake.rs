//! A server of this process that says what it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use vouchsafe_ledger::WitnessError;
use vouchsafe_witness::{HttpWitness, WitnessConfig};

use crate::log::some_key;

/// One step of what is said on a connection.
#[derive(Clone)]
pub(crate) enum Step {
    /// Reads a request.
    Read,
    Say(Vec<u8>),
    /// Says it byte by byte, with pauses; repeats for ever.
    Trickle(&'static [u8]),
    /// Says nothing until the client has gone.
    Wait,
}

/// A server on a loopback port. It plays the n-th script on the n-th connection, the last one on all others.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn playing(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, requests) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let heard = Arc::clone(&requests);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let script = scripts[number.min(scripts.len() - 1)].clone();
                let heard = Arc::clone(&heard);
                // The client may hang up whenever it likes.
                thread::spawn(move || stream.and_then(|stream| play(stream, script, &heard)).ok());
            }
        });
        Self { address, requests }
    }

    /// A server that gives every request this answer.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::playing(vec![vec![Step::Read, Step::Say(answer.into())]])
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> HttpWitness {
        let config = WitnessConfig::new(&format!("http://{}/w1", self.address), some_key());
        HttpWitness::new(config.timeout(Duration::from_secs(20))).unwrap()
    }

    /// A client that loses patience soon.
    pub(crate) fn hasty_client(&self) -> HttpWitness {
        let config = WitnessConfig::new(&format!("http://{}/w1", self.address), some_key());
        HttpWitness::new(config.timeout(Duration::from_millis(300))).unwrap()
    }
}

/// An answer with this status, media type and body.
pub(crate) fn answer(status: u16, media_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// What a client that got a verdict says of it.
pub(crate) type Verdict = Result<String, WitnessError>;

fn play(stream: TcpStream, script: Vec<Step>, heard: &Mutex<Vec<String>>) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    for step in script {
        match step {
            Step::Read => {
                let request = read_request(&mut reader)?;
                heard.lock().unwrap().push(request);
            }
            Step::Say(bytes) => writer.write_all(&bytes)?,
            Step::Trickle(bytes) => loop {
                for byte in bytes {
                    writer.write_all(&[*byte])?;
                    thread::sleep(Duration::from_millis(20));
                }
            },
            Step::Wait => drop(reader.read_to_end(&mut Vec::new())?),
        }
    }
    Ok(())
}

pub(crate) fn read_request(reader: &mut impl BufRead) -> io::Result<String> {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = request.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(request + &String::from_utf8(body).unwrap())
}
