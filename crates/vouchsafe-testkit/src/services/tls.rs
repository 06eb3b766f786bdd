//! A server that speaks no TLS newer than 1.1, written by hand: no library of today does any more.
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A root certificate for clients that want one; nothing is signed by it.
pub const ROOT: &[u8] = include_bytes!("root.pem");

/// The record of a ServerHello of TLS 1.1, without extensions: `TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA`.
pub fn hello_of_1_1() -> Vec<u8> {
    let mut record = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    record.extend([7; 32]);
    record.extend([0, 0xc0, 0x09, 0]);
    record
}

/// A server that answers every first message with the hello of TLS 1.1, and gives what each client said to that.
///
/// # Errors
/// Why it cannot listen.
pub fn serve_1_1() -> io::Result<(SocketAddr, Receiver<Vec<u8>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (address, (said, heard)) = (listener.local_addr()?, channel());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = stream.and_then(answer);
            if said.send(answer.unwrap_or_default()).is_err() {
                return;
            }
        }
    });
    Ok((address, heard))
}

/// Whether these bytes are an alert of TLS and nothing else.
pub fn is_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15, 3, _, 0, 2, 2, _])
}

fn answer(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = [0; 4096];
    let _ = stream.read(&mut bytes)?;
    stream.write_all(&hello_of_1_1())?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    Ok(rest)
}
