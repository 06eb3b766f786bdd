use ring::rand::{SecureRandom, SystemRandom};
use vouchsafe_types::EntropyUnavailable;

use super::*;
use vouchsafe_types::{ClientAddress, OrganisationId};

use crate::Context;
use crate::context::tests::sample;
use crate::port::{Alarm, NoAudit, Opened, OpenedOutcome, ShardName};

pub(super) struct Random;

impl Entropy for Random {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        SystemRandom::new().fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

fn state() -> OrganisationState {
    OrganisationState::generate(&Random, Arc::new(NoAudit)).unwrap()
}

fn decode(bytes: &[u8]) -> Result<OrganisationState, EnvelopeError> {
    OrganisationState::decode(bytes, Arc::new(NoAudit))
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
    state.puncture(&[index((1 << 40) + 3)]).unwrap();
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
        let error = state.record_key(index(leaf), 1).err();
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
    assert_ne!(state.organisation_pseudonym(), self::state().organisation_pseudonym());
}

#[test]
fn a_state_has_one_encoding() {
    let mut state = state();
    state.reserve(DataClass::Biometric, 64).unwrap();
    state.reserve(DataClass::AuditLog, 64).unwrap();
    state.puncture(&[index(1 << 40)]).unwrap();
    state.add_honey(index((1 << 40) + 5)).unwrap();
    let bytes = state.encode();
    assert_eq!(bytes.expose_secret().len(), state.encoded_len());
    let read = decode(bytes.expose_secret()).unwrap();
    assert_eq!(read.encode().expose_secret(), bytes.expose_secret());
    assert_eq!(read.status(index(1 << 40)), LeafStatus::Destroyed);
    for cut in 0..bytes.expose_secret().len() {
        assert!(decode(&bytes.expose_secret()[..cut]).is_err(), "{cut}");
    }
    // At 121 the count of next log seeds, at 122 that of data keys and their version, at 159 that of counters, at 178 that of honey, at 186 that of shards, then
    // the tree.
    for (at, value) in [
        (0, 2),
        (121, 1),
        (121, 2),
        (122, 0),
        (122, 2),
        (122, 255),
        (126, 0),
        (159, 1),
        (160, 8),
        (160, 0),
        (160, 10),
        (169, 1),
        (168, 0),
        (163, 1),
        (159, 255),
        (179, 2),
        (185, 9),
        (187, 1),
        (188, 2),
        (189, 8),
    ] {
        let mut changed = bytes.expose_secret().to_vec();
        changed[at] = value;
        assert!(decode(&changed).is_err() || at == 185, "{at} {value}");
    }
    assert!(decode(&[bytes.expose_secret(), &[0]].concat()).is_err());
}

#[test]
fn a_log_seed_moves_on_in_two_steps() {
    let mut state = state();
    let first = *state.log_seed().expose_secret();
    assert!(!state.finish_log_seed().unwrap(), "nothing to move to");
    assert!(state.begin_log_seed(&Random).unwrap());
    assert!(!state.begin_log_seed(&Random).unwrap(), "a rotation that was cut goes on with its own seed");
    let next = *state.next_log_seed().unwrap().expose_secret();
    assert_eq!(state.log_seed().expose_secret(), &first);
    let mut read = decode(state.encode().expose_secret()).unwrap();
    assert_eq!(read.encode().expose_secret().len(), read.encoded_len());
    assert_eq!(read.next_log_seed().unwrap().expose_secret(), &next);
    assert!(read.finish_log_seed().unwrap());
    assert_eq!(read.log_seed().expose_secret(), &next);
    assert!(read.next_log_seed().is_none());
    assert_eq!(read.fence_key(), state.fence_key());
    assert_eq!(read.data_key(1), state.data_key(1));
}

#[test]
fn an_address_pseudonym_lives_as_long_as_its_leaf() {
    let mut state = state();
    let (leaf, other) = (index(6 << 40), index((6 << 40) + 1));
    state.reserve(DataClass::Usage, 64).unwrap();
    let address = |text: &str| ClientAddress::new(text.parse().unwrap());
    let made = |leaf, text: &str| state.address_pseudonym(leaf, &address(text)).unwrap();
    assert_eq!(made(leaf, "192.0.2.7"), made(leaf, "::ffff:192.0.2.7"));
    assert_ne!(made(leaf, "192.0.2.7"), made(leaf, "192.0.2.8"));
    assert_ne!(made(leaf, "192.0.2.7"), made(other, "192.0.2.7"));
    state.puncture(&[leaf]).unwrap();
    let after = state.address_pseudonym(leaf, &address("192.0.2.7"));
    assert_eq!(after, Err(EnvelopeError::Destroyed));
}

#[test]
fn a_token_opens_under_its_context_only() {
    let state = state();
    let sealed = state.seal_token(b"unsubscribe", b"who", &Random).unwrap();
    assert_eq!(state.open_token(b"unsubscribe", &sealed).unwrap().expose_secret(), b"who");
    for (at, _) in sealed.iter().enumerate() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(state.open_token(b"unsubscribe", &changed).is_err(), "{at}");
    }
    assert!(state.open_token(b"another use", &sealed).is_err());
    assert!(self::state().open_token(b"unsubscribe", &sealed).is_err());
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
    assert_eq!(format!("{:?}", state.record_key(leaf, 1).unwrap()), "RecordKey { .. }");
    assert_eq!(format!("{:?}", state.template_secret(leaf).unwrap()), "TemplateSecret { .. }");
}

/// What each open was told as, and whether it rang.
#[derive(Default)]
struct Ear(std::sync::Mutex<(Vec<OpenedOutcome>, Vec<LeafIndex>)>);

impl OpenAudit for Ear {
    fn opened(&self, opened: &Opened<'_>) {
        self.0.lock().unwrap().0.push(opened.outcome);
    }
    fn alarm(&self, _: &OrganisationId, alarm: Alarm) {
        let Alarm::HoneyTouched { leaf } = alarm;
        self.0.lock().unwrap().1.push(leaf);
    }
}

#[test]
fn every_open_is_told_and_honey_rings() {
    let ear = Arc::new(Ear::default());
    let mut state = OrganisationState::generate(&Random, Arc::<Ear>::clone(&ear)).unwrap();
    state.reserve(DataClass::Biometric, 64).unwrap();
    let leaf = |number: u64| index((1 << 40) + number);
    state.add_honey(leaf(1)).unwrap();
    assert_eq!(state.add_honey(leaf(64)), Err(EnvelopeError::NeverAllocated));
    let context = |number| Context { leaf: leaf(number), ..sample() };
    let sealed = [0, 1, 2].map(|number| state.seal(&context(number), b"template", &Random).unwrap());
    assert!(state.open(&context(0), &sealed[0]).is_ok());
    assert!(state.open(&context(0), &sealed[1]).is_err());
    assert!(ear.0.lock().unwrap().1.is_empty());
    assert!(state.open(&context(1), &sealed[1]).is_ok());
    assert!(state.open(&context(1), &sealed[0]).is_err());
    state.puncture(&[leaf(2)]).unwrap();
    assert_eq!(state.open(&context(2), &sealed[2]).unwrap_err(), EnvelopeError::Destroyed);
    let heard = ear.0.lock().unwrap();
    use OpenedOutcome::{NoKey, Opened, Refused};
    assert_eq!(heard.0, [Opened, Refused, Opened, Refused, NoKey]);
    assert_eq!(heard.1, [leaf(1), leaf(1)], "tried and failed is told as well");
}

#[test]
fn data_keys_turn_and_templates_and_pseudonyms_stay() {
    let mut state = state();
    state.reserve(DataClass::Biometric, 64).unwrap();
    let leaf = index(1 << 40);
    let context = |key_version| Context { leaf, key_version, ..sample() };
    let lasting = |state: &OrganisationState| {
        (*state.template_secret(leaf).unwrap().as_secret().expose_secret(), state.pseudonym(b"alice"))
    };
    let (before, old) = (lasting(&state), state.seal(&context(1), b"a", &Random).unwrap());
    assert_eq!(state.add_data_key(&Random).unwrap(), 2);
    assert_eq!(state.key_version(), 1, "not before it is durable");
    state.seal_under_newest();
    let new = state.seal(&context(2), b"b", &Random).unwrap();
    assert_ne!(state.fingerprint(1), state.fingerprint(2));
    assert!(state.open(&context(1), &old).is_ok() && state.open(&context(2), &new).is_ok());
    assert!(state.open(&context(2), &old).is_err(), "the version is bound");
    let mut read = decode(state.encode().expose_secret()).unwrap();
    assert_eq!(read.key_versions(), [1, 2]);
    assert_eq!((read.retire_data_keys(1), read.retire_data_keys(9)), (Ok(0), Ok(1)));
    assert_eq!(read.open(&context(1), &old).unwrap_err(), EnvelopeError::KeyRetired);
    assert_eq!(read.open(&context(2), &new).unwrap().expose_secret(), b"b");
    assert_eq!((lasting(&read), read.key_version()), (before, 2));
    for _ in 0..15 {
        read.add_data_key(&Random).unwrap();
    }
    assert_eq!(read.add_data_key(&Random), Err(EnvelopeError::Exhausted));
}

#[test]
fn a_large_state_is_sharded_and_a_puncture_writes_what_it_touches() {
    let acme = OrganisationId::parse("acme").unwrap();
    let mut state = state();
    state.reserve(DataClass::Biometric, 1 << 20).unwrap();
    // Every fourth of 65,536: some 33,000 nodes.
    let doomed: Vec<_> = (0..1 << 14).map(|number| index((1 << 40) + 4 * number)).collect();
    state.puncture(&doomed).unwrap();
    let first = state.reshard(&acme, &Random).unwrap();
    assert_eq!((first.len(), state.shard_count()), (2, 2), "{} nodes", state.node_count());
    let mut stored: BTreeMap<_, _> = first.into_iter().map(|shard| (shard.name, shard.sealed)).collect();
    assert!(state.reshard(&acme, &Random).unwrap().is_empty());

    let load = |state: &OrganisationState, stored: &BTreeMap<ShardName, Vec<u8>>| {
        let mut read = decode(state.encode().expose_secret()).unwrap();
        let find = |name: &ShardName| stored.get(name).cloned().ok_or(EnvelopeError::StateLost);
        read.load_shards(&acme, &find).map(|()| read)
    };
    let read = load(&state, &stored).unwrap();
    assert!(read.tree.encode().expose_secret() == state.tree.encode().expose_secret());
    assert!(state.encoded_len() < 4096);

    state.puncture(&[index((1 << 40) + 2)]).unwrap();
    let second = state.reshard(&acme, &Random).unwrap();
    assert_eq!((second.len(), state.shard_count()), (1, 2));
    stored.extend(second.into_iter().map(|shard| (shard.name, shard.sealed)));
    let read = load(&state, &stored).unwrap();
    assert_eq!(read.status(index((1 << 40) + 2)), LeafStatus::Destroyed);
    assert_eq!(read.status(index((1 << 40) + 3)), LeafStatus::Live);

    let other = OrganisationId::parse("other").unwrap();
    let mut swapped = decode(state.encode().expose_secret()).unwrap();
    let find = |name: &ShardName| stored.get(name).cloned().ok_or(EnvelopeError::StateLost);
    assert_eq!(swapped.load_shards(&other, &find), Err(EnvelopeError::NotAuthentic));
    for name in state.shard_names() {
        let mut damaged = stored.clone();
        damaged.get_mut(&name).unwrap()[100] ^= 1;
        assert_eq!(load(&state, &damaged).err(), Some(EnvelopeError::NotAuthentic));
        damaged.remove(&name);
        assert_eq!(load(&state, &damaged).err(), Some(EnvelopeError::StateLost));
    }
}
