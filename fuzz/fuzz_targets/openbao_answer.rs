//! An answer of an OpenBao server behind a status of two bytes; also a wrapped secret.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((status, body)) = bytes.split_first_chunk::<2>() else { return };
    // The parsers are not public; they are there for `cargo fuzz`, which sets this.
    #[cfg(fuzzing)]
    vouchsafe_keys::fuzzing::fuzz_openbao(u16::from_be_bytes(*status), body);
    #[cfg(not(fuzzing))]
    let _ = (status, body);
});
