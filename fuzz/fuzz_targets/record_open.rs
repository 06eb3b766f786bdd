//! A sealed record: bytes of any kind give an error; what is sealed opens to itself, and not with a byte changed.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::record::{open, seal, sealed_len};
use vouchsafe_envelope::{EnvelopeError, RecordKey};
use vouchsafe_fuzz::{Fixed, context, record_key};

static KEY: LazyLock<RecordKey> = LazyLock::new(record_key);

fuzz_target!(|bytes: &[u8]| {
    if let Ok(plain) = open(&KEY, &context(), bytes) {
        assert_eq!(sealed_len(plain.expose_secret().len()), bytes.len());
    }
    let mut sealed =
        seal(&KEY, &context(), bytes, &Fixed(2)).expect("the input is shorter than a record may be");
    let plain = open(&KEY, &context(), &sealed).expect("what was sealed opens");
    assert_eq!(plain.expose_secret(), bytes);
    let place = bytes.iter().fold(0, |sum, byte| sum * 31 % 65_521 + usize::from(*byte)) % sealed.len();
    sealed[place] ^= 1 << (bytes.len() % 8);
    assert_eq!(open(&KEY, &context(), &sealed).err(), Some(EnvelopeError::NotAuthentic));
});
