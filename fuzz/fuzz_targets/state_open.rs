//! A sealed key state: bytes of any kind open only with what they say inside, and a changed one does not.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::port::StateVersion;
use vouchsafe_fuzz::{Plain, World, acme, tree};

static SEALED: LazyLock<(StateVersion, Vec<u8>)> =
    LazyLock::new(|| Plain::full(1, 1, tree(&[(0, 0)])).head().expect("a head"));

fuzz_target!(|bytes: &[u8]| {
    let number = |from| {
        bytes.get(from..from + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_be_bytes)
    };
    let version = StateVersion { generation: number(1), revision: 1 };
    let world = World::of(Some((version, bytes.to_vec())));
    let opened = world.ring.with_state(&acme(), |state| (state.version(), state.encoded_len()));
    if let Ok((own, len)) = opened {
        assert_eq!(own.generation, version.generation);
        assert_eq!(world.stored().map(|plain| plain.len()), Some(len));
    }
    // Only the mark of a provisioning that was cut short may become a new state.
    let before = world.states.head();
    let provisioned = world.ring.provision(&acme());
    let is_mark = bytes == [1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(is_mark || opened.is_ok() || (provisioned.is_err() && world.states.head() == before));
    if provisioned.is_ok() {
        world.ring.with_state(&acme(), |state| state.version()).expect("what was provisioned opens");
    }

    // The bytes laid over a sealed state, from a place on that they name.
    let (version, sealed) = &*SEALED;
    let Some((from, over)) = bytes.split_first_chunk::<2>() else { return };
    let mut changed = sealed.clone();
    let from = usize::from(u16::from_be_bytes(*from)) % changed.len();
    changed.iter_mut().skip(from).zip(over).for_each(|(to, with)| *to ^= with);
    let opened = World::of(Some((*version, changed.clone()))).ring.with_state(&acme(), |_| ());
    assert_eq!(opened.is_ok(), changed == *sealed);
    changed = sealed.clone();
    changed.truncate(from);
    assert!(World::of(Some((*version, changed))).ring.with_state(&acme(), |_| ()).is_err());
});
