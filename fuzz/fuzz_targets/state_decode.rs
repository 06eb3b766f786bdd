//! The plaintext of a key state: what is read has one encoding, and can be worked with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::port::StateVersion;
use vouchsafe_envelope::{EnvelopeError, LeafStatus};
use vouchsafe_fuzz::{Steps, World, acme, context, leaf, seal_state};
use vouchsafe_types::DataClass;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // A state that knows records of a journal which nobody has does not open.
    let mut fresh = bytes.to_vec();
    if let Some(fences) = fresh.get_mut(17..25)
        && fences != [0; 8]
    {
        fences.fill(0);
        check(&fresh);
    }
});

fn check(bytes: &[u8]) {
    let number = |from| {
        bytes.get(from..from + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_be_bytes)
    };
    let version = StateVersion { generation: number(1), revision: number(9) };
    let world = || World::of(Some((version, seal_state(version.generation, bytes))));
    let first = world();
    let read = first.ring.with_state(&acme(), |state| {
        assert_eq!(state.encoded_len(), bytes.len());
        assert_eq!(state.version(), version);
        assert!(state.honey_count() <= 4096 && (1..=16).contains(&state.key_versions().len()));
        let status = state.status(leaf());
        assert_eq!(state.template_secret(leaf()).is_ok(), status == LeafStatus::Live);
        let mut context = context();
        for key_version in state.key_versions().iter().copied() {
            context.key_version = key_version;
            let sealed = state.seal(&context, b"example", &Steps::default());
            assert_eq!(sealed.is_ok(), status == LeafStatus::Live);
            if let Ok(sealed) = sealed {
                assert_eq!(
                    state.open(&context, &sealed).expect("what was sealed opens").expose_secret(),
                    b"example"
                );
            }
        }
        context.key_version = 0;
        assert!(state.seal(&context, b"example", &Steps::default()).is_err());
        status
    });
    let status = match read {
        Ok(status) => status,
        // Also where it names shards, which are missing here.
        Err(_) => return,
    };

    // Sealed again under the next key, everything else is what it was.
    match first.ring.rotate_state_key(&acme()) {
        Ok(_) => {
            let mut expected = bytes.to_vec();
            expected[1..9].copy_from_slice(&(version.generation + 1).to_be_bytes());
            expected[9..17].copy_from_slice(&version.revision.saturating_add(1).to_be_bytes());
            assert_eq!(first.stored(), Some(expected));
        }
        Err(error) => assert_eq!((version.generation, error), (u64::MAX, EnvelopeError::Exhausted)),
    }

    let second = world().ring;
    let destroyed = second.destroy(&acme(), &[leaf()]);
    match status {
        LeafStatus::NeverAllocated => assert!(destroyed.is_err()),
        LeafStatus::Live | LeafStatus::Destroyed => {
            if let Ok(report) = destroyed {
                assert_eq!(report.punctured(), usize::from(status == LeafStatus::Live));
                second.wipe();
                assert_eq!(second.status(&acme(), leaf()), Ok(LeafStatus::Destroyed));
            }
        }
    }
    if let Ok(given) = second.allocate(&acme(), DataClass::Biometric) {
        assert_ne!(second.status(&acme(), given), Ok(LeafStatus::NeverAllocated));
    }
}
