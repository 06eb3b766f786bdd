//! A bundle of log entries: what is read is what was there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::OneTile;
use vouchsafe_ledger::read_entries;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entries) = read_entries(&OneTile(bytes.to_vec()), 0, 256) {
        let mut written = Vec::with_capacity(bytes.len());
        for entry in entries {
            written.extend_from_slice(&u16::try_from(entry.len()).expect("a 16-bit length").to_be_bytes());
            written.extend_from_slice(&entry);
        }
        assert_eq!(written, bytes);
    }
});
