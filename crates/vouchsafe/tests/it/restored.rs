//! A restored backup: closed until its recovery ran, and with nothing from outside until somebody accepts that.

use std::fs;

use tempfile::TempDir;
use vouchsafe::envelope::EnvelopeError;
use vouchsafe::ledger::EntryKind;
use vouchsafe::store::Backup;
use vouchsafe::types::Digest;
use vouchsafe::{Destruction, Error, JobKind, Organisation, Timestamp, Unexplained, Vouchsafe};

use crate::scene::{FACE, Scene, consented, enrol, face, notice, permit, verify};

/// What stands for every row of the database.
fn rows(scene: &Scene) -> (Vec<(&'static str, u64)>, Vec<Vec<u8>>) {
    let (folder, store) = (TempDir::new().unwrap(), scene.store());
    let backup = Backup::take(&*store, &folder.path().join("all"), Timestamp::UNIX_EPOCH, &mut |_| Ok(None));
    let tables: Vec<_> = backup.unwrap().manifest().tables().collect();
    let bytes =
        tables.iter().map(|(name, _)| fs::read(folder.path().join(format!("all/{name}.rows"))).unwrap());
    let bytes = bytes.collect();
    (tables, bytes)
}

/// Three people, a backup, then one of them withdraws and another one comes; then the database is lost.
fn restored() -> Scene {
    let scene = Scene::new();
    {
        let organisation = scene.service.organisation("acme").unwrap();
        for (id, seed) in [("one", 1), ("two", 2), ("three", 3)] {
            let _receipt = enrol(&consented(&organisation, id), seed);
        }
        let _head = organisation.publish_log().unwrap();
        let backup = scene.service.backup(&scene.dir.path().join("backup")).unwrap();
        backup.verify().unwrap();
        backup.verify_note("acme", &organisation.verifier_key().unwrap()).unwrap();
        scene.pass(60);
        let ended = organisation.subject("two").unwrap().withdraw(FACE).unwrap();
        assert!(matches!(ended.destruction, Destruction::Done(_)));
        let _receipt = enrol(&consented(&organisation, "four"), 4);
        let _head = organisation.publish_log().unwrap();
    }
    scene.restore(&scene.dir.path().join("backup"));
    scene
}

fn is_closed(error: &Error) -> bool {
    matches!(error, Error::RecoveryRequired | Error::Envelope(EnvelopeError::FencesLost))
}

/// Everything that opens a template, makes a permit or writes is refused, and not a row changes; the published log is
/// read and proven.
fn only_reads(scene: &Scene, service: &Vouchsafe) {
    let before = rows(scene);
    let organisation = service.organisation("acme").unwrap();
    let refused = |what: &str, error: Option<Error>| {
        let error = error.unwrap_or_else(|| panic!("{what} was not refused"));
        assert!(is_closed(&error), "{what}: {error}");
    };
    // Where the key state cannot be told from an older one, not even a pseudonym is made.
    match organisation.subject("one") {
        Ok(person) => {
            refused("permit", person.permit(FACE).err());
            refused("withdraw", person.withdraw(FACE).err());
            refused("erase", person.erase().err());
        }
        Err(error) => refused("subject", Some(error)),
    }
    let draft = crate::scene::draft("2", "we measure your face again");
    refused("publish_notice", organisation.publish_notice(draft).err());
    refused("publish_log", organisation.publish_log().err());
    refused("plan", organisation.plan_retention().err());
    refused("resume_jobs", organisation.resume_jobs().err());
    refused("rotate", organisation.rotate_state_key().err());
    refused("audit_bundle", organisation.audit_bundle(&scene.dir.path().join("bundle")).err());
    assert_eq!(rows(scene), before, "nothing is written");

    let proof = organisation.prove(0).unwrap();
    assert!(proof.contains(&organisation.log_origin().unwrap()), "{proof}");
    let _report = organisation.verify_log().unwrap();
    assert!(organisation.public_payload(0).unwrap().is_some());
    let folder = TempDir::new().unwrap();
    let report = organisation.export_evidence(&folder.path().join("evidence")).unwrap();
    let published = organisation.published().unwrap().unwrap().checkpoint().size();
    assert_eq!(report.counts().entries, published);
    assert_eq!(rows(scene), before, "nothing is written");
}

fn size(organisation: &Organisation<'_>) -> u64 {
    organisation.publish_log().unwrap().checkpoint().size()
}

/// Promise: WB-5-revoke
#[test]
fn a_restored_database_gives_log_and_proofs_and_nothing_else_before_its_recovery() {
    let scene = restored();
    let service = scene.again();
    only_reads(&scene, &service);
    let organisation = service.organisation("acme").unwrap();
    let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
    assert_eq!((recovery.destroyed, recovery.closed, recovery.unexplained), (1, 1, 0));
    assert!(!recovery.outside_lost && recovery.gap_from < recovery.gap_to);
    assert!(organisation.recover(Unexplained::Refused).unwrap().is_none());
    let jobs = organisation.jobs().unwrap();
    let recoveries = jobs.iter().filter(|job| job.kind == JobKind::Recovery && job.finished_at.is_some());
    assert_eq!(recoveries.count(), 1);
    assert!(verify(&organisation.subject("one").unwrap(), 1).is_accepted());
    let gone = organisation.subject("two").unwrap();
    assert!(gone.permit(FACE).unwrap().or_refuse().is_err());
    assert!(scene.kinds("acme").contains(&EntryKind::LogRecovered));
    assert!(size(&organisation) > recovery.gap_to);
    assert!(organisation.verify_log().unwrap().is_sound());
}

#[test]
fn a_backup_after_which_nothing_happened_waits_for_its_recovery_too() {
    let scene = Scene::new();
    let _receipt = enrol(&consented(&scene.service.organisation("acme").unwrap(), "one"), 1);
    let published = size(&scene.service.organisation("acme").unwrap());
    let _backup = scene.service.backup(&scene.dir.path().join("backup")).unwrap();
    scene.restore(&scene.dir.path().join("backup"));
    let service = scene.again();
    only_reads(&scene, &service);
    let organisation = service.organisation("acme").unwrap();
    let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
    assert_eq!((recovery.gap_from, recovery.gap_to), (published, published));
    assert_eq!((recovery.destroyed, recovery.unexplained), (0, 0));
    assert!(verify(&organisation.subject("one").unwrap(), 1).is_accepted());
    assert!(organisation.verify_payloads().unwrap().is_sound());
}

/// Promise: WB-5-revoke
#[test]
fn without_the_outside_copy_only_log_and_proofs_are_given_until_the_loss_is_accepted() {
    let scene = restored();
    // The disk with the checkpoints, the fence journals and the second place of the key state.
    fs::remove_dir_all(scene.dir.path().join("outside")).unwrap();
    let service = scene.again();
    only_reads(&scene, &service);
    let organisation = service.organisation("acme").unwrap();
    let refused = organisation.recover(Unexplained::Refused).map(drop).unwrap_err();
    assert!(matches!(refused, Error::OutsideLost | Error::Envelope(EnvelopeError::FencesLost)), "{refused}");
    only_reads(&scene, &service);
    let recovery = organisation.recover(Unexplained::Accepted).unwrap().unwrap();
    assert!(recovery.outside_lost && recovery.journal_replaced);
    assert_eq!((recovery.destroyed, recovery.closed), (1, 1));
    assert!(verify(&organisation.subject("one").unwrap(), 1).is_accepted());
    assert!(organisation.subject("two").unwrap().permit(FACE).unwrap().or_refuse().is_err());
}

#[test]
fn rows_alone_with_live_keys_stay_closed() {
    let scene = restored();
    for folder in ["outside", "log"] {
        fs::remove_dir_all(scene.dir.path().join(folder)).unwrap();
    }
    // A copy of the database without the word of the restore: what the keys say is enough.
    let service = scene.again();
    let organisation = service.organisation("acme").unwrap();
    assert!(is_closed(&organisation.publish_log().map(drop).unwrap_err()));
    assert!(organisation.recover(Unexplained::Refused).is_err());
    let recovery = organisation.recover(Unexplained::Accepted).unwrap().unwrap();
    assert_eq!((recovery.gap_from, recovery.destroyed), (recovery.gap_to, 1));
    assert!(organisation.verify_log().unwrap().is_sound());
}

#[test]
fn a_process_that_served_before_the_restore_notices() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let _receipt = enrol(&consented(&organisation, "one"), 1);
    let _backup = scene.service.backup(&scene.dir.path().join("backup")).unwrap();
    let digest: Digest = notice(&organisation).digest();
    let again = scene.again();
    let other = again.organisation("acme").unwrap();
    let person = other.subject("one").unwrap();
    let shown = permit(&person);
    assert!(person.verify_embedding(&shown, face(&shown, 1)).unwrap().is_accepted());
    scene.restore(&scene.dir.path().join("backup"));
    let service = scene.again();
    let refused = service.organisation("acme").unwrap().subject("one").unwrap().permit(FACE).err().unwrap();
    assert!(is_closed(&refused), "{refused} {digest}");
}
