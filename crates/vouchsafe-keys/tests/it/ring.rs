use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use vouchsafe_envelope::port::{ErasureStrength, KeyHandle, KeyService, StateStore};
use vouchsafe_envelope::{Context, EnvelopeError, LeafStatus};
use vouchsafe_keys::OsEntropy;
use vouchsafe_types::{DataClass, LeafIndex, Modality, OrganisationId, Purpose, RecordId, Role, Scope};

use crate::setup::{Place, acme, allocate, fingerprint};

fn context(leaf: LeafIndex) -> Context {
    Context {
        organisation: acme(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([7; 16]),
        model: None,
        dimension: Some(512),
        key_version: 1,
    }
}

#[test]
fn provisioning_is_idempotent_and_organisations_are_apart() {
    let place = Place::provisioned();
    let other = OrganisationId::parse("other").unwrap();
    let ring = place.ring();
    assert_eq!(ring.with_state(&other, |_| ()), Err(EnvelopeError::NotProvisioned));
    ring.provision(&other).unwrap();
    let pseudonym =
        |org: &OrganisationId| ring.with_state(org, |state| state.organisation_pseudonym()).unwrap();
    let before = (pseudonym(&acme()), pseudonym(&other));
    assert_ne!(before.0, before.1);
    ring.provision(&acme()).unwrap();
    assert_eq!(before, (pseudonym(&acme()), pseudonym(&other)));
    assert_eq!(place.held(), [1]);
    // One organisation's blob in the other's place does not open.
    fs::copy(place.root().join("states/other.state"), place.state_file()).unwrap();
    fs::copy(place.root().join("states/other.state"), place.replica_file()).unwrap();
    assert_eq!(place.ring().with_state(&acme(), |_| ()), Err(EnvelopeError::NotAuthentic));
}

/// Promise: WB-3-30days
#[test]
fn a_destroyed_leaf_opens_no_record_and_an_older_state_opens_nothing() {
    let place = Place::provisioned();
    let ring = place.ring();
    let leaves = allocate(&ring, 2);
    let seal = |leaf| {
        ring.with_state(&acme(), |state| state.seal(&context(leaf), b"template", &OsEntropy::new()))
            .unwrap()
            .unwrap()
    };
    let sealed: Vec<_> = leaves.iter().map(|leaf| seal(*leaf)).collect();
    let old_state = fs::read(place.state_file()).unwrap();

    let report = ring.destroy(&acme(), &leaves[..1]).unwrap();
    assert_eq!(
        (report.generation(), report.punctured(), report.strength()),
        (2, 1, ErasureStrength::HostOnly)
    );
    assert_eq!(report.evidence()[0].handle(), &KeyHandle::new(acme(), 1));
    assert_eq!(place.held(), [2]);
    assert_eq!(ring.is_destroyed(&acme(), leaves[0]), Ok(true));
    assert_eq!(ring.is_destroyed(&acme(), leaves[1]), Ok(false));
    let open =
        |leaf, sealed: &[u8]| ring.with_state(&acme(), |state| state.open(&context(leaf), sealed)).unwrap();
    assert_eq!(open(leaves[0], &sealed[0]).unwrap_err(), EnvelopeError::Destroyed);
    assert_eq!(open(leaves[1], &sealed[1]).unwrap().expose_secret(), b"template");
    assert_eq!(open(leaves[1], &sealed[0]).unwrap_err(), EnvelopeError::NotAuthentic);

    let again = place.ring().destroy(&acme(), &leaves[..1]).unwrap();
    assert_eq!((again.generation(), again.punctured()), (2, 0));
    assert_eq!(again.evidence(), report.evidence());
    assert_eq!(again.state_digest(), report.state_digest());

    fs::write(place.state_file(), &old_state).unwrap();
    // The second place still has the newer one.
    assert!(fingerprint(&place.ring(), leaves[1]).is_ok());
    fs::write(place.replica_file(), old_state).unwrap();
    for ring in [ring, place.ring()] {
        assert_eq!(fingerprint(&ring, leaves[1]), Err(EnvelopeError::KeyMissing));
        assert!(matches!(ring.destroy(&acme(), &leaves), Err(EnvelopeError::KeyMissing)));
        assert!(matches!(ring.provision(&acme()), Err(EnvelopeError::KeyMissing)));
    }
}

#[test]
fn what_was_never_given_out_cannot_be_destroyed() {
    let place = Place::provisioned();
    let ring = place.ring();
    let leaf = allocate(&ring, 1)[0];
    let beyond = LeafIndex::new(leaf.get() + 64).unwrap();
    assert_eq!(ring.destroy(&acme(), &[leaf, beyond]).unwrap_err(), EnvelopeError::NeverAllocated);
    assert_eq!(ring.status(&acme(), leaf), Ok(LeafStatus::Live));
    assert_eq!(ring.is_destroyed(&acme(), beyond), Err(EnvelopeError::NeverAllocated));
    let nothing = ring.destroy(&acme(), &[]).unwrap();
    assert_eq!((nothing.punctured(), nothing.evidence().len()), (0, 0));
}

#[test]
fn losses_are_named_and_never_papered_over() {
    let place = Place::provisioned();
    let blob = fs::read(place.state_file()).unwrap();
    fs::remove_file(place.state_file()).unwrap();
    fs::remove_file(place.replica_file()).unwrap();
    let ring = place.ring();
    assert_eq!(ring.with_state(&acme(), |_| ()), Err(EnvelopeError::StateLost));
    assert_eq!(ring.provision(&acme()), Err(EnvelopeError::StateLost));
    fs::write(place.state_file(), blob).unwrap_or_default();
    fs::set_permissions(place.state_file(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(ring.with_state(&acme(), |_| ()), Ok(()));
    ring.wipe();
    let _ = place.service().destroy(&KeyHandle::new(acme(), 1)).unwrap();
    assert_eq!(ring.with_state(&acme(), |_| ()), Err(EnvelopeError::KeyMissing));
    assert_eq!(ring.provision(&acme()), Err(EnvelopeError::KeyMissing));
}

#[test]
fn indices_are_never_given_out_twice() {
    let place = Place::provisioned();
    let shared = place.ring();
    let all = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for own in [true, true, false, false] {
            let (place, shared, all) = (&place, &shared, &all);
            scope.spawn(move || {
                let ring = if own { &place.ring() } else { shared };
                for leaf in allocate(ring, 200) {
                    assert!(all.lock().unwrap().insert(leaf), "{leaf:?} twice");
                }
            });
        }
    });
    // A process that ends gives its reserved indices up.
    let next = allocate(&place.ring(), 1)[0];
    assert!(next > *all.lock().unwrap().last().unwrap());
    assert_eq!(next.get() >> 40, u64::from(DataClass::Biometric.code()));
    assert_eq!(all.lock().unwrap().len(), 800);
}

/// Two rings over one folder, as two processes have them: after a destruction returned, nobody opens.
#[test]
fn no_reader_opens_after_a_destruction_returned() {
    let place = Place::provisioned();
    let leaves = allocate(&place.ring(), 24);
    let gone = AtomicUsize::new(0);
    let before: Vec<_> = leaves.iter().map(|leaf| fingerprint(&place.ring(), *leaf).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (place, leaves, gone, before) = (&place, &leaves, &gone, &before);
            scope.spawn(move || {
                let ring = place.ring();
                while gone.load(Ordering::SeqCst) < 12 {
                    for (place, leaf) in leaves.iter().enumerate() {
                        let dead = gone.load(Ordering::SeqCst);
                        let read = fingerprint(&ring, *leaf);
                        assert!(place >= dead || read == Err(EnvelopeError::Destroyed), "{place} of {dead}");
                        assert!(place < 12 || read.as_ref() == Ok(&before[place]));
                    }
                }
            });
        }
        let ring = place.ring();
        for leaf in &leaves[..12] {
            let _ = ring.destroy(&acme(), &[*leaf]).unwrap();
            gone.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!(place.held(), [13]);
    assert!(place.states().read(&acme()).unwrap().is_some());
}

/// The key's part of the promise: a 192-d vector is sealed for its own scope and dimension, and goes with its leaf.
/// That nothing else of a voice is kept is for the voice engine to show.
///
/// Promise: WB-1.5-voice-192d
#[test]
fn a_voice_vector_is_sealed_for_its_own_scope_and_dies_with_its_leaf() {
    let place = Place::provisioned();
    let ring = place.ring();
    let leaf = allocate(&ring, 1)[0];
    let vector: Vec<u8> = (0..192u16).flat_map(|number| (f32::from(number) / 192.0).to_le_bytes()).collect();
    let voice = Scope::new(Some(Modality::Voice), Role::EndUser, Purpose::Verification).unwrap();
    let context = Context { scope: Some(voice), dimension: Some(192), ..context(leaf) };
    let sealed = ring.with_state(&acme(), |state| state.seal(&context, &vector, &OsEntropy::new()));
    let sealed = sealed.unwrap().unwrap();
    assert!(!sealed.windows(16).any(|window| vector.windows(16).any(|plain| plain == window)));
    let open = |context: &Context| ring.with_state(&acme(), |state| state.open(context, &sealed)).unwrap();
    assert_eq!(open(&context).unwrap().expose_secret(), vector);
    for other in [
        Context { scope: Some(Scope::FACE_VERIFICATION), ..context.clone() },
        Context { dimension: Some(512), ..context.clone() },
    ] {
        assert_eq!(open(&other).unwrap_err(), EnvelopeError::NotAuthentic);
    }
    let _ = ring.destroy(&acme(), &[leaf]).unwrap();
    assert_eq!(open(&context).unwrap_err(), EnvelopeError::Destroyed);
}
