//! What a bundle tells of lives and their ends: counted, paired, and nobody named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan;
use vouchsafe::ledger::Trust;
use vouchsafe::{
    BundleCounts, BundleReport, Destruction, Organisation, OrganisationId, Unexplained, verify_bundle,
};

use crate::scene::{
    FACE, Scene, approved_sweep, consented, enrol, give, is_without_file, notice, open, verify, with,
};
use crate::second::opinion;

/// Writes a bundle, which both implementations find sound, with the same counts.
pub(crate) fn sound(organisation: &Organisation<'_>, folder: &Path) -> BundleReport {
    let bundle = organisation.audit_bundle(folder).unwrap();
    let key = organisation.verifier_key().unwrap();
    let report = verify_bundle(folder, &Trust::new(&key, key.name())).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings());
    assert_eq!(report.counts().certificates, bundle.certificates());
    if let Some(said) = opinion(folder, &key.to_string()) {
        assert_eq!(said, Ok(report.counts().to_string()));
    }
    report
}

fn place(scene: &Scene, name: &str) -> PathBuf {
    scene.dir.path().join(name)
}

fn done(destruction: Destruction) -> usize {
    match destruction {
        Destruction::Done(certificates) => certificates.len(),
        Destruction::Pending(pending) => panic!("pending: {pending:?}"),
    }
}

fn words(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(word, number)| ((*word).to_owned(), *number)).collect()
}

/// Promise: WB-6-audit, WB-1.4-immutable
#[test]
fn every_enrolment_is_held_or_destroyed_by_one_certificate() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let people = ["withdraws", "deletes", "stays", "returns", "verifies"];
    let people: Vec<_> = people.into_iter().map(|id| consented(&organisation, id)).collect();
    people.iter().zip(1..).for_each(|(person, seed)| drop(enrol(person, seed)));
    assert_eq!(done(people[0].withdraw(FACE).unwrap().destruction), 1);
    assert!(done(people[1].erase().unwrap()) > 0);
    assert_eq!(done(people[3].withdraw(FACE).unwrap().destruction), 1);
    give(&people[3], FACE, &notice(&organisation));
    enrol(&people[3], 9);
    assert!(verify(&people[4], 5).is_accepted());
    scene.clock.advance(91.days()).unwrap();
    let swept = done(approved_sweep(&organisation)) as u64;
    assert!(swept > 0);

    let report = sound(&organisation, &place(&scene, "bundle"));
    let counts = report.counts();
    assert_eq!((counts.enrolled, counts.destroyed, counts.held, counts.enrolments_lost), (6, 3, 3, 0));
    assert_eq!((counts.expired, counts.early, counts.lost), (0, 0, 0));
    assert_eq!((counts.policy_absent, counts.rule_retired), (0, 0));
    assert_eq!(counts.causes.get("withdrawal"), Some(&2));
    assert_eq!(counts.causes.get("retention_rule"), Some(&swept));
    assert_eq!(counts.classes.get("biometric"), Some(&3));
    assert_eq!(counts.strengths, words(&[("host_only", counts.certificates)]));
    assert_eq!(counts.not_reached, words(&[("copies-of-the-key-host", counts.certificates)]));
    assert_eq!(report.policy(), Some((organisation.retention_policy().digest(), true)));
}

/// Promise: WB-6-audit
#[test]
fn an_auditor_learns_nothing_about_who() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    for (seed, id) in (1..).zip(["subject-4711", "subject-0815"]) {
        enrol(&consented(&organisation, id), seed);
    }
    let _ = organisation.subject("subject-4711").unwrap().withdraw(FACE).unwrap();
    let _ = sound(&organisation, &place(&scene, "bundle"));

    let id = OrganisationId::parse("acme").unwrap();
    let holdings = scene.rows(&id, |rows| rows.holdings(&id, None, 1000));
    let mut needles = vec![b"subject-4711".to_vec(), b"subject-0815".to_vec()];
    let database = fs::read(scene.database()).unwrap();
    let mut seen = 0;
    for holding in &holdings {
        let pseudonym = *holding.subject.as_bytes();
        let hex: String = pseudonym.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = STANDARD.encode(pseudonym);
        seen += usize::from(database.windows(32).any(|window| window == pseudonym));
        needles.extend([pseudonym.to_vec(), hex.to_uppercase().into(), hex.into(), base64.into()]);
    }
    assert!(seen > 1 && needles.len() > 9, "the needles are what the rows hold");
    for (path, bytes) in files(&place(&scene, "bundle")) {
        for needle in &needles {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{path}");
        }
    }
}

/// Every file of a bundle, by its path.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut pending) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                pending.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

/// Promise: WB-3-30days
#[test]
fn what_a_restore_brought_back_is_destroyed_again_and_paired_once() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    enrol(&consented(&organisation, "leaves"), 1);
    enrol(&consented(&organisation, "stays"), 2);
    let (database, backup) = (scene.database(), place(&scene, "backup"));
    let copied = rusqlite::Connection::open(&database).unwrap();
    copied.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    drop(copied);
    enrol(&consented(&organisation, "inside the gap"), 3);
    let _ = organisation.subject("leaves").unwrap().withdraw(FACE).unwrap();
    organisation.publish_log().unwrap();
    for name in ["vouchsafe.sqlite", "vouchsafe.sqlite-wal", "vouchsafe.sqlite-shm"] {
        let _ = fs::remove_file(scene.dir.path().join("data").join(name));
    }
    fs::copy(backup, &database).unwrap();
    let restored = open(scene.dir.path(), &scene.clock);
    let organisation = restored.organisation("acme").unwrap();
    let recovery = organisation.recover(Unexplained::Accepted).unwrap().unwrap();
    assert_eq!((recovery.destroyed, recovery.orphaned > 0), (1, true));

    let report = sound(&organisation, &place(&scene, "bundle"));
    let BundleCounts { enrolled, destroyed, held, enrolments_lost, lost, .. } = *report.counts();
    assert_eq!((enrolled, destroyed, held, enrolments_lost, lost), (3, 1, 1, 1, 1));
    assert_eq!(report.counts().causes, words(&[("destroyed_before_restore", 1)]));
}

/// Promise: WB-4-consent-7y
#[test]
fn a_certificate_ends_with_the_seven_years_of_its_evidence() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let _ = person.withdraw(FACE).unwrap();
    assert_eq!(sound(&organisation, &place(&scene, "first")).counts().certificates, 1);
    scene.clock.advance(6.years()).unwrap();
    let person = consented(&organisation, "4712");
    enrol(&person, 2);
    let _ = person.withdraw(FACE).unwrap();
    scene.clock.advance(2.years()).unwrap();
    let _ = done(approved_sweep(&organisation));
    let report = sound(&organisation, &place(&scene, "second"));
    let counts = report.counts();
    assert_eq!((counts.enrolled, counts.destroyed, counts.held), (2, 1, 0), "{counts}");
    assert_eq!((counts.expired, counts.early), (1, 0), "{counts}");
}

#[test]
fn the_packs_are_those_of_the_policy_and_an_earlier_one_is_counted() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let _ = person.withdraw(FACE).unwrap();
    let before = organisation.retention_policy().digest();
    let other = with(&scene, "[[setting]]\nrule = \"fp-2a-support\"\nperiod = \"1 year\"\n");
    let organisation = other.organisation("acme").unwrap();
    let after = organisation.retention_policy().digest();
    assert_ne!(before, after);

    let report = sound(&organisation, &place(&scene, "not-yet"));
    assert_eq!(report.policy(), Some((before, false)), "the packs are those of the service");
    organisation.activate_policy().unwrap();
    let report = sound(&organisation, &place(&scene, "in-force"));
    assert_eq!((report.policy(), report.counts().policy_absent), (Some((after, true)), 1));

    let mut texts: Vec<_> = files(&place(&scene, "in-force"))
        .into_iter()
        .filter_map(|(path, bytes)| {
            let name = path.strip_prefix(&format!("policy/{after}/"))?.strip_suffix(".toml")?.to_owned();
            Some((name.parse::<u32>().unwrap(), String::from_utf8(bytes).unwrap()))
        })
        .collect();
    texts.sort();
    let texts: Vec<_> = texts.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(vouchsafe::retention::Policy::from_packs(&texts).unwrap().digest(), after);
}
