//! The files of a backup: there is one encoding of each table, and one of the manifest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_store::backup::{rewrite_manifest, rewrite_rows};

fuzz_target!(|bytes: &[u8]| {
    let Some((table, rest)) = bytes.split_first() else { return };
    let written = if *table == b'{' { rewrite_manifest(bytes) } else { rewrite_rows(*table, rest) };
    if let Ok(written) = written {
        assert_eq!(written, if *table == b'{' { bytes } else { rest });
    }
});
