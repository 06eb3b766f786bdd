//! One suite over each port, for the adapters in folders and in buckets.
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{ErasureStrength, FenceStore, ShardName, StateStore, StateVersion};
use vouchsafe_keys::{FolderFences, FolderStates};
use vouchsafe_ledger::{CheckpointLock, LedgerError, TileStore};
use vouchsafe_objects::{BucketFences, BucketLock, BucketStates, BucketTiles};
use vouchsafe_store::{FolderLock, FolderTiles};
use vouchsafe_types::OrganisationId;

use crate::scene::Scene;

#[test]
fn tiles() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = FolderTiles::at(folder.path().join("log"));
    let _lease = in_folder.lease().unwrap();
    check_tiles(&in_folder);
    for scene in Scene::all("objects: tiles") {
        check_tiles(&BucketTiles::open(scene.bucket()).unwrap());
    }
}

fn check_tiles(tiles: &dyn TileStore) {
    for path in
        ["checkpoint", "tile/0/000.p/7", "tile/entries/x001/x234/067.p/9", "tile/0/000", "tile/entries/001"]
    {
        assert_eq!(tiles.read(path), Ok(None), "{path}");
        tiles.write(path, b"first, longer").unwrap();
        tiles.write(path, b"first, longer").unwrap();
        assert_eq!(tiles.read(path).unwrap().as_deref(), Some(&b"first, longer"[..]));
    }
    for path in ["checkpoint", "tile/0/000.p/7"] {
        tiles.write(path, b"second").unwrap();
        assert_eq!(tiles.read(path).unwrap().as_deref(), Some(&b"second"[..]));
    }
    for path in
        ["", "..", "../checkpoint", "/etc/passwd", "tile/../../x", "checkpoint/", ".lease", "tile/0/0"]
    {
        assert_eq!(tiles.read(path), Err(LedgerError::PathMalformed), "{path}");
        assert_eq!(tiles.write(path, b"x"), Err(LedgerError::PathMalformed), "{path}");
    }
}

#[test]
fn a_signed_tile_never_changes_and_a_checkpoint_never_shrinks() {
    for scene in Scene::all("objects: immutable tiles") {
        let tiles = BucketTiles::open(scene.bucket()).unwrap();
        tiles.write("tile/0/000", b"one").unwrap();
        // Nobody signed it: it is left over from rows that a restore took back.
        tiles.write("tile/0/000", b"two").unwrap();
        tiles.write("checkpoint", b"origin\n255\nroot\n").unwrap();
        tiles.write("tile/0/000", b"three").unwrap();
        tiles.write("checkpoint", b"origin\n256\nroot\n").unwrap();
        assert_eq!(tiles.write("tile/0/000", b"four"), Err(LedgerError::TileCorrupt));
        assert_eq!(tiles.read("tile/0/000").unwrap().as_deref(), Some(&b"three"[..]));
        tiles.write("tile/1/000", b"one").unwrap();
        tiles.write("tile/1/000", b"two").unwrap();
        tiles.repairing().write("tile/0/000", b"five").unwrap();
        assert_eq!(tiles.read("tile/0/000").unwrap().as_deref(), Some(&b"five"[..]));

        let older = tiles.write("checkpoint", b"origin\n255\nroot\n");
        assert_eq!(older, Err(LedgerError::CheckpointMoved));
        tiles.write("checkpoint", b"origin\n256\nroot\n\ncosigned\n").unwrap();
    }
}

#[test]
fn locks() {
    let folder = tempfile::tempdir().unwrap();
    check_lock(&FolderLock::at(folder.path().join("lock")));
    for scene in Scene::all("objects: locks") {
        check_lock(&BucketLock::open(scene.bucket()).unwrap());
    }
}

fn check_lock(lock: &dyn CheckpointLock) {
    assert_eq!(lock.load(), Ok(None));
    assert_eq!(lock.swap(Some(b"one"), b"two"), Err(LedgerError::CheckpointMoved));
    assert_eq!(lock.load(), Ok(None));
    lock.swap(None, b"one, longer").unwrap();
    for wrong in [None, Some(&b"one"[..]), Some(b""), Some(b"one, longer.")] {
        assert_eq!(lock.swap(wrong, b"two"), Err(LedgerError::CheckpointMoved), "{wrong:?}");
        assert_eq!(lock.load().unwrap().as_deref(), Some(&b"one, longer"[..]));
    }
    lock.swap(Some(b"one, longer"), b"two").unwrap();
    assert_eq!(lock.swap(Some(b"one, longer"), b"three"), Err(LedgerError::CheckpointMoved));
    assert_eq!(lock.load().unwrap().as_deref(), Some(&b"two"[..]));
    let most = vec![b'x'; 1 << 20];
    lock.swap(Some(b"two"), &most).unwrap();
    let too_large = lock.swap(Some(&most), &[most.as_slice(), b"x"].concat());
    assert_eq!(too_large, Err(LedgerError::LockUnavailable(std::io::ErrorKind::FileTooLarge)));
}

#[test]
fn states() {
    let folder = tempfile::tempdir().unwrap();
    check_states(&FolderStates::create_new(folder.path().join("state")).unwrap());
    for scene in Scene::all("objects: states") {
        check_states(&BucketStates::open(scene.bucket(), ErasureStrength::HostOnly).unwrap());
    }
}

fn check_states(states: &dyn StateStore) {
    let [acme, other] = ["acme", "other"].map(|name| OrganisationId::parse(name).unwrap());
    let version = |generation, revision| StateVersion { generation, revision };
    assert_eq!((states.read(&acme), states.version(&acme)), (Ok(None), Ok(None)));
    states.write(&acme, version(1, 5), b"one").unwrap();
    states.write(&acme, version(2, 1), b"two").unwrap();
    assert_eq!(states.version(&acme), Ok(Some(version(2, 1))));
    for older in [version(1, 9), version(2, 0)] {
        assert_eq!(states.write(&acme, older, b"old"), Err(StateStoreError::OlderGeneration));
    }
    assert_eq!(states.read(&acme), Ok(Some(b"two".to_vec())));
    states.write(&acme, version(2, 1), b"again").unwrap();
    assert_eq!(states.read(&acme), Ok(Some(b"again".to_vec())));
    states.overwrite(&acme, version(1, 1), b"set back").unwrap();
    assert_eq!(
        (states.read(&acme), states.version(&acme)),
        (Ok(Some(b"set back".to_vec())), Ok(Some(version(1, 1))))
    );
    assert_eq!(states.version(&acme), Ok(Some(version(1, 1))));
    assert_eq!(states.read_all(&acme).unwrap().len(), 1);
    assert_eq!(states.read(&other), Ok(None));

    let names: Vec<ShardName> = (0..3).map(|name| ShardName::from_bytes([name; 16])).collect();
    assert_eq!(states.shards(&acme), Ok(Vec::new()));
    for name in &names {
        states.write_shard(&acme, name, name.as_bytes()).unwrap();
        states.write_shard(&acme, name, name.as_bytes()).unwrap();
    }
    assert!(states.ensure_shards(&acme, &names).is_ok());
    assert_eq!(states.read_shard(&acme, &names[1]), Ok(Some(vec![1; 16])));
    assert_eq!(states.read_shard(&other, &names[1]), Ok(None));
    states.retain_shards(&acme, &names[..1]).unwrap();
    assert_eq!(states.shards(&acme).unwrap(), &names[..1]);
    assert_eq!(states.ensure_shards(&acme, &names), Err(StateStoreError::Corrupt));
    assert_eq!(states.leased_before(&acme, version(9, 9)), Ok(0));
}

#[test]
fn fences() {
    let folder = tempfile::tempdir().unwrap();
    check_fences(&FolderFences::at(folder.path().join("fences")).unwrap());
    for scene in Scene::all("objects: fences") {
        check_fences(&BucketFences::open(scene.bucket()).unwrap());
    }
}

fn check_fences(fences: &dyn FenceStore) {
    let [acme, other] = ["acme", "other"].map(|name| OrganisationId::parse(name).unwrap());
    let empty = fences.read(&acme, 0).unwrap();
    assert!(empty.records.is_empty() && empty.end == 0 && !empty.damaged);
    let mut ends = vec![0];
    let record = |number: usize| vec![u8::try_from(number).unwrap(); 1 + number * 1500];
    for number in 0..12 {
        let end = fences.append(&acme, &record(number)).unwrap();
        assert!(end > *ends.last().unwrap());
        assert_eq!(fences.read(&acme, 0).unwrap().end, end);
        ends.push(end);
    }
    for (number, from) in ends.iter().enumerate() {
        let tail = fences.read(&acme, *from).unwrap();
        assert!(!tail.damaged && tail.end == *ends.last().unwrap());
        assert_eq!(tail.records, (number..12).map(record).collect::<Vec<_>>());
    }
    assert!(fences.read(&other, 0).unwrap().records.is_empty());
    fences.set_aside(&acme).unwrap();
    assert!(fences.read(&acme, 0).unwrap().records.is_empty());
    assert_eq!(fences.read(&acme, ends[5]), Err(StateStoreError::Corrupt));
    fences.append(&acme, b"new").unwrap();
    assert_eq!(fences.read(&acme, 0).unwrap().records, [b"new"]);
    fences.set_aside(&acme).unwrap();
    assert!(fences.read(&acme, 0).unwrap().records.is_empty());
}
