//! The restore drill on both engines: a backup taken while others are served, then destructions, withdrawals and new
//! people, the loss of the database, and the way back.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a drill"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use vouchsafe::{
    Consented, Destruction, Error, Organisation, Outcome, Permit, Recovery, Refusal, Unexplained, Vouchsafe,
};
use vouchsafe_envelope::EnvelopeError;
use vouchsafe_ledger::{
    Checkpoint, EntryKind, Leaf, Trust, VerifierKey, merkle, prove_consistency, verify_tiles,
};
use vouchsafe_store::{Backup, FolderTiles};
use vouchsafe_testkit::scan::{Needles, scan_files};
use vouchsafe_testkit::scene::{ORGANISATION, SCOPE, caller_id, embedding, give, notice, organisation_id};

use place::{Engine, Place};

#[path = "store_restore/place.rs"]
mod place;

const PEOPLE: u32 = 160;
const DESTROYED: u32 = 37;
const WITHDRAWN: u32 = 20;
const NEW: u32 = 8;

/// Promise: WB-3-30days, WB-5-revoke, FP-6-necessary
#[test]
fn a_restore_resurrects_nobody_and_its_log_goes_on() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let home = tempfile::tempdir().unwrap();
        if let Some(place) = Place::settle(engine, &home.path().join("live")) {
            drill(&place, home.path());
        }
    }
}

fn drill(place: &Place, home: &Path) {
    let service = place.open();
    let organisation = service.organisation(ORGANISATION).unwrap();
    let permits: Vec<_> = (0..PEOPLE).map(|person| enrol(&organisation, person)).collect();
    let kept = organisation.publish_log().unwrap().checkpoint().clone();
    let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());

    let backup = back_up_while_serving(place, &service, &permits, &home.join("backup"));
    backup.verify().unwrap();
    backup.verify_note(ORGANISATION, &key).unwrap();
    holds_no_keys(place, &home.join("backup"), home);

    let gone = end_some(&organisation);
    for person in PEOPLE..PEOPLE + NEW {
        let _permit = enrol(&organisation, person);
    }
    let before = organisation.publish_log().unwrap().checkpoint().clone();
    drop(service);

    let without = without_outside(place, &home.join("alone"), &backup, &permits);
    place.lose_and_restore(&backup);
    let recovery = {
        let service = place.open();
        let organisation = service.organisation(ORGANISATION).unwrap();
        only_reads(&organisation, &permits);
        let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
        assert!(organisation.recover(Unexplained::Refused).unwrap().is_none());
        recovery
    };
    let Recovery { gap_from, gap_to, destroyed, closed, unexplained, orphaned, .. } = recovery;
    assert_eq!((destroyed, closed), (u64::from(DESTROYED + WITHDRAWN), u64::from(DESTROYED + WITHDRAWN)));
    assert_eq!((unexplained, gap_to), (0, before.size()));
    assert!(orphaned >= u64::from(NEW), "{orphaned}");

    // A process that knows nothing of it.
    let service = place.open();
    let organisation = service.organisation(ORGANISATION).unwrap();
    let accepted = |people: &BTreeSet<u32>| {
        people.iter().filter(|person| is_accepted(&organisation, &permits, **person)).count()
    };
    let (destroyed_readable, withdrawn_accepted) = (accepted(&gone.destroyed), accepted(&gone.withdrawn));
    let others =
        (0..PEOPLE).filter(|person| !gone.destroyed.contains(person) && !gone.withdrawn.contains(person));
    let others: BTreeSet<u32> = others.collect();
    let survivors = accepted(&others);
    assert_eq!((destroyed_readable, withdrawn_accepted, survivors), (0, 0, others.len()));
    for person in gone.destroyed.iter().chain(&gone.withdrawn) {
        let subject = organisation.subject(&caller_id(*person)).unwrap();
        let refused = subject.permit(SCOPE).unwrap().or_refuse().unwrap_err();
        assert!(refused.contains(Refusal::ConsentWithdrawn), "{refused:?}");
    }
    // Whoever came in the gap comes again.
    let again = enrol(&organisation, PEOPLE);
    let subject = organisation.subject(&caller_id(PEOPLE)).unwrap();
    assert!(subject.verify_embedding(&again, embedding(&again, PEOPLE, 1).unwrap()).unwrap().is_accepted());

    names_the_gap(place, &organisation, (gap_from, gap_to));
    let now = organisation.publish_log().unwrap().checkpoint().clone();
    assert!(organisation.verify_log().unwrap().is_sound());
    assert!(organisation.verify_payloads().unwrap().is_sound());
    assert!(organisation.check_rows().unwrap().is_sound());
    let verifier = outsider(place, (&key, &origin), &[&kept, &before], &now);
    println!(
        "store_restore engine={} destroyed_readable={destroyed_readable}/{DESTROYED} \
         withdrawn_accepted={withdrawn_accepted}/{WITHDRAWN} survivors_open={survivors}/{} gap={gap_from}..{gap_to} \
         unexplained={unexplained} verifier={verifier} without_outside={without}",
        place.name(),
        others.len()
    );
}

fn enrol(organisation: &Organisation<'_>, person: u32) -> Permit<Consented> {
    let subject = organisation.subject(&caller_id(person)).unwrap();
    let shown = notice(organisation).unwrap();
    let _receipt = give(&subject, SCOPE, &shown).unwrap();
    let permit = subject.permit(SCOPE).unwrap().done().unwrap();
    let enrolled = subject.enrol_embedding(&permit, embedding(&permit, person, 1).unwrap()).unwrap();
    assert!(matches!(enrolled, Outcome::Done(_)));
    permit
}

fn is_accepted(organisation: &Organisation<'_>, permits: &[Permit<Consented>], person: u32) -> bool {
    let permit = &permits[person as usize];
    let subject = organisation.subject(&caller_id(person)).unwrap();
    let face = embedding(permit, person, 1).unwrap();
    subject.verify_embedding(permit, face).is_ok_and(|decision| decision.is_accepted())
}

/// Takes a backup while another thread verifies people, each an entry of the log.
fn back_up_while_serving(
    place: &Place,
    service: &Vouchsafe,
    permits: &[Permit<Consented>],
    folder: &Path,
) -> Backup {
    let (ended, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let other = place.open();
    let backup = std::thread::scope(|scope| {
        scope.spawn(|| {
            let organisation = other.organisation(ORGANISATION).unwrap();
            let mut person = 0;
            while !ended.load(Ordering::Relaxed) {
                assert!(is_accepted(&organisation, permits, person % PEOPLE));
                served.fetch_add(1, Ordering::Relaxed);
                person += 1;
            }
        });
        while served.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        let before = served.load(Ordering::Relaxed);
        let backup = service.backup(folder);
        while served.load(Ordering::Relaxed) == before {
            std::thread::yield_now();
        }
        ended.store(true, Ordering::Relaxed);
        backup
    });
    backup.unwrap()
}

/// Nothing of keys, key states and fence journals is in the backup; the scan finds what is planted beside it.
fn holds_no_keys(place: &Place, backup: &Path, home: &Path) {
    let mut needles = Needles::new();
    let mut secret = Vec::new();
    for folder in ["keys", "outside/state", "outside/fences"] {
        files_below(&place.folder().join(folder), &mut secret);
    }
    assert!(secret.len() >= 4, "key file, two places of the state, a journal: {secret:?}");
    for (number, file) in secret.iter().enumerate() {
        let bytes = fs::read(file).unwrap();
        if bytes.len() >= 32 {
            needles.pieces(&format!("file {number}"), &bytes, 32).unwrap();
        }
    }
    let found = scan_files(backup, &needles).unwrap();
    assert_eq!(found.total(), 0, "{found}");
    let control = home.join("control");
    fs::create_dir(&control).unwrap();
    for (number, file) in secret.iter().enumerate() {
        fs::copy(file, control.join(number.to_string())).unwrap();
    }
    let planted = scan_files(&control, &needles).unwrap();
    assert!(planted.total() > 0, "the scan finds what is there");
}

fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files_below(&entry.path(), found);
        } else if entry.metadata().unwrap().len() > 0 {
            found.push(entry.path());
        }
    }
}

/// The people who left after the backup.
struct Gone {
    destroyed: BTreeSet<u32>,
    withdrawn: BTreeSet<u32>,
}

fn end_some(organisation: &Organisation<'_>) -> Gone {
    let destroyed: BTreeSet<u32> = (0..DESTROYED).map(|number| number * 4 + 1).collect();
    let withdrawn: BTreeSet<u32> = (0..WITHDRAWN).map(|number| number * 4 + 2).collect();
    for person in &destroyed {
        let ended = organisation.subject(&caller_id(*person)).unwrap().erase().unwrap();
        assert!(matches!(ended, Destruction::Done(_)), "{ended:?}");
    }
    for person in &withdrawn {
        let ended = organisation.subject(&caller_id(*person)).unwrap().withdraw(SCOPE).unwrap();
        assert!(matches!(ended.destruction, Destruction::Done(_)), "{:?}", ended.destruction);
    }
    Gone { destroyed, withdrawn }
}

fn is_closed(error: &Error) -> bool {
    matches!(error, Error::RecoveryRequired | Error::OutsideLost | Error::Envelope(EnvelopeError::FencesLost))
}

/// Before the recovery no template is opened, no permit made and nothing written; the log is proven.
fn only_reads(organisation: &Organisation<'_>, permits: &[Permit<Consented>]) {
    let refused = |what: &str, error: Option<Error>| {
        let error = error.unwrap_or_else(|| panic!("{what} is not refused"));
        assert!(is_closed(&error), "{what}: {error}");
    };
    refused("notice", notice(organisation).err());
    refused("publish", organisation.publish_log().err());
    refused("plan", organisation.plan_retention().err());
    for person in [0, 1, 2, 3] {
        match organisation.subject(&caller_id(person)) {
            Ok(subject) => {
                let permit = &permits[person as usize];
                let face = || embedding(permit, person, 1).unwrap();
                refused("permit", subject.permit(SCOPE).err());
                refused("verify", subject.verify_embedding(permit, face()).err());
                refused("enrol", subject.enrol_embedding(permit, face()).err());
                refused("withdraw", subject.withdraw(SCOPE).err());
            }
            Err(error) => refused("subject", Some(error)),
        }
    }
    assert!(organisation.prove(0).unwrap().contains(&organisation.log_origin().unwrap()));
    assert!(organisation.public_payload(0).unwrap().is_some());
}

/// The same folder without the disk that was mounted at `outside/`.
fn without_outside(
    place: &Place,
    folder: &Path,
    backup: &Backup,
    permits: &[Permit<Consented>],
) -> &'static str {
    let alone = place.copied_to(folder);
    fs::remove_dir_all(folder.join("outside")).unwrap();
    alone.lose_and_restore(backup);
    let service = alone.open();
    let organisation = service.organisation(ORGANISATION).unwrap();
    only_reads(&organisation, permits);
    let refused = organisation.recover(Unexplained::Refused).map(drop).unwrap_err();
    assert!(is_closed(&refused), "{refused}");
    only_reads(&organisation, permits);
    "read_only"
}

fn names_the_gap(place: &Place, organisation: &Organisation<'_>, (from, to): (u64, u64)) {
    let id = organisation_id().unwrap();
    let store = place.store();
    let entries = vouchsafe_store::read(&*store, &id, |rows| rows.entries(&id, to, 16)).unwrap();
    let is_recovery = |entry: &Vec<u8>| Leaf::from_bytes(entry).unwrap().kind == EntryKind::LogRecovered;
    let after = entries.iter().position(is_recovery).unwrap();
    assert_eq!(after, 0, "the first entry after the gap");
    let payload = organisation.public_payload(to).unwrap().unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["gap"], serde_json::json!([from, to]), "{payload}");
}

/// Somebody who has the key, two old checkpoints and the published files, and nothing else.
fn outsider(
    place: &Place,
    (key, origin): (&VerifierKey, &str),
    kept: &[&Checkpoint],
    now: &Checkpoint,
) -> &'static str {
    let folder = fs::read_dir(place.folder().join("log")).unwrap().next().unwrap().unwrap().path();
    let tiles = FolderTiles::at(folder);
    for old in kept {
        let trust = Trust::new(key, origin).remembering(old);
        let report = verify_tiles(&tiles, &trust).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings());
        let proof = prove_consistency(&tiles, old.size(), now.size(), &trust).unwrap();
        merkle::verify_consistency(old.size(), now.size(), old.root(), now.root(), &proof).unwrap();
    }
    "accepted"
}
