//! Losses and faults that reviews found: each once lost a key or an index, or passed for something harmless.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use vouchsafe_envelope::port::{FenceStore, KeyHandle, KeyService, ShardName, StateStore, StateVersion};
use vouchsafe_envelope::{Context, EnvelopeError, FenceLoss, KeyRing, KeyServiceError, OrganisationState};
use vouchsafe_keys::{OsEntropy, Replica};
use vouchsafe_testkit::faulty::{Call, Fault, FaultyService};
use vouchsafe_types::{DataClass, LeafIndex, RecordId, Scope};

use crate::setup::{Place, acme, allocate, fingerprint};

const UNAVAILABLE: KeyServiceError = KeyServiceError::Unavailable;

fn states(place: &Place) -> Vec<PathBuf> {
    vec![place.state_file(), place.replica_file()]
}

/// Gives what brings these files back as they are now.
fn snapshot(files: &[PathBuf]) -> impl Fn() + use<> {
    let kept: Vec<_> = files.iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect();
    move || kept.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap())
}

/// A ring whose key service goes wrong in every call of one kind.
fn failing(place: &Place, call: Call, fault: Fault) -> KeyRing {
    place.ring_over(Arc::new(FaultyService::always(place.service(), call, fault)))
}

/// Appends a whole frame to the journal whose record does not authenticate.
fn forge_a_record(place: &Place) {
    let record = [&[0x04][..], &[0; 16 + 32]].concat();
    let digest = ring::digest::digest(&ring::digest::SHA256, &record);
    let len = u32::try_from(record.len()).unwrap().to_be_bytes();
    let journal = fs::read(place.journal_file()).unwrap();
    let forged = [journal.as_slice(), &len, &digest.as_ref()[..8], &record].concat();
    fs::write(place.journal_file(), forged).unwrap();
}

fn context(leaf: LeafIndex, key_version: u32) -> Context {
    Context {
        organisation: acme(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([7; 16]),
        model: None,
        dimension: Some(512),
        key_version,
    }
}

fn opens(ring: &KeyRing, context: &Context, sealed: &[u8]) -> Result<(), EnvelopeError> {
    ring.with_state(&acme(), |state| state.open(context, sealed).map(drop)).unwrap()
}

/// A full disk or a crash at the very first append leaves a file that holds nothing.
#[test]
fn a_journal_that_was_never_begun_is_not_lost() {
    for len in [0, 5] {
        let place = Place::new();
        let fences = place.fences();
        fs::write(place.journal_file(), &b"vouchsafe fence\x01"[..len]).unwrap();
        fs::set_permissions(place.journal_file(), Permissions::from_mode(0o600)).unwrap();
        place.ring().provision(&acme()).unwrap();
        allocate(&place.ring(), 1);
        let read = fences.read(&acme(), 0).unwrap();
        assert!(!read.records.is_empty() && !read.damaged, "{len}");
    }
}

#[test]
fn an_emptied_place_gets_every_shard_before_the_old_key_goes() {
    let place = Place::provisioned();
    let ring = place.ring();
    let leaves = ring.allocate_many(&acme(), DataClass::Biometric, 100_000).unwrap();
    let doomed: Vec<_> = leaves.iter().step_by(20).copied().collect();
    let _ = ring.destroy(&acme(), &doomed).unwrap();
    assert!(ring.with_state(&acme(), |state| state.shard_count()).unwrap() > 1);
    let before = fingerprint(&ring, leaves[5]).unwrap();
    fs::remove_file(place.replica_file()).unwrap();
    fs::remove_dir_all(place.root().join("replica/acme.shards")).unwrap();
    let _ = ring.destroy(&acme(), &leaves[1..2]).unwrap();
    fs::remove_file(place.state_file()).unwrap();
    fs::remove_dir_all(place.root().join("states/acme.shards")).unwrap();
    assert_eq!(fingerprint(&place.ring(), leaves[5]), Ok(before));
}

#[test]
fn a_missing_shard_is_told_and_mended() {
    let place = Place::new();
    let (whole, other) = (place.folder("states"), place.folder("replica"));
    let version = StateVersion { generation: 1, revision: 1 };
    let shards = [ShardName::from_bytes([1; 16]), ShardName::from_bytes([2; 16])];
    for folder in [&whole, &other] {
        shards.iter().for_each(|shard| folder.write_shard(&acme(), shard, b"shard").unwrap());
        folder.write(&acme(), version, b"head").unwrap();
    }
    other.retain_shards(&acme(), &shards[..1]).unwrap();
    let states = place.states();
    assert_eq!(states.check(&acme()), Ok(vec![Replica::Newest(version), Replica::Behind(version)]));
    assert_eq!(states.replicate(&acme()), Ok(1));
    assert_eq!(states.check(&acme()), Ok(vec![Replica::Newest(version); 2]));
    assert!(other.read_shard(&acme(), &shards[1]).unwrap().is_some());
}

#[test]
fn a_changed_version_in_one_place_is_no_outage() {
    for which in 0..2 {
        let place = Place::provisioned();
        let leaf = allocate(&place.ring(), 1)[0];
        let file = &states(&place)[which];
        let mut bytes = fs::read(file).unwrap();
        // The first byte of the generation: the damaged place would be the newest by far.
        bytes[16] ^= 0x40;
        fs::write(file, bytes).unwrap();
        assert!(fingerprint(&place.ring(), leaf).is_ok(), "place {which}");
    }
}

/// Promise: WB-3-30days
#[test]
fn a_restore_from_before_a_new_data_key_or_honey_is_noticed() {
    let changes: [fn(&KeyRing, LeafIndex); 2] = [
        |ring, _| assert_eq!(ring.add_data_key(&acme(), 1), Ok(2)),
        |ring, leaf| ring.mark_honey(&acme(), &[leaf]).unwrap(),
    ];
    for change in changes {
        let place = Place::provisioned();
        let leaf = allocate(&place.ring(), 1)[0];
        let restore = snapshot(&states(&place));
        change(&place.ring(), leaf);
        restore();
        assert_eq!(place.ring().check(&acme()), Err(EnvelopeError::StateRolledBack));
        assert_eq!(place.ring().add_data_key(&acme(), 1), Err(EnvelopeError::StateRolledBack));
    }
}

/// Two operators look at the same key and both begin to replace it.
///
/// Promise: WB-3-envelope
#[test]
fn two_rotations_at_once_make_one_data_key_and_lose_no_record() {
    let place = Place::provisioned();
    let (first, second) = (place.ring(), place.ring());
    let leaf = allocate(&first, 1)[0];
    let seal = |ring: &KeyRing| {
        ring.with_state(&acme(), |state| state.seal(&context(leaf, 1), b"face", &OsEntropy::new()))
    };
    let sealed = seal(&first).unwrap().unwrap();
    let newest = first.add_data_key(&acme(), 1).unwrap();
    assert_eq!(second.add_data_key(&acme(), 1), Ok(newest));
    let reseal =
        |state: &OrganisationState| state.reseal(&context(leaf, 1), &sealed, newest, &OsEntropy::new());
    let resealed = first.with_state(&acme(), reseal).unwrap().unwrap();
    second.wipe();
    let _ = first.retire_data_keys(&acme(), newest).unwrap();
    assert_eq!(opens(&second, &context(leaf, newest), &resealed), Ok(()));
}

/// The write of a new data key fails while a reader seals.
///
/// Promise: WB-3-envelope
#[test]
fn nothing_is_sealed_under_a_data_key_that_is_not_durable() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let moments = Arc::new((AtomicBool::new(false), Barrier::new(2), Barrier::new(2)));
    let script = Arc::clone(&moments);
    let service = FaultyService::new(place.service(), move |_, call| {
        let (armed, begun, sealed) = &*script;
        if !matches!(call, Call::Wrap) || !armed.swap(false, Ordering::SeqCst) {
            return None;
        }
        begun.wait();
        sealed.wait();
        Some(Fault::Refused(UNAVAILABLE))
    });
    let ring = place.ring_over(Arc::new(service));
    ring.with_state(&acme(), |_| ()).unwrap();
    let (armed, begun, done) = &*moments;
    armed.store(true, Ordering::SeqCst);
    let (version, sealed) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            begun.wait();
            let sealed = ring.with_state(&acme(), |state| {
                let version = state.key_version();
                (version, state.seal(&context(leaf, version), b"face", &OsEntropy::new()).unwrap())
            });
            done.wait();
            sealed.unwrap()
        });
        assert!(ring.add_data_key(&acme(), 1).is_err());
        reader.join().unwrap()
    });
    assert_eq!(opens(&ring, &context(leaf, version), &sealed), Ok(()));
    assert!(ring.add_data_key(&acme(), 1).is_ok());
    assert_eq!(opens(&place.ring(), &context(leaf, version), &sealed), Ok(()));
}

#[test]
fn lost_states_are_no_new_organisation() {
    let place = Place::provisioned();
    allocate(&place.ring(), 1);
    states(&place).iter().for_each(|file| fs::remove_file(file).unwrap());
    let _ = place.service().destroy(&KeyHandle::new(acme(), 1)).unwrap();
    assert_eq!(place.ring().provision(&acme()), Err(EnvelopeError::StateLost));
    assert!(place.held().is_empty());

    // The mark that a provisioning writes first stands in the place of the state.
    let place = Place::provisioned();
    allocate(&place.ring(), 1);
    let mark = [&[1][..], &[0; 8]].concat();
    for name in ["states", "replica"] {
        place.folder(name).overwrite(&acme(), StateVersion::default(), &mark).unwrap();
    }
    assert_eq!(place.ring().provision(&acme()), Err(EnvelopeError::StateLost));
    assert_eq!(place.held(), [1]);
}

/// Fenced and not yet destroyed; then the end of the journal is damaged.
///
/// Promise: WB-3-30days
#[test]
fn an_accepted_loss_keeps_what_the_authentic_records_condemn() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let ring = failing(&place, Call::Create, Fault::Refused(UNAVAILABLE));
    assert!(ring.destroy(&acme(), &[leaf]).is_err());
    drop(ring);
    assert_eq!(fingerprint(&place.ring(), leaf), Err(EnvelopeError::Destroyed));
    forge_a_record(&place);
    assert_eq!(place.ring().check(&acme()), Err(EnvelopeError::FencesLost));
    let replay = place.ring().recover(&acme(), FenceLoss::Accepted).unwrap();
    assert!(replay.journal_replaced);
    assert_eq!(fingerprint(&place.ring(), leaf), Err(EnvelopeError::Destroyed));
}

/// The states are restored and the end of the journal is damaged.
#[test]
fn an_accepted_loss_keeps_what_the_authentic_records_count() {
    let place = Place::provisioned();
    let restore = snapshot(&states(&place));
    let given = allocate(&place.ring(), 3);
    restore();
    forge_a_record(&place);
    assert!(place.ring().check(&acme()).is_err());
    let _ = place.ring().recover(&acme(), FenceLoss::Accepted).unwrap();
    assert!(allocate(&place.ring(), 3)[0] > given[2], "no index is given out twice");
}

/// A destruction ended after the new state was durable; then one place and the keys are restored.
///
/// Promise: WB-3-30days
#[test]
fn a_recovery_passes_a_newer_head_that_nothing_opens() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let restore = snapshot(&[place.key_file(), place.replica_file()]);
    place.ring().add_data_key(&acme(), 1).unwrap();
    place.ring().add_data_key(&acme(), 2).unwrap();
    let ring = failing(&place, Call::Destroy, Fault::Refused(UNAVAILABLE));
    assert!(ring.destroy(&acme(), &[leaf]).is_err());
    drop(ring);
    restore();
    assert_eq!(place.ring().check(&acme()), Err(EnvelopeError::KeyServiceRolledBack));
    let _ = place.ring().recover(&acme(), FenceLoss::Refused).unwrap();
    assert_eq!(fingerprint(&place.ring(), leaf), Err(EnvelopeError::Destroyed));
    assert_eq!(place.held().len(), 1);
}

/// Promise: WB-3-30days
#[test]
fn an_interrupted_recovery_can_be_repeated() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 2)[0];
    let restore = snapshot(&[place.key_file(), place.replica_file()]);
    let _ = place.ring().destroy(&acme(), &[leaf]).unwrap();
    restore();
    assert_eq!(place.ring().check(&acme()), Err(EnvelopeError::KeyServiceRolledBack));
    let ring = failing(&place, Call::Create, Fault::Lost(UNAVAILABLE));
    assert!(ring.recover(&acme(), FenceLoss::Refused).is_err());
    drop(ring);
    let _ = place.ring().recover(&acme(), FenceLoss::Refused).unwrap();
    assert_eq!(fingerprint(&place.ring(), leaf), Err(EnvelopeError::Destroyed));
}

/// States, keys and journal of one time: only the caller's rows can tell, and they can mend it.
///
/// Promise: WB-3-30days
#[test]
fn rows_mend_what_a_restore_of_everything_else_brought_back() {
    let place = Place::provisioned();
    let leaves = allocate(&place.ring(), 8);
    let restore = snapshot(&[states(&place), vec![place.key_file(), place.journal_file()]].concat());
    let _ = place.ring().destroy(&acme(), &leaves[..3]).unwrap();
    let given = allocate(&place.ring(), 1)[0];
    restore();
    let ring = place.ring();
    assert_eq!(ring.check(&acme()), Ok(()));
    ring.raise_counter(&acme(), DataClass::Biometric, given).unwrap();
    assert_eq!(ring.destroy(&acme(), &leaves[..3]).unwrap().punctured(), 3);
    for leaf in &leaves[..3] {
        assert_eq!(fingerprint(&place.ring(), *leaf), Err(EnvelopeError::Destroyed));
    }
    assert!(allocate(&place.ring(), 1)[0] > given);
}

/// Promise: WB-3-30days
#[test]
fn no_reader_sees_the_restored_state_during_a_recovery() {
    for _ in 0..5 {
        let place = Place::provisioned();
        let leaves = allocate(&place.ring(), 8);
        let restore = snapshot(&[states(&place), vec![place.key_file()]].concat());
        let _ = place.ring().destroy(&acme(), &leaves[..3]).unwrap();
        restore();
        let (ring, stop, derived) = (place.ring(), AtomicBool::new(false), AtomicUsize::new(0));
        let read = || {
            if fingerprint(&ring, leaves[0]).is_ok() {
                derived.fetch_add(1, Ordering::SeqCst);
            }
        };
        thread::scope(|scope| {
            // Each from a thread of its own, so that many wait at once.
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    scope.spawn(read);
                    thread::sleep(Duration::from_micros(200));
                }
            });
            let replay = ring.recover(&acme(), FenceLoss::Refused);
            stop.store(true, Ordering::SeqCst);
            assert_eq!(replay.unwrap().replayed, 3);
        });
        assert_eq!(derived.load(Ordering::SeqCst), 0);
    }
}
