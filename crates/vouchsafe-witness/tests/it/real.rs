//! A witness that shares no code with this workspace: PyPI `aics-witness`, started by each test.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::time::{Duration, SystemTime};
use std::{env, thread};

use vouchsafe_ledger::witness::add_checkpoint_body;
use vouchsafe_ledger::{
    CosignOutcome, CosignedSizes, LedgerError, SignedCheckpoint, Witness, WitnessError, WitnessKey,
};
use vouchsafe_types::Digest;
use vouchsafe_witness::{HttpWitness, WitnessConfig};

use crate::log::{Log, ORIGIN, some_key};

const PROGRAM: &str = "aics-witness";

/// Whether it was said that there is no witness.
static SAID: Once = Once::new();

/// A witness that knows one log; it ends when the value is dropped.
struct RealWitness {
    child: Child,
    address: String,
    client: HttpWitness,
    // Removed after the child has ended.
    _folder: tempfile::TempDir,
}

impl RealWitness {
    /// A fresh witness; `None`, said aloud, where the program is not installed.
    fn knowing(log: &Log) -> Option<Self> {
        if Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).status().is_err() {
            let message = format!("no `{PROGRAM}` on PATH: cosigning by a real witness is not tested");
            assert!(env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_none(), "{message}");
            // Straight to the terminal: the test harness keeps what `eprintln` prints.
            let say = || io::stderr().write_all(format!("SKIPPED: {message}\n").as_bytes());
            SAID.call_once(|| say().unwrap());
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| command(&folder, arguments).output().unwrap();
        let init =
            run(&["init", "--name", "witness.example/w1", "--listen", "127.0.0.1:0", "--prefix", "/w1"]);
        let key = WitnessKey::parse(text(&init).lines().last().unwrap()).unwrap();
        text(&run(&["add-log", "--origin", ORIGIN, "--vkey", &log.key()]));
        let mut child = command(&folder, &["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let address = listening(&mut child);
        let config = WitnessConfig::new(&format!("http://{address}/w1"), key);
        let client = HttpWitness::new(config.timeout(Duration::from_secs(20))).unwrap();
        Some(Self { child, address, client, _folder: folder })
    }

    /// Asks for a cosignature, and puts what comes under the checkpoint.
    fn cosign(&self, old: u64, proof: &[Digest], signed: &SignedCheckpoint) -> SignedCheckpoint {
        let lines = self.client.add_checkpoint(old, proof, signed.note()).unwrap();
        let cosigned = signed.with_signature_lines(&lines, &self.keys()).unwrap();
        let found = cosigned.cosignatures(&self.keys()).unwrap();
        assert_eq!((found.len(), found[0].witness()), (1, self.client.key()));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert!(found[0].time().abs_diff(now) < 60);
        cosigned
    }

    fn keys(&self) -> [WitnessKey; 1] {
        [self.client.key().clone()]
    }

    /// The status of the answer to a request, without our client.
    fn status(&self, old: u64, proof: &[Digest], signed: &SignedCheckpoint) -> u16 {
        let body = add_checkpoint_body(old, proof, signed.note()).unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("Host: w\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(format!("POST /w1/add-checkpoint HTTP/1.1\r\n{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for RealWitness {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_witness_cosigns_a_new_log_and_what_continues_it() {
    let mut log = Log::new(ORIGIN, 1);
    let Some(witness) = RealWitness::knowing(&log) else { return };
    let first = log.grow(300, 1);
    let cosigned = witness.cosign(0, &[], &first);
    assert_eq!(cosigned.checkpoint(), first.checkpoint());
    assert!(cosigned.note().starts_with(first.note()));
    assert_eq!(witness.status(300, &[], &first), 200, "the same again");

    let second = log.grow(1000, 1);
    assert_eq!(witness.cosign(300, &log.proof(300), &second).checkpoint().size(), 1000);
    let third = log.grow(1001, 1);
    assert_eq!(witness.status(1000, &log.proof(1000), &third), 200);
    // What is cosigned already may be sent along.
    let fourth = log.grow(70_000, 1);
    let cosigned = witness.cosign(1001, &log.proof(1001), &fourth);
    witness.cosign(70_000, &[], &cosigned);
}

#[test]
fn a_cosignature_verifies_for_its_checkpoint_and_its_key_alone() {
    let mut log = Log::new(ORIGIN, 1);
    let Some(witness) = RealWitness::knowing(&log) else { return };
    let first = log.grow(10, 1);
    let lines = witness.client.add_checkpoint(0, &[], first.note()).unwrap();
    let second = log.grow(11, 1);
    let moved = second.with_signature_lines(&lines, &witness.keys());
    assert_eq!(moved.err(), Some(LedgerError::SignatureInvalid), "it is of another checkpoint");
    let stranger = first.with_signature_lines(&lines, &[some_key()]).unwrap();
    assert_eq!(stranger.note(), first.note(), "nobody knows the key");
    for at in 0..lines.len() {
        let mut changed = lines.clone().into_bytes();
        changed[at] ^= 1;
        let Ok(changed) = String::from_utf8(changed) else { continue };
        let taken = first.with_signature_lines(&changed, &witness.keys());
        assert!(taken.is_err() || taken.is_ok_and(|taken| taken.note() == first.note()), "byte {at}");
    }
}

#[test]
fn a_log_that_forgot_what_was_cosigned_is_told_and_recovers() {
    let mut log = Log::new(ORIGIN, 1);
    let Some(witness) = RealWitness::knowing(&log) else { return };
    witness.cosign(0, &[], &log.grow(300, 1));
    let second = log.grow(400, 1);
    witness.cosign(300, &log.proof(300), &second);
    let third = log.grow(1000, 1);
    for stale in [0, 300, 999] {
        let proof = if stale == 0 { Vec::new() } else { log.proof(stale) };
        assert_eq!(witness.status(stale, &proof, &third), 409);
        let Err(WitnessError::Conflict(size)) = witness.client.add_checkpoint(stale, &proof, third.note())
        else {
            panic!("an old size of {stale} is stale");
        };
        assert_eq!(size, 400);
    }
    witness.cosign(400, &log.proof(400), &third);
    let rolled_back = witness.client.add_checkpoint(300, &[], second.note());
    assert_eq!(rolled_back, Err(WitnessError::Conflict(1000)), "an older checkpoint");
}

#[test]
fn a_fork_is_never_cosigned() {
    let mut log = Log::new(ORIGIN, 1);
    let Some(witness) = RealWitness::knowing(&log) else { return };
    witness.cosign(0, &[], &log.grow(300, 1));
    // The same key, and another leaf 299: what a restored snapshot and a second writer would sign.
    let mut fork = Log::new(ORIGIN, 1);
    fork.grow(299, 1);
    let same_size = fork.grow(300, 2);
    // The standard wants 409 here, and this witness says 422.
    assert!([409, 422].contains(&witness.status(300, &[], &same_size)));
    let answer = witness.client.add_checkpoint(300, &[], same_size.note());
    assert!(matches!(answer, Err(WitnessError::Inconsistent | WitnessError::Conflict(300))));

    let larger = fork.grow(1000, 2);
    assert_eq!(witness.status(300, &fork.proof(300), &larger), 422);
    let refused = witness.client.add_checkpoint(300, &fork.proof(300), larger.note());
    assert_eq!(refused, Err(WitnessError::Inconsistent));
    assert_eq!(
        witness.client.add_checkpoint(300, &[], larger.note()),
        Err(WitnessError::Inconsistent),
        "no proof"
    );
    let hidden = witness.client.add_checkpoint(0, &[], larger.note());
    assert_eq!(hidden, Err(WitnessError::Conflict(300)), "as if it were new");
    // None of it moved what the witness remembers.
    let honest = log.grow(1000, 1);
    witness.cosign(300, &log.proof(300), &honest);
}

#[test]
fn rounds_of_the_ledger_end_in_a_cosigned_checkpoint() {
    let mut log = Log::new(ORIGIN, 1);
    let Some(witness) = RealWitness::knowing(&log) else { return };
    let client = &witness.client;
    let mut sizes = CosignedSizes::default();
    let round = |log: &Log, sizes: &mut CosignedSizes| {
        let report = log.cosign(client, sizes);
        let outcome = report.outcomes()[0].1;
        let cosigned = report.signed().cosignatures(&witness.keys()).unwrap();
        let holds = matches!(outcome, CosignOutcome::Cosigned(_) | CosignOutcome::Already(_));
        assert_eq!(cosigned.len(), usize::from(holds));
        (outcome, report.shows_a_fork_or_rollback())
    };
    for size in [300, 400, 70_000] {
        log.grow(size, 1);
        assert!(matches!(round(&log, &mut sizes), (CosignOutcome::Cosigned(_), false)));
        assert!(matches!(round(&log, &mut sizes), (CosignOutcome::Already(_), false)));
    }
    // What was known of the witness is lost, and learnt from it again.
    log.grow(70_001, 1);
    assert!(matches!(round(&log, &mut CosignedSizes::default()), (CosignOutcome::Cosigned(_), false)));
    log.grow(70_002, 1);
    assert!(matches!(round(&log, &mut sizes), (CosignOutcome::Cosigned(_), false)), "the size is stale");

    let mut restored = Log::new(ORIGIN, 1);
    restored.grow(400, 1);
    assert_eq!(round(&restored, &mut CosignedSizes::default()), (CosignOutcome::Ahead(70_002), true));
    restored.grow(70_003, 2);
    let refused = (CosignOutcome::Contradicted(70_002), true);
    assert_eq!(round(&restored, &mut CosignedSizes::default()), refused);
    assert!(matches!(round(&log, &mut sizes), (CosignOutcome::Already(_), false)));
}

#[test]
fn a_strange_log_or_signature_is_refused() {
    let mut log = Log::new(ORIGIN, 1);
    let Some(witness) = RealWitness::knowing(&log) else { return };
    let strange = Log::new("log.example/other", 1).grow(10, 1);
    assert_eq!(witness.status(0, &[], &strange), 404);
    let answer = witness.client.add_checkpoint(0, &[], strange.note());
    assert_eq!(answer, Err(WitnessError::UnknownLog));
    let forged = Log::new(ORIGIN, 2).grow(10, 1);
    assert_eq!(witness.status(0, &[], &forged), 403);
    assert_eq!(witness.client.add_checkpoint(0, &[], forged.note()), Err(WitnessError::Refused));
    let ahead = log.grow(10, 1);
    assert_eq!(witness.status(11, &[], &ahead), 400);
    assert_eq!(witness.client.add_checkpoint(11, &[], ahead.note()), Err(WitnessError::Refused));
}

fn command(folder: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(folder)
        .args(arguments)
        .env("AICS_WITNESS_CONFIG", folder.path().join("witness.json"));
    command.stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{PROGRAM} failed: {error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The address on which the witness says that it listens; the rest of what it says is dropped.
fn listening(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("listening on http://")).expect("the witness starts");
    thread::spawn(move || lines.for_each(drop));
    let (_, address) = line.split_once("http://").unwrap();
    address.split(['/', ' ']).next().unwrap().to_owned()
}
