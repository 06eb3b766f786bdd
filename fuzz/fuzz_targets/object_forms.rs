//! What lies in a bucket behind a byte that says what it is: a lease, a sealed state, fences, or a server's answer.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    // The readers are not public; they are there for `cargo fuzz`, which sets this.
    #[cfg(fuzzing)]
    match kind {
        0 => vouchsafe_objects::fuzzing::lease(rest),
        1 => vouchsafe_objects::fuzzing::state(rest),
        2 => vouchsafe_objects::fuzzing::fences(rest),
        _ => {
            let Some((status, body)) = rest.split_first_chunk::<2>() else { return };
            vouchsafe_objects::fuzzing::answer(u16::from_be_bytes(*status), body);
        }
    }
    #[cfg(not(fuzzing))]
    let _ = (kind, rest);
});
