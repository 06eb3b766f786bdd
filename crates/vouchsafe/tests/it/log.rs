//! What the log records, proves and refuses to forget.

use std::fs;

use vouchsafe::envelope::EnvelopeError;
use vouchsafe::ledger::{EntryKind, Leaf, verify_receipt};
use vouchsafe::store::Store;
use vouchsafe::{
    ConsentReceipt, Destruction, DestructionCertificate, EnrolmentReceipt, Error, Outcome, Receipt,
    Unexplained,
};

use crate::scene::{FACE, Scene, consented, enrol, is_without_file, open, verify};

fn kinds(store: &dyn Store, organisation: &str) -> Vec<EntryKind> {
    let id = vouchsafe::OrganisationId::parse(organisation).unwrap();
    let entries: Result<Vec<Vec<u8>>, vouchsafe::store::StoreError> =
        vouchsafe::store::read(store, &id, |rows| rows.entries(&id, 0, 1000));
    entries.unwrap().iter().map(|entry| Leaf::from_bytes(entry).unwrap().kind).collect()
}

/// Promise: WB-1.4-immutable
#[test]
fn every_act_is_one_entry_in_order() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted());
    assert!(!verify(&person, 2).is_accepted());
    let _ = person.withdraw(FACE).unwrap();
    let store = vouchsafe::store::SqliteStore::open(&scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    use EntryKind as K;
    assert_eq!(
        kinds(&store, "acme"),
        [
            K::OrganisationCreated,
            K::NoticePublished,
            K::NoticeServed,
            K::ConsentGiven,
            K::TemplateEnrolled,
            K::TemplateOpened,
            K::TemplateOpened,
            K::ConsentWithdrawn,
            K::TemplateDestroyRequested,
            K::TemplateDestroyed,
        ]
    );
}

/// Promise: WB-1.4-immutable
#[test]
fn a_receipt_verifies_offline_also_after_the_template_is_gone() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let enrolment = enrol(&person, 1);
    let kept = enrolment.receipt().to_json().unwrap();
    let Destruction::Done(certificates) = person.withdraw(FACE).unwrap().destruction else { panic!() };

    let receipt = Receipt::from_json(&kept).unwrap();
    let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
    let proof = organisation.prove(receipt.entry()).unwrap();
    verify_receipt(&proof, receipt.leaf(), &key, &origin).unwrap();
    let certificate = DestructionCertificate::verify(certificates[0].note(), &key).unwrap();
    assert!(certificate.is_about(&enrolment));

    let forged = certificates[0].note().replace("cause withdrawal", "cause account_deletion");
    assert!(DestructionCertificate::verify(&forged, &key).is_err());
    let moved = kept.replace("\"entry\": 4", "\"entry\": 5");
    assert_ne!(kept, moved);
    assert!(Receipt::from_json(&moved).is_err(), "an entry's number is part of what it commits to");
    assert!(EnrolmentReceipt::from_json(&kept).is_ok_and(|kept| certificate.is_about(&kept)));
    assert!(ConsentReceipt::from_json(&kept).is_err());
}

/// Promise: WB-1.4-immutable
#[test]
fn an_edited_row_and_an_edited_tile_are_found() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "4711");
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());

    let bundle = fs::read_dir(scene.dir.path().join("log")).unwrap().next().unwrap().unwrap().path();
    let bundle = bundle.join("tile/entries/000.p/4");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[20] ^= 1;
    fs::write(&bundle, &bytes).unwrap();
    assert!(!organisation.verify_log().unwrap().is_sound());
    bytes[20] ^= 1;
    fs::write(&bundle, &bytes).unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());

    let database = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    let edited = "UPDATE entry SET bytes = CAST(substr(bytes, 1, 54) || x'00' AS BLOB) WHERE number = 1";
    assert_eq!(database.execute(edited, []).unwrap(), 1);
    assert!(!organisation.verify_log().unwrap().is_sound());
}

/// Promise: WB-1.4-immutable, WB-3-30days
#[test]
fn a_restored_backup_runs_nothing_before_its_recovery() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (gone, stays) = (consented(&organisation, "gone"), consented(&organisation, "stays"));
    enrol(&gone, 1);
    enrol(&stays, 2);
    let database = scene.dir.path().join("data/vouchsafe.sqlite");
    rusqlite::Connection::open(&database).unwrap().execute("VACUUM INTO ?1", [backup(&scene)]).unwrap();
    let _ = gone.withdraw(FACE).unwrap();
    for name in ["vouchsafe.sqlite", "vouchsafe.sqlite-wal", "vouchsafe.sqlite-shm"] {
        let _ = fs::remove_file(scene.dir.path().join("data").join(name));
    }
    fs::copy(backup(&scene), &database).unwrap();

    let restored = open(scene.dir.path(), &scene.clock);
    let organisation = restored.organisation("acme").unwrap();
    let (gone, stays) = (organisation.subject("gone").unwrap(), organisation.subject("stays").unwrap());
    assert!(matches!(gone.permit(FACE), Err(Error::RecoveryRequired)));
    assert!(matches!(stays.permit(FACE), Err(Error::RecoveryRequired)));
    assert!(matches!(organisation.sweep(), Err(Error::RecoveryRequired)));
    let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
    assert_eq!((recovery.destroyed, recovery.closed, recovery.unexplained), (1, 1, 0));
    let certificate = gone.certificate(FACE).unwrap().unwrap();
    assert_eq!(certificate.cause(), "destroyed_before_restore");
    assert!(stays.certificate(FACE).unwrap().is_none());
    assert!(gone.permit(FACE).unwrap().done().is_none());
    assert!(verify(&stays, 2).is_accepted());
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
    assert!(organisation.recover(Unexplained::Refused).unwrap().is_none(), "nothing is left to recover");
}

/// Promise: WB-3-30days
#[test]
fn keys_that_were_restored_with_the_database_are_noticed() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (gone, stays) = (consented(&organisation, "gone"), consented(&organisation, "stays"));
    enrol(&gone, 1);
    enrol(&stays, 2);
    let copy = tempfile::TempDir::new().unwrap();
    let cp = |folder: &str| {
        let from = scene.dir.path().join(folder);
        let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(copy.path()).status();
        assert!(copied.unwrap().success());
    };
    ["data", "keys"].into_iter().for_each(cp);
    let _ = gone.withdraw(FACE).unwrap();
    ["log", "outside"].into_iter().for_each(cp);
    let restored = open(copy.path(), &scene.clock);
    let organisation = restored.organisation("acme").unwrap();
    let refused = Error::Envelope(EnvelopeError::KeyServiceRolledBack).to_string();
    assert_eq!(organisation.subject("gone").unwrap_err().to_string(), refused);
    assert_eq!(organisation.publish_log().unwrap_err().to_string(), refused);
    assert!(organisation.verifier_key().is_ok(), "what was published can be read");
    let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
    assert_eq!((recovery.destroyed, recovery.closed, recovery.unexplained), (1, 1, 0));
    assert_eq!(recovery.replayed, 1);
    let (gone, stays) = (organisation.subject("gone").unwrap(), organisation.subject("stays").unwrap());
    assert!(matches!(gone.permit(FACE), Ok(Outcome::Refused(_))));
    assert!(verify(&stays, 2).is_accepted());
    drop(open(copy.path(), &scene.clock).organisation("acme").unwrap().publish_log().unwrap());
}

/// Without the fence journal nothing can be matched; the operator is told so and decides.
#[test]
fn keys_that_were_restored_and_a_lost_journal_are_noticed() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let gone = consented(&organisation, "gone");
    enrol(&gone, 1);
    let copy = tempfile::TempDir::new().unwrap();
    let cp = |folder: &str| {
        let from = scene.dir.path().join(folder);
        let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(copy.path()).status();
        assert!(copied.unwrap().success());
    };
    ["data", "keys"].into_iter().for_each(cp);
    let _ = gone.withdraw(FACE).unwrap();
    cp("log");
    let restored = open(copy.path(), &scene.clock);
    let organisation = restored.organisation("acme").unwrap();
    let lost = organisation.recover(Unexplained::Refused).unwrap_err();
    assert!(matches!(lost, Error::Envelope(EnvelopeError::FencesLost)));
    assert!(organisation.subject("gone").is_err());
    let recovery = organisation.recover(Unexplained::Accepted).unwrap().unwrap();
    assert_eq!((recovery.destroyed, recovery.unexplained), (0, 1));
}

/// Database and published log restored together look whole; the checkpoint kept outside says that they are not.
#[test]
fn a_log_that_was_restored_with_its_database_is_noticed() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    organisation.publish_log().unwrap();
    let copy = tempfile::TempDir::new().unwrap();
    let cp = |folder: &str| {
        let from = scene.dir.path().join(folder);
        let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(copy.path()).status();
        assert!(copied.unwrap().success());
    };
    ["data", "log"].into_iter().for_each(cp);
    assert!(verify(&person, 1).is_accepted());
    organisation.publish_log().unwrap();
    ["keys", "outside"].into_iter().for_each(cp);
    let restored = open(copy.path(), &scene.clock);
    let organisation = restored.organisation("acme").unwrap();
    let subject = organisation.subject("4711").unwrap();
    assert!(matches!(subject.permit(FACE), Err(Error::LogLost)));
    assert!(matches!(organisation.recover(Unexplained::Refused), Err(Error::LogLost)));
    // Its own files bring it back.
    fs::remove_dir_all(copy.path().join("log")).unwrap();
    cp("log");
    let organisation = restored.organisation("acme").unwrap();
    assert!(organisation.recover(Unexplained::Refused).unwrap().is_some());
    assert!(verify(&organisation.subject("4711").unwrap(), 1).is_accepted());
}

fn backup(scene: &Scene) -> String {
    scene.dir.path().join("backup.sqlite").to_str().unwrap().to_owned()
}

/// Promise: WB-1.4-immutable
#[test]
fn a_database_that_is_replaced_under_a_running_service_is_noticed() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (gone, stays) = (consented(&organisation, "gone"), consented(&organisation, "stays"));
    enrol(&gone, 1);
    enrol(&stays, 2);
    let mut copy = rusqlite::Connection::open(backup(&scene)).unwrap();
    let live = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    let whole = std::time::Duration::ZERO;
    rusqlite::backup::Backup::new(&live, &mut copy).unwrap().run_to_completion(1000, whole, None).unwrap();
    let _ = gone.withdraw(FACE).unwrap();
    let mut live = live;
    rusqlite::backup::Backup::new(&copy, &mut live).unwrap().run_to_completion(1000, whole, None).unwrap();
    assert!(matches!(gone.permit(FACE), Err(Error::RecoveryRequired)));
    assert!(matches!(stays.permit(FACE), Err(Error::RecoveryRequired)));
    let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
    assert_eq!(recovery.destroyed, 1);
    assert!(verify(&stays, 2).is_accepted());
}

/// Promise: WB-3-30days
#[test]
fn what_was_enrolled_in_the_gap_is_not_opened_by_a_newer_backup() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    enrol(&consented(&organisation, "before"), 1);
    organisation.publish_log().unwrap();
    let database = scene.dir.path().join("data/vouchsafe.sqlite");
    let vacuum = |name: &str| {
        let to = scene.dir.path().join(name).to_str().unwrap().to_owned();
        rusqlite::Connection::open(&database).unwrap().execute("VACUUM INTO ?1", [&to]).unwrap();
        to
    };
    let older = vacuum("older");
    enrol(&consented(&organisation, "inside"), 2);
    organisation.publish_log().unwrap();
    let newer = vacuum("newer");
    let restore = |from: &str| {
        for name in ["vouchsafe.sqlite", "vouchsafe.sqlite-wal", "vouchsafe.sqlite-shm"] {
            let _ = fs::remove_file(scene.dir.path().join("data").join(name));
        }
        fs::copy(from, &database).unwrap();
        open(scene.dir.path(), &scene.clock)
    };
    let recovered = restore(&older);
    let recovery = recovered.organisation("acme").unwrap().recover(Unexplained::Refused).unwrap().unwrap();
    assert!(recovery.orphaned > 0);
    assert!(verify(&recovered.organisation("acme").unwrap().subject("before").unwrap(), 1).is_accepted());
    drop(recovered);
    let again = restore(&newer);
    let organisation = again.organisation("acme").unwrap();
    let _ = organisation.recover(Unexplained::Accepted).unwrap().unwrap();
    assert!(organisation.subject("inside").unwrap().permit(FACE).unwrap().done().is_none());
}

#[test]
fn damaged_tiles_stop_nobody_and_are_rebuilt() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    organisation.publish_log().unwrap();
    let log = fs::read_dir(scene.dir.path().join("log")).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir_all(log.join("tile")).unwrap();
    let again = scene.again();
    let organisation = again.organisation("acme").unwrap();
    assert!(!organisation.verify_log().unwrap().is_sound());
    let _ = organisation.subject("4711").unwrap().withdraw(FACE).unwrap();
    fs::remove_dir_all(log.join("tile")).unwrap();
    assert!(organisation.rebuild_log().unwrap() > 0);
    assert!(organisation.verify_log().unwrap().is_sound());
    assert!(person.permit(FACE).unwrap().done().is_none());
}

#[test]
fn what_the_organisation_did_can_be_read_and_what_people_did_cannot_be_guessed() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let _ = person.withdraw(FACE).unwrap();
    let public: Vec<bool> =
        (0..7).map(|entry| organisation.public_payload(entry).unwrap().is_some()).collect();
    assert_eq!(public, [true, true, false, false, false, false, false]);
    let notice = String::from_utf8(organisation.public_payload(1).unwrap().unwrap()).unwrap();
    assert!(notice.contains("\"id\":\"face\""), "{notice}");
}
