//! What a token gives: the id of a state key's object, and a wrap.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The parsers are not public; they are there for `cargo fuzz`, which sets this.
    #[cfg(fuzzing)]
    {
        let handle = vouchsafe_keys::fuzzing::object_id(bytes);
        let wrapped = vouchsafe_keys::fuzzing::wrapped(bytes);
        assert!(handle.is_none() || !wrapped, "no bytes are both");
    }
    #[cfg(not(fuzzing))]
    let _ = bytes;
});
