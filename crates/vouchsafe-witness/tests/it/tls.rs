//! TLS: whom the client believes.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use vouchsafe_ledger::{Witness, WitnessError};
use vouchsafe_witness::{HttpWitness, SetupError, WitnessConfig};

use crate::fake::{Server, Verdict, answer, read_request};
use crate::log::{Log, ORIGIN, some_key};

const LINES: &str = "\u{2014} witness.example/w1 j/wtuw==\n";
const ROOT: &str = "basicConstraints=critical,CA:TRUE";
const SERVER: &str = "subjectAltName=IP:127.0.0.1";

fn ask(prefix: &str, roots: &[u8]) -> Verdict {
    let config = WitnessConfig::new(prefix, some_key()).ca_certificates(roots);
    HttpWitness::new(config).unwrap().add_checkpoint(0, &[], Log::new(ORIGIN, 1).grow(2, 1).note())
}

#[test]
fn only_a_server_that_a_given_root_vouches_for_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if !make_certificates(folder) {
        return;
    }
    let pem = |name: &str| fs::read(folder.join(name)).unwrap();
    let (prefix, heard) = serve(folder);
    assert_eq!(ask(&prefix, &pem("other.pem")), Err(WitnessError::Unavailable));
    let elsewhere = prefix.replace("127.0.0.1", "localhost");
    assert_eq!(ask(&elsewhere, &pem("root.pem")), Err(WitnessError::Unavailable), "the name is another");
    assert_eq!(heard.load(Ordering::SeqCst), 0, "a server that is not believed hears nothing");
    assert_eq!(ask(&prefix, &pem("root.pem")).as_deref(), Ok(LINES));
    assert_eq!(ask(&prefix, &[pem("other.pem"), pem("root.pem")].concat()).as_deref(), Ok(LINES));
    assert_eq!(heard.load(Ordering::SeqCst), 2);

    let plain = Server::answering(answer(200, "text/plain", LINES));
    let prefix = format!("https://{}", plain.address);
    assert!(ask(&prefix, &pem("root.pem")).is_err_and(|error| error == WitnessError::Unavailable));

    let with_key = WitnessConfig::new(&prefix, some_key()).ca_certificates(&pem("root.key"));
    assert_eq!(HttpWitness::new(with_key).err(), Some(SetupError::Certificates));
}

/// Promise: WB-3-transit
#[test]
fn a_server_of_tls_1_2_is_asked_and_one_of_1_1_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if !make_certificates(folder) {
        return;
    }
    let root = fs::read(folder.join("root.pem")).unwrap();
    let (prefix, _) = serve_versions(folder, &[&rustls::version::TLS12]);
    assert_eq!(ask(&prefix, &root).as_deref(), Ok(LINES));

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let prefix = format!("https://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        // The hello of TLS 1.1, without extensions.
        let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        hello.extend([7; 32]);
        hello.extend([0, 0xc0, 0x09, 0]);
        stream.write_all(&hello).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        said
    });
    assert_eq!(ask(&prefix, &root), Err(WitnessError::Unavailable));
    let said = server.join().unwrap();
    assert!(matches!(said.as_slice(), [0x15, 3, _, 0, 2, 2, 70]), "an alert, protocol version: {said:?}");
}

/// Promise: WB-3-transit
#[test]
fn a_remote_witness_without_tls_is_refused_before_anything_is_sent() {
    let config = WitnessConfig::new("http://witness.example", some_key());
    assert_eq!(HttpWitness::new(config).err(), Some(SetupError::Address));
}

/// A TLS server that gives every request the same answer; and how many it heard.
fn serve(folder: &Path) -> (String, Arc<AtomicUsize>) {
    serve_versions(folder, rustls::ALL_VERSIONS)
}

fn serve_versions(
    folder: &Path,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (String, Arc<AtomicUsize>) {
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (prefix, heard) =
        (format!("https://{}", listener.local_addr().unwrap()), Arc::<AtomicUsize>::default());
    let count = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.and_then(|stream| answer_one(stream, Arc::clone(&config), &count));
        }
    });
    (prefix, heard)
}

fn answer_one(stream: TcpStream, config: Arc<ServerConfig>, heard: &AtomicUsize) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    read_request(&mut reader)?;
    heard.fetch_add(1, Ordering::SeqCst);
    let stream = reader.get_mut();
    stream.write_all(&answer(200, "text/plain", LINES))?;
    stream.flush()
}

/// Two roots, and a server's certificate under the first; false, said aloud, without the `openssl` command.
fn make_certificates(folder: &Path) -> bool {
    let under = ["-CA", "root.pem", "-CAkey", "root.key"];
    let made = [("root", ROOT, &[][..]), ("other", ROOT, &[]), ("server", SERVER, &under)]
        .into_iter()
        .all(|(name, extension, more)| openssl(folder, name, extension, more));
    let required = env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_some();
    assert!(made || !required, "openssl makes no certificates, and VOUCHSAFE_REQUIRE_SERVICES is set");
    if !made {
        // Straight to the terminal: the test harness keeps what `eprintln` prints.
        io::stderr()
            .write_all(b"SKIPPED: openssl makes no certificates: TLS to a witness is not tested\n")
            .unwrap();
    }
    made
}

fn openssl(folder: &Path, name: &str, extension: &str, more: &[&str]) -> bool {
    let config = format!(
        "[req]\ndistinguished_name=name\nx509_extensions=extensions\nprompt=no\n\
         [name]\nCN=test {name}\n[extensions]\n{extension}\n"
    );
    fs::write(folder.join(format!("{name}.cnf")), config).unwrap();
    let status = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
        ])
        .args(["-config", &format!("{name}.cnf"), "-keyout", &format!("{name}.key")])
        .args(["-out", &format!("{name}.pem")])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
