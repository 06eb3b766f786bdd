//! Every artefact of a bundle, changed in every way: both implementations notice, and neither minds the untouched copy.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe::Destruction;
use vouchsafe::ledger::{HandoverReason, Trust, VerifierKey};
use vouchsafe::verify_bundle;

use crate::bundle_lives::{files, sound};
use crate::scene::{FACE, Scene, consented, draft, enrol};
use crate::second::opinion;

/// A bundle with something of everything: two notices, three certificates, a handover, a policy.
struct Stage {
    scene: Scene,
    folder: PathBuf,
    key: VerifierKey,
}

impl Stage {
    fn new() -> Self {
        let scene = Scene::new();
        let organisation = scene.service.organisation("acme").unwrap();
        let key = organisation.verifier_key().unwrap();
        for (seed, id) in (1..).zip(["one", "two", "three", "four"]) {
            let person = consented(&organisation, id);
            enrol(&person, seed);
            if seed < 4 {
                let ended = person.withdraw(FACE).unwrap().destruction;
                assert!(matches!(ended, Destruction::Done(_)));
            }
        }
        let _ = organisation.publish_notice(draft("2", "we measure your face and your voice")).unwrap();
        organisation.rotate_log_key(HandoverReason::Scheduled).unwrap();
        let folder = scene.dir.path().join("bundle");
        assert_eq!(sound(&organisation, &folder).counts().certificates, 3);
        Self { scene, folder, key }
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        fs::write(self.folder.join(path), bytes).unwrap();
    }

    /// Whether both find it sound; they agree.
    #[track_caller]
    fn is_sound(&self, what: &str) -> bool {
        let report = verify_bundle(&self.folder, &Trust::new(&self.key, self.key.name())).unwrap();
        if let Some(said) = opinion(&self.folder, &self.key.to_string()) {
            assert_eq!(said.is_ok(), report.is_sound(), "{what}: {said:?} {:?}", report.findings());
        }
        report.is_sound()
    }

    #[track_caller]
    fn refuses(&self, what: &str) {
        assert!(!self.is_sound(what), "{what} is not noticed");
    }
}

/// One artefact of each sort; the rest of a sort is alike.
fn artefacts(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    let sorts = [
        "FILES",
        "MANIFEST",
        "certificates/",
        "keys",
        "log/checkpoint",
        "log/handover/",
        "log/tile/0/",
        "log/tile/entries/",
        "notices/",
        "policy/",
        "public/",
    ];
    let mut found: Vec<&str> = sorts
        .iter()
        .filter_map(|sort| files.keys().find(|path| path.starts_with(sort)))
        .map(String::as_str)
        .collect();
    assert_eq!(found.len(), sorts.len(), "{found:?}");
    let more = [".json", ".schedule", "zone", ".txt"];
    found.extend(
        more.iter().filter_map(|end| files.keys().find(|path| path.ends_with(end))).map(String::as_str),
    );
    found
}

/// Promise: WB-1.4-immutable
#[test]
fn every_artefact_changed_in_every_way_is_noticed_by_both() {
    let stage = Stage::new();
    let before = files(&stage.folder);
    for path in artefacts(&before) {
        let bytes = &before[path];
        let middle = bytes.len() / 2;
        let mut flipped = bytes.clone();
        flipped[middle] ^= 1;
        let changed = [
            ("changed", flipped),
            ("cut", bytes[..middle].to_vec()),
            ("one byte short", bytes[..bytes.len() - 1].to_vec()),
            ("continued", [bytes.as_slice(), b"\n"].concat()),
            ("doubled", [bytes.as_slice(), bytes].concat()),
            ("emptied", Vec::new()),
        ];
        for (how, changed) in changed {
            stage.write(path, &changed);
            stage.refuses(&format!("{path} {how}"));
        }
        fs::remove_file(stage.folder.join(path)).unwrap();
        stage.refuses(&format!("{path} gone"));
        stage.write(path, bytes);
    }
    assert!(stage.is_sound("put back"));
}

/// Promise: WB-1.4-immutable
#[test]
fn files_that_are_added_or_swapped_are_noticed_by_both() {
    let stage = Stage::new();
    let before = files(&stage.folder);
    let stray = [
        "certificates/1",
        "certificates/x",
        "policy/zone",
        "public/999.json",
        "notices/x",
        "extra",
        "log/tile/0/000",
    ];
    for path in stray {
        stage.write(path, b"x");
        stage.refuses(path);
        fs::remove_file(stage.folder.join(path)).unwrap();
    }
    fs::create_dir(stage.folder.join("policy/empty")).unwrap();
    stage.refuses("an empty folder");
    fs::remove_dir(stage.folder.join("policy/empty")).unwrap();

    let ends = ["log/tile/0/", "log/tile/entries/", "public/0", "public/1.", "certificates/", "keys"];
    let paths: Vec<&String> =
        ends.iter().filter_map(|start| before.keys().find(|path| path.starts_with(start))).collect();
    let pairs = paths.iter().zip(paths.iter().skip(1));
    let mut like: Vec<(&String, &String)> = pairs.map(|(one, other)| (*one, *other)).collect();
    let of = |start: &str, end: &str| {
        let fits = |path: &&String| path.starts_with(start) && path.ends_with(end);
        before.keys().filter(fits).collect::<Vec<_>>()
    };
    for alike in [of("policy/", ".toml"), of("notices/", ".json"), of("notices/", ".schedule")] {
        like.extend(alike.first().copied().zip(alike.last().copied()));
    }
    for (one, other) in like.into_iter().filter(|(one, other)| before[*one] != before[*other]) {
        stage.write(one, &before[other]);
        stage.write(other, &before[one]);
        stage.refuses(&format!("{one} and {other} swapped"));
        stage.write(one, &before[one]);
        stage.write(other, &before[other]);
    }
    assert!(stage.is_sound("put back"));
}

/// Promise: WB-1.4-immutable
#[test]
fn certificates_that_are_dropped_doubled_or_moved_are_noticed_by_both() {
    let stage = Stage::new();
    let page = fs::read_to_string(stage.folder.join("certificates/0")).unwrap();
    let starts: Vec<usize> =
        page.match_indices("vouchsafe destruction certificate v2\n").map(|(at, _)| at).collect();
    let [_, second, third] = starts[..] else { panic!("{starts:?}") };
    let (one, two, three) = (&page[..second], &page[second..third], &page[third..]);
    for changed in [[one, "", three], [one, one, three], [two, one, three], [one, three, two]] {
        stage.write("certificates/0", changed.concat().as_bytes());
        stage.refuses("certificates");
    }
    stage.write("certificates/0", page.as_bytes());
    assert!(stage.is_sound("put back"));
}

#[test]
fn another_key_or_another_log_is_refused_by_both() {
    let stage = Stage::new();
    let other = stage.scene.service.organisation("other").unwrap();
    let foreign = other.verifier_key().unwrap();
    let refused = |folder: &Path, key: &VerifierKey| {
        assert!(!verify_bundle(folder, &Trust::new(key, key.name())).unwrap().is_sound());
        assert!(opinion(folder, &key.to_string()).is_none_or(|said| said.is_err()));
    };
    refused(&stage.folder, &foreign);
    let newest = stage.scene.service.organisation("acme").unwrap().verifier_key().unwrap();
    assert_ne!(newest, stage.key);
    for key in [&stage.key, &newest] {
        assert!(verify_bundle(&stage.folder, &Trust::new(key, key.name())).unwrap().is_sound());
        assert!(opinion(&stage.folder, &key.to_string()).is_none_or(|said| said.is_ok()));
    }
}
