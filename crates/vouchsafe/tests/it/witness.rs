//! Checkpoints outside, witnesses, background publishing and the handover of the log's key.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vouchsafe::ledger::merkle::verify_consistency;
use vouchsafe::ledger::{
    Checkpoint, Cosigner, HandoverReason, KeyChain, LedgerError, Note, Policy, Trust, Witness, WitnessError,
    WitnessKey, verify_tiles,
};
use vouchsafe::store::FolderTiles;
use vouchsafe::types::{Digest, Secret};
use vouchsafe::{Error, Organisation, Receipt, Unexplained, Vouchsafe};

use crate::scene::{FACE, Scene, consented, enrol, ports_in, verify};

/// A witness in memory that keeps the rules of C2SP tlog-witness: consistency or no cosignature.
struct Neighbour {
    cosigner: Cosigner,
    seen: Mutex<Option<(u64, Digest)>>,
    asleep: Mutex<bool>,
}

impl Neighbour {
    fn new(name: &str) -> Arc<Self> {
        let seed = Secret::init_with(|bytes| bytes.fill(name.bytes().fold(0, u8::wrapping_add)));
        let cosigner = Cosigner::from_seed(name, &seed).unwrap();
        Arc::new(Self { cosigner, seen: Mutex::new(None), asleep: Mutex::new(false) })
    }

    fn seen(&self) -> Option<u64> {
        self.seen.lock().unwrap().map(|(size, _)| size)
    }
}

impl Witness for Neighbour {
    fn key(&self) -> &WitnessKey {
        self.cosigner.key()
    }

    fn add_checkpoint(&self, old: u64, proof: &[Digest], note: &str) -> Result<String, WitnessError> {
        if *self.asleep.lock().unwrap() {
            return Err(WitnessError::Unavailable);
        }
        let text = note.rsplit_once("\n\n").unwrap().0;
        let text = format!("{text}\n");
        Note::parse(note).unwrap();
        let head = Checkpoint::parse(&text).unwrap();
        let mut seen = self.seen.lock().unwrap();
        let (size, root) = seen.unwrap_or((0, *head.root()));
        if old != size {
            return Err(WitnessError::Conflict(size));
        }
        if old > 0 && verify_consistency(old, head.size(), &root, head.root(), proof).is_err() {
            return Err(WitnessError::Refused);
        }
        *seen = Some((head.size(), *head.root()));
        Ok(self.cosigner.cosign(&text, 1_800_000_000).unwrap())
    }
}

fn open_with(scene: &Scene, witnesses: &[&Arc<Neighbour>], quorum: Option<&Policy>) -> Vouchsafe {
    let mut ports = ports_in(scene.dir.path()).with_clock(scene.clock.clone());
    ports.witnesses = witnesses.iter().map(|witness| Arc::clone(witness) as Arc<dyn Witness>).collect();
    ports.quorum = quorum.cloned();
    Vouchsafe::open_with(ports)
}

fn policy(witnesses: &[&Arc<Neighbour>], threshold: usize) -> Policy {
    let mut text = String::new();
    let mut names = String::new();
    for (number, witness) in witnesses.iter().enumerate() {
        text += &format!("witness w{number} {}\n", witness.key());
        names += &format!(" w{number}");
    }
    text += &format!("group all {threshold}{names}\nquorum all\n");
    Policy::parse(text.as_bytes()).unwrap()
}

fn log_folder(scene: &Scene) -> PathBuf {
    fs::read_dir(scene.dir.path().join("log")).unwrap().next().unwrap().unwrap().path()
}

fn outside_folder(scene: &Scene) -> PathBuf {
    fs::read_dir(scene.dir.path().join("outside/checkpoints")).unwrap().next().unwrap().unwrap().path()
}

fn trust_of(organisation: &Organisation<'_>) -> (vouchsafe::ledger::VerifierKey, String) {
    (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap())
}

/// Promise: WB-1.4-immutable
#[test]
fn witnesses_cosign_what_continues_and_a_receipt_can_demand_them() {
    let (scene, first, second) =
        (Scene::new(), Neighbour::new("w.example/1"), Neighbour::new("w.example/22"));
    let service = open_with(&scene, &[&first, &second], None);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let report = organisation.cosign_log().unwrap();
    assert_eq!(report.signed().cosignatures(&[first.key().clone()]).unwrap().len(), 1);
    assert_eq!((first.seen(), second.seen()), (Some(4), Some(4)));

    let mut enrolment = enrol(&person, 1);
    *second.asleep.lock().unwrap() = true;
    let report = organisation.cosign_log().unwrap();
    assert!(!report.shows_a_fork_or_rollback(), "a witness that sleeps stops nothing");
    assert_eq!((first.seen(), second.seen()), (Some(5), Some(4)));

    let (key, origin) = trust_of(&organisation);
    organisation.prove_receipt(enrolment.receipt_mut()).unwrap();
    let kept = Receipt::from_json(&enrolment.receipt().to_json().unwrap()).unwrap();
    let (one, both) = (policy(&[&first], 1), policy(&[&first, &second], 2));
    kept.verify(&Trust::new(&key, &origin)).unwrap();
    kept.verify(&Trust::new(&key, &origin).demanding(&one)).unwrap();
    let missing = kept.verify(&Trust::new(&key, &origin).demanding(&both));
    assert!(matches!(missing, Err(Error::Ledger(LedgerError::QuorumMissing))));
}

/// Promise: WB-1.4-immutable
#[test]
fn a_witness_that_saw_another_history_raises_the_alarm() {
    let (scene, witness) = (Scene::new(), Neighbour::new("w.example/1"));
    let service = open_with(&scene, &[&witness], None);
    let organisation = service.organisation("acme").unwrap();
    consented(&organisation, "4711");
    let _report = organisation.cosign_log().unwrap();
    // Somebody else with the log's key had more leaves, or others, cosigned.
    let (size, root) = witness.seen.lock().unwrap().unwrap();
    *witness.seen.lock().unwrap() = Some((size + 7, root));
    consented(&organisation, "4712");
    assert!(matches!(organisation.cosign_log(), Err(Error::WitnessContradicts)));
}

/// Promise: WB-1.4-immutable
#[test]
fn a_publication_that_was_cut_is_finished_with_the_note_as_it_was_signed() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "4711");
    organisation.publish_log().unwrap();
    let file = log_folder(&scene).join("checkpoint");
    let before = fs::read(&file).unwrap();
    consented(&organisation, "4712");
    organisation.publish_log().unwrap();
    let signed = fs::read(&file).unwrap();
    assert_ne!(before, signed);
    // Killed between the swap outside and the file: the file is the former one.
    fs::write(&file, &before).unwrap();
    let again = scene.again();
    let organisation = again.organisation("acme").unwrap();
    assert!(organisation.subject("4711").unwrap().permit(FACE).unwrap().done().is_some());
    assert_eq!(fs::read(&file).unwrap(), signed, "not signed again");
    assert!(organisation.verify_log().unwrap().is_sound());
}

/// Promise: WB-1.4-immutable
#[test]
fn a_checkpoint_outside_that_is_older_stops_publishing_until_the_recovery() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "4711");
    organisation.publish_log().unwrap();
    let kept = outside_folder(&scene).join("checkpoint");
    let older = fs::read(&kept).unwrap();
    consented(&organisation, "4712");
    organisation.publish_log().unwrap();
    fs::write(&kept, &older).unwrap();
    consented(&organisation, "4713");
    let moved = organisation.publish_log();
    assert!(matches!(moved, Err(Error::Ledger(LedgerError::CheckpointMoved))), "{moved:?}");
    assert!(organisation.recover(Unexplained::Refused).unwrap().is_none(), "nothing was lost");
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
}

#[test]
fn publishing_goes_on_in_the_background_for_every_organisation() {
    let (scene, witness) = (Scene::new(), Neighbour::new("w.example/1"));
    let service = open_with(&scene, &[&witness], None);
    let names = ["acme", "bolt"];
    for name in names {
        consented(&service.organisation(name).unwrap(), "4711");
    }
    let publishing = service.publish_every(Duration::from_millis(20)).unwrap();
    let begun = Instant::now();
    let covered = |name: &str| {
        let organisation = service.organisation(name).unwrap();
        organisation.verify_log().unwrap().checkpoint().is_some_and(|head| head.size() == 4)
    };
    // A round is counted when it has ended, which is after its last log is published.
    while publishing.status().rounds == 0 || !names.iter().all(|name| covered(name)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", publishing.status());
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = publishing.status();
    assert!(status.published >= 2 && status.rounds >= 1, "{status:?}");
    drop(publishing);
}

/// Promise: WB-1.4-immutable
#[test]
fn a_scheduled_handover_leads_outsiders_from_the_old_key_to_the_new_one() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let mut early = enrol(&person, 1);
    organisation.prove_receipt(early.receipt_mut()).unwrap();
    let (old, origin) = trust_of(&organisation);
    let handover = organisation.rotate_log_key(HandoverReason::Scheduled).unwrap();
    let (new, _) = trust_of(&organisation);
    assert_ne!(old, new);
    assert!(verify(&person, 1).is_accepted(), "nobody is disturbed");
    organisation.publish_log().unwrap();

    let handovers = organisation.log_handovers().unwrap();
    assert_eq!(handovers.first(), Some(&handover));
    let chain = KeyChain::follow(old.clone(), &origin, &handovers, None).unwrap();
    assert_eq!(chain.current(), &new);
    let tiles = FolderTiles::at(log_folder(&scene));
    assert!(verify_tiles(&tiles, &Trust::chained(&chain)).unwrap().is_sound());
    assert!(!verify_tiles(&tiles, &Trust::new(&old, &origin)).unwrap().is_sound(), "the old key is retired");
    early.receipt().verify(&Trust::chained(&chain)).unwrap();
    early.receipt().verify(&Trust::new(&old, &origin)).unwrap();
    assert!(organisation.verify_payloads().unwrap().is_sound());

    let third = organisation.rotate_log_key(HandoverReason::Scheduled).unwrap();
    let handovers = organisation.log_handovers().unwrap();
    assert_eq!(handovers, [handover, third]);
    assert!(KeyChain::follow(old, &origin, &handovers, None).is_ok());
}

/// Promise: WB-1.4-immutable
#[test]
fn a_compromised_key_is_handed_over_with_a_quorum_only() {
    let (scene, witness) = (Scene::new(), Neighbour::new("w.example/1"));
    let quorum = policy(&[&witness], 1);
    let service = open_with(&scene, &[&witness], Some(&quorum));
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let (old, origin) = trust_of(&organisation);
    *witness.asleep.lock().unwrap() = true;
    let missing = organisation.rotate_log_key(HandoverReason::Compromised);
    assert!(matches!(missing, Err(Error::Ledger(LedgerError::QuorumMissing))), "{missing:?}");
    assert_eq!(trust_of(&organisation).0, old, "both keys sign until the witnesses have");
    enrol(&person, 1);
    drop(service);

    *witness.asleep.lock().unwrap() = false;
    let service = open_with(&scene, &[&witness], Some(&quorum));
    let organisation = service.organisation("acme").unwrap();
    organisation.rotate_log_key(HandoverReason::Compromised).unwrap();
    let handovers = organisation.log_handovers().unwrap();
    assert_eq!(handovers.len(), 1, "the interrupted one went on");
    assert!(KeyChain::follow(old.clone(), &origin, &handovers, Some(&quorum)).is_ok());
    let unwitnessed = KeyChain::follow(old, &origin, &handovers, None);
    assert_eq!(unwitnessed, Err(LedgerError::QuorumMissing));
}
