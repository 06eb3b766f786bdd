use ring::rand::{SecureRandom, SystemRandom};
use vouchsafe_types::EntropyUnavailable;

use super::*;

pub(super) struct Random;

impl Entropy for Random {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        SystemRandom::new().fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

fn state() -> OrganisationState {
    OrganisationState::generate(&Random).unwrap()
}

fn index(value: u64) -> LeafIndex {
    LeafIndex::new(value).unwrap()
}

#[test]
fn never_allocated_and_destroyed_are_different_answers() {
    let mut state = state();
    assert_eq!(state.reserve(DataClass::Biometric, 64).unwrap(), 1 << 40..(1 << 40) + 64);
    assert_eq!(state.reserve(DataClass::Biometric, 64).unwrap().start, (1 << 40) + 64);
    assert_eq!(state.reserve(DataClass::AuditLog, 1).unwrap(), 8 << 40..(8 << 40) + 1);
    state.puncture(&[index((1 << 40) + 3)]);
    for (leaf, status) in [
        ((1 << 40) + 2, LeafStatus::Live),
        ((1 << 40) + 3, LeafStatus::Destroyed),
        ((1 << 40) + 128, LeafStatus::NeverAllocated),
        ((8 << 40) + 1, LeafStatus::NeverAllocated),
        (2 << 40, LeafStatus::NeverAllocated),
        (0, LeafStatus::NeverAllocated),
        ((1 << 48) - 1, LeafStatus::NeverAllocated),
    ] {
        assert_eq!(state.status(index(leaf)), status, "{leaf:x}");
        let error = state.record_key(index(leaf)).err();
        match status {
            LeafStatus::Destroyed => assert_eq!(error, Some(EnvelopeError::Destroyed)),
            LeafStatus::Live => assert_eq!(error, None),
            LeafStatus::NeverAllocated => assert_eq!(error, Some(EnvelopeError::NeverAllocated)),
        }
    }
}

#[test]
fn a_class_ends_where_the_next_one_begins() {
    let mut state = state();
    state.next.insert(DataClass::Usage.code(), (1 << 40) - 64);
    assert_eq!(state.reserve(DataClass::Usage, 64), Err(EnvelopeError::Exhausted));
    assert_eq!(state.reserve(DataClass::Usage, 63).unwrap().end, (7 << 40) - 1);
}

#[test]
fn every_use_has_its_own_key() {
    let mut state = state();
    state.reserve(DataClass::Biometric, 2).unwrap();
    let template =
        |leaf: u64| *state.template_secret(index((1 << 40) + leaf)).unwrap().as_secret().expose_secret();
    assert_eq!(template(0), template(0));
    assert_ne!(template(0), template(1));
    assert_ne!(&template(0), state.tree.leaf(index(1 << 40)).unwrap().expose_secret());
    assert_eq!(state.pseudonym(b"alice"), state.pseudonym(b"alice"));
    assert_ne!(state.pseudonym(b"alice"), state.pseudonym(b"alicf"));
    assert_ne!(
        state.organisation_pseudonym(),
        OrganisationState::generate(&Random).unwrap().organisation_pseudonym()
    );
}

#[test]
fn a_state_has_one_encoding() {
    let mut state = state();
    state.reserve(DataClass::Biometric, 64).unwrap();
    state.reserve(DataClass::AuditLog, 64).unwrap();
    state.puncture(&[index(1 << 40)]);
    let bytes = state.encode();
    assert_eq!(bytes.expose_secret().len(), state.encoded_len());
    let read = OrganisationState::decode(bytes.expose_secret()).unwrap();
    assert_eq!(read.encode().expose_secret(), bytes.expose_secret());
    assert_eq!(read.status(index(1 << 40)), LeafStatus::Destroyed);
    for cut in 0..bytes.expose_secret().len() {
        assert!(OrganisationState::decode(&bytes.expose_secret()[..cut]).is_err(), "{cut}");
    }
    // At 81 the count, then code 1 and its counter, then code 8 and its counter.
    for (at, value) in [(0, 2), (81, 1), (82, 8), (82, 0), (82, 10), (91, 1), (90, 0), (85, 1), (81, 255)] {
        let mut changed = bytes.expose_secret().to_vec();
        changed[at] = value;
        assert!(OrganisationState::decode(&changed).is_err(), "{at} {value}");
    }
    assert!(OrganisationState::decode(&[bytes.expose_secret(), &[0]].concat()).is_err());
}

#[test]
fn blobs_are_parsed_strictly() {
    use sealed::{Blob, provisioning_mark};
    assert!(matches!(Blob::parse(&provisioning_mark()), Ok(Blob::Provisioning)));
    assert!(Blob::parse(&[provisioning_mark(), vec![0]].concat()).is_err());
    for bad in [
        &[][..],
        &[2, 0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 1],
    ] {
        assert!(Blob::parse(bad).is_err());
    }
}

#[test]
fn secrets_print_nothing() {
    let mut state = state();
    state.reserve(DataClass::Biometric, 1).unwrap();
    assert_eq!(format!("{state:?}"), "OrganisationState { .. }");
    let leaf = index(1 << 40);
    assert_eq!(format!("{:?}", state.record_key(leaf).unwrap()), "RecordKey { .. }");
    assert_eq!(format!("{:?}", state.template_secret(leaf).unwrap()), "TemplateSecret { .. }");
}
