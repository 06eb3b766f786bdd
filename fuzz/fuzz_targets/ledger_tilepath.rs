//! A path of a log's file: one spelling, and no way out of the folder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_ledger::{TilePath, is_log_path};

fuzz_target!(|text: &str| {
    if let Ok(path) = TilePath::parse(text) {
        assert_eq!(path.to_string(), text);
        assert!((1..=256).contains(&path.width()));
        let made = match path.level() {
            Some(level) => TilePath::hashes(level, path.index(), path.width()),
            None => TilePath::entries(path.index(), path.width()),
        };
        assert_eq!(made, Ok(path));
    }
    if is_log_path(text) {
        assert!(!text.contains("..") && !text.starts_with('/') && text.is_ascii());
    }
});
