//! Bundles for an audit: whole, private, checked offline, and every change to one is noticed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vouchsafe::ledger::{HandoverReason, SignedCheckpoint, Trust, VerifierKey};
use vouchsafe::{BundleFinding, BundleReport, Error, Organisation, Unexplained, verify_bundle};

use crate::scene::{Scene, consented, draft, enrol, is_without_file, open};

/// A bundle of a small log with two notices and a key that was handed over, and the key from before that.
fn bundled() -> (Scene, PathBuf, VerifierKey) {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let first = organisation.verifier_key().unwrap();
    enrol(&consented(&organisation, "subject-4711"), 1);
    let _ = organisation.publish_notice(draft("2", "we measure your face and your voice")).unwrap();
    organisation.rotate_log_key(HandoverReason::Scheduled).unwrap();
    let folder = scene.dir.path().join("bundle");
    let _ = organisation.audit_bundle(&folder).unwrap();
    (scene, folder, first)
}

fn check(folder: &Path, key: &VerifierKey) -> BundleReport {
    verify_bundle(folder, &Trust::new(key, key.name())).unwrap()
}

/// Every file below a folder, relative to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut pending) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                pending.push(entry.path());
            } else {
                files.push(entry.path().strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

/// Promise: WB-1.4-immutable
#[test]
fn a_bundle_is_whole_and_checked_offline() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    enrol(&consented(&organisation, "subject-4711"), 1);
    let before = organisation.publish_log().unwrap();
    let folder = scene.dir.path().join("bundle");
    let bundle = organisation.audit_bundle(&folder).unwrap();
    assert_eq!(bundle.entry() + 1, bundle.signed().checkpoint().size());
    let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());

    // Nothing but the bundle and the key.
    let elsewhere = TempDir::new().unwrap();
    fs::rename(&folder, elsewhere.path().join("bundle")).unwrap();
    let trust = Trust::new(&key, &origin).remembering(before.checkpoint());
    let report = verify_bundle(&elsewhere.path().join("bundle"), &trust).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings());
    assert_eq!(report.checkpoint(), Some(bundle.signed().checkpoint()));
    // The organisation, its notice and the bundle itself are public.
    assert_eq!(
        (report.counts().entries, report.counts().public, report.counts().notices),
        (bundle.entry() + 1, 3, 1)
    );
    assert_eq!((report.files(), report.counts().public_lost), (bundle.files(), 0));
    assert!(organisation.verify_payloads().unwrap().is_sound());
}

/// Promise: WB-1.4-immutable
#[test]
fn a_bundle_says_nothing_about_a_person_and_is_private() {
    let (_scene, folder, _) = bundled();
    for path in files(&folder) {
        let bytes = fs::read(folder.join(&path)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("subject-4711"), "{}", path.display());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.join(&path)), 0o600);
        assert_eq!(mode(folder.join(&path).parent().unwrap()), 0o700);
    }
}

#[test]
fn a_bundle_is_checked_with_the_key_from_before_a_handover_or_after_it() {
    let (scene, folder, first) = bundled();
    let now = scene.service.organisation("acme").unwrap().verifier_key().unwrap();
    assert_ne!(first, now);
    for key in [&first, &now] {
        let report = check(&folder, key);
        assert!(report.is_sound(), "{:?}", report.findings());
        assert_eq!(report.key(), Some(&now));
    }
    let keys = fs::read_to_string(folder.join("keys")).unwrap();
    assert_eq!(keys, format!("{}\n{first}\n{now}\n", first.name()));
}

/// Promise: WB-1.4-immutable
#[test]
fn every_file_that_is_changed_cut_or_gone_is_noticed() {
    let (_scene, folder, key) = bundled();
    let all = files(&folder);
    assert!(all.len() > 12 && all.iter().any(|path| path.starts_with("log/handover")), "{all:?}");
    for path in all {
        let (file, name) = (folder.join(&path), path.to_str().unwrap().to_owned());
        let bytes = fs::read(&file).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, &changed).unwrap();
            assert!(!check(&folder, &key).is_sound(), "{name} changed at {at}");
        }
        fs::write(&file, [&bytes[..], b"\n"].concat()).unwrap();
        assert!(!check(&folder, &key).is_sound(), "{name} continued");
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!check(&folder, &key).is_sound(), "{name} cut");
        fs::remove_file(&file).unwrap();
        let gone = check(&folder, &key);
        assert!(!gone.is_sound(), "{name} gone");
        // Without its handover the old key signed nothing here.
        if !name.starts_with("log/handover") {
            assert!(gone.findings().contains(&BundleFinding::Missing(name.clone())), "{:?}", gone.findings());
        }
        // The same bytes behind a link are no file of the bundle.
        let aside = folder.parent().unwrap().join("aside");
        fs::write(&aside, &bytes).unwrap();
        symlink(&aside, &file).unwrap();
        assert!(!check(&folder, &key).is_sound(), "{name} a link");
        fs::remove_file(&file).unwrap();
        fs::write(&file, &bytes).unwrap();
    }
    assert!(check(&folder, &key).is_sound());
}

/// Promise: WB-1.4-immutable
#[test]
fn everything_that_is_added_is_noticed() {
    let (_scene, folder, key) = bundled();
    let digest = "0".repeat(64);
    let notice = format!("notices/{digest}");
    let names = [
        "extra",
        ".hidden",
        "log/.lease",
        "log/tile/0/000",
        "log/handover/001",
        "public/999.json",
        "public/x",
        "notices/x",
        &notice,
        "MANIFEST.old",
        "a\u{1b}[2Jb",
    ];
    for name in names {
        fs::write(folder.join(name), b"x").unwrap();
        let report = check(&folder, &key);
        // A handover is read before there is a list, and this one does not parse.
        if name != "log/handover/001" {
            assert!(
                report.findings().contains(&BundleFinding::Added(name.to_owned())),
                "{:?}",
                report.findings()
            );
        }
        assert!(!report.is_sound());
        assert!(report.findings().iter().all(|finding| !finding.to_string().contains('\u{1b}')));
        fs::remove_file(folder.join(name)).unwrap();
    }
    fs::create_dir(folder.join("empty")).unwrap();
    assert_eq!(check(&folder, &key).findings(), [BundleFinding::Added("empty".to_owned())]);
    fs::remove_dir(folder.join("empty")).unwrap();
    symlink("/", folder.join("root")).unwrap();
    assert_eq!(check(&folder, &key).findings(), [BundleFinding::Added("root".to_owned())]);
    fs::remove_file(folder.join("root")).unwrap();
    assert!(check(&folder, &key).is_sound());
}

#[test]
fn another_key_or_a_newer_checkpoint_refuses_a_bundle() {
    let (scene, folder, key) = bundled();
    let other = scene.service.organisation("other").unwrap();
    let foreign = other.verifier_key().unwrap();
    assert!(!check(&folder, &foreign).is_sound());
    let organisation = scene.service.organisation("acme").unwrap();
    organisation.subject("subject-4711").unwrap().object().unwrap();
    let newer = organisation.publish_log().unwrap();
    let trust = Trust::new(&key, key.name()).remembering(newer.checkpoint());
    assert!(!verify_bundle(&folder, &trust).unwrap().is_sound());
    let theirs = other.publish_log().unwrap();
    let trust = Trust::new(&key, key.name()).remembering(theirs.checkpoint());
    assert!(verify_bundle(&folder, &trust).is_err());
    assert!(matches!(verify_bundle(&scene.dir.path().join("nowhere"), &trust), Err(Error::Folder(_))));
}

#[test]
fn a_bundle_never_overwrites_and_a_refused_one_is_no_entry() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let size = |organisation: &Organisation<'_>| organisation.publish_log().unwrap().checkpoint().size();
    let before = size(&organisation);
    let place = |name: &str| scene.dir.path().join(name);
    fs::create_dir(place("full")).unwrap();
    fs::write(place("full").join("note"), b"mine").unwrap();
    fs::write(place("file"), b"mine").unwrap();
    fs::create_dir(place("empty")).unwrap();
    symlink(place("empty"), place("link")).unwrap();
    for name in ["full", "file", "link", "missing/bundle"] {
        assert!(matches!(organisation.audit_bundle(&place(name)), Err(Error::Folder(_))), "{name}");
    }
    assert_eq!(fs::read(place("full").join("note")).unwrap(), b"mine");
    assert_eq!(size(&organisation), before);
    let _ = organisation.audit_bundle(&place("empty")).unwrap();
    assert!(matches!(organisation.audit_bundle(&place("empty")), Err(Error::Folder(_))));
}

#[test]
fn a_log_that_is_not_sound_is_not_bundled() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "subject-4711");
    organisation.publish_log().unwrap();
    let database = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    let edited = database
        .execute("UPDATE public_payload SET bytes = CAST(replace(bytes, '\"en\"', '\"fr\"') AS BLOB)", []);
    assert!(edited.unwrap() > 0);
    let folder = scene.dir.path().join("bundle");
    let refused = organisation.audit_bundle(&folder);
    assert!(matches!(refused, Err(Error::BundleNotSound(_))), "{refused:?}");
    assert!(!folder.join("MANIFEST").exists(), "what does not verify is no bundle");
}

#[test]
fn full_tiles_and_more_than_one_bundle_are_bundled() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "subject-4711");
    for _ in 0..130 {
        person.object().unwrap();
        person.withdraw_objection().unwrap();
    }
    let folder = scene.dir.path().join("bundle");
    let bundle = organisation.audit_bundle(&folder).unwrap();
    assert!(bundle.signed().checkpoint().size() > 256);
    assert!(folder.join("log/tile/entries/000").exists() && folder.join("log/tile/1/000.p/1").exists());
    assert!(check(&folder, &organisation.verifier_key().unwrap()).is_sound());
}

#[test]
fn what_a_recovery_lost_is_accounted_for() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "subject-4711");
    let (database, backup) =
        (scene.dir.path().join("data/vouchsafe.sqlite"), scene.dir.path().join("backup"));
    let copied = rusqlite::Connection::open(&database).unwrap();
    copied.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    drop(copied);
    let _ = organisation.publish_notice(draft("2", "we measure your face and your voice")).unwrap();
    organisation.publish_log().unwrap();
    for name in ["vouchsafe.sqlite", "vouchsafe.sqlite-wal", "vouchsafe.sqlite-shm"] {
        let _ = fs::remove_file(scene.dir.path().join("data").join(name));
    }
    fs::copy(backup, &database).unwrap();
    let restored = open(scene.dir.path(), &scene.clock);
    let organisation = restored.organisation("acme").unwrap();
    let folder = scene.dir.path().join("bundle");
    assert!(matches!(organisation.audit_bundle(&folder), Err(Error::RecoveryRequired)));
    let _ = organisation.recover(Unexplained::Accepted).unwrap().unwrap();
    let _ = organisation.audit_bundle(&folder).unwrap();
    let report = check(&folder, &organisation.verifier_key().unwrap());
    assert!(
        report.is_sound() && report.counts().public_lost == 1,
        "{:?} {}",
        report.findings(),
        report.counts().public_lost
    );
}

#[test]
fn a_checkpoint_is_no_manifest() {
    let (_scene, folder, key) = bundled();
    let manifest = fs::read_to_string(folder.join("MANIFEST")).unwrap();
    assert!(SignedCheckpoint::open(&manifest, &key, key.name()).is_err());
    fs::copy(folder.join("log/checkpoint"), folder.join("MANIFEST")).unwrap();
    assert_eq!(check(&folder, &key).findings(), [BundleFinding::ManifestMalformed]);
}
