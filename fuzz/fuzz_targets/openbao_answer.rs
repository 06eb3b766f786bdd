//! An answer of an OpenBao server behind a status of two bytes; also a wrapped secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_keys::fuzz_openbao;

fuzz_target!(|bytes: &[u8]| {
    let Some((status, body)) = bytes.split_first_chunk::<2>() else { return };
    fuzz_openbao(u16::from_be_bytes(*status), body);
});
