//! What a keeper who signs wrong things cannot hide: the manifest is made anew after each tampering.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vouchsafe_consent::{AttestedBy, ExpressionKind, NoticeDraft};
use vouchsafe_ledger::Trust;
use vouchsafe_types::Scope;

use super::*;
use crate::{BundleFinding, BundleReport, Ports, Vouchsafe};

mod dishonest;

/// Whoever has the log's key, and a bundle.
struct Keeper {
    _dir: TempDir,
    service: Vouchsafe,
    folder: PathBuf,
}

impl Keeper {
    fn new() -> Self {
        Self::after(|_| ())
    }

    /// The keeper of an organisation where this happened before the bundle was written.
    fn after(happened: impl FnOnce(&Organisation<'_>)) -> Self {
        let dir = TempDir::new().unwrap();
        let service = Vouchsafe::open_with(Ports::in_folder(dir.path()).unwrap());
        let folder = dir.path().join("bundle");
        let organisation = service.organisation("acme").unwrap();
        let _ = organisation.publish_notice(draft()).unwrap();
        happened(&organisation);
        let _ = organisation.audit_bundle(&folder).unwrap();
        Self { _dir: dir, service, folder }
    }

    fn organisation(&self) -> Organisation<'_> {
        self.service.organisation("acme").unwrap()
    }

    /// The log's key.
    fn signer(&self) -> LogSigner {
        let organisation = self.organisation();
        let core = organisation.core;
        core.ring.with_state(&organisation.id, |state| core.signer(state).unwrap()).unwrap()
    }

    /// Lists what lies there now, and signs that.
    fn sign_again(&self) -> BundleReport {
        let organisation = self.organisation();
        let mut files = Files::default();
        for path in paths(&self.folder, "") {
            if ![MANIFEST, FILES].contains(&path.as_str()) {
                files.insert(&path, Content::of(&fs::read(self.folder.join(&path)).unwrap()));
            }
        }
        let list = files.to_string();
        fs::write(self.folder.join(FILES), &list).unwrap();
        let signed = organisation.log().unwrap().published().unwrap().unwrap();
        let manifest =
            Manifest { checkpoint: signed.checkpoint().clone(), list: Content::of(list.as_bytes()) };
        fs::write(self.folder.join(MANIFEST), manifest.sign(&[self.signer()]).unwrap()).unwrap();
        let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
        verify_bundle(&self.folder, &Trust::new(&key, &origin)).unwrap()
    }
}

fn draft() -> NoticeDraft<'static> {
    let text = "we measure your face";
    let draft = NoticeDraft::new("face", "1", "en", text.as_bytes()).schedule(b"Destroyed in time.");
    let draft = draft.collected(text).purpose(text).until_destroyed(text);
    let draft = draft.release(text, [ExpressionKind::Checkbox]).covers(Scope::FACE_VERIFICATION);
    draft.material(AttestedBy::PrivacyOfficer)
}

fn paths(folder: &Path, prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let inner = entries.flat_map(|entry| {
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => paths(&entry.path(), &format!("{path}/")),
            false => vec![path],
        }
    });
    inner.collect()
}

#[test]
fn what_is_signed_again_unchanged_is_sound() {
    let report = Keeper::new().sign_again();
    assert!(report.is_sound(), "{:?}", report.findings());
}

#[test]
fn a_keeper_leaves_nothing_out() {
    let keeper = Keeper::new();
    for path in
        paths(&keeper.folder, "").into_iter().filter(|path| ![MANIFEST, FILES].contains(&path.as_str()))
    {
        let file = keeper.folder.join(&path);
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(!keeper.sign_again().is_sound(), "{path}");
        fs::write(&file, bytes).unwrap();
    }
    assert!(keeper.sign_again().is_sound());
}

#[test]
fn a_keeper_changes_nothing() {
    let keeper = Keeper::new();
    for path in
        paths(&keeper.folder, "").into_iter().filter(|path| ![MANIFEST, FILES].contains(&path.as_str()))
    {
        let file = keeper.folder.join(&path);
        let bytes = fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(17) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            assert!(!keeper.sign_again().is_sound(), "{path} at {at}");
        }
        fs::write(&file, bytes).unwrap();
    }
    assert!(keeper.sign_again().is_sound());
}

#[test]
fn a_keeper_adds_nothing() {
    let keeper = Keeper::new();
    let stray = format!("notices/{}", "0".repeat(64));
    let strays = [
        stray.as_str(),
        "public/77.json",
        "public/0.txt",
        "log/tile/0/000",
        "log/tile/1/000.p/1",
        "certificates/1",
    ];
    for path in strays {
        fs::create_dir_all(keeper.folder.join(path).parent().unwrap()).unwrap();
        fs::write(keeper.folder.join(path), b"x").unwrap();
        let report = keeper.sign_again();
        assert!(
            report.findings().contains(&BundleFinding::Added(path.to_owned())),
            "{:?}",
            report.findings()
        );
        fs::remove_file(keeper.folder.join(path)).unwrap();
    }
}

#[test]
fn a_keeper_exchanges_no_notice() {
    let keeper = Keeper::new();
    let shown =
        paths(&keeper.folder, "").into_iter().find(|path| path.starts_with("notices/") && path.len() == 72);
    let shown = keeper.folder.join(shown.unwrap());
    let before = fs::read(&shown).unwrap();
    fs::write(&shown, b"we measure your face, and sell it").unwrap();
    assert_eq!(keeper.sign_again().findings(), [BundleFinding::NoticeDiffers(1)]);
    fs::write(&shown, before).unwrap();
    let schedule = shown.with_extension("schedule");
    fs::write(schedule, b"Kept for ever.").unwrap();
    assert_eq!(keeper.sign_again().findings(), [BundleFinding::NoticeDiffers(1)]);
}
