//! The readers of what lies in a bucket, for the fuzz targets alone. Each panics where what it read has another form.
#![expect(clippy::missing_panics_doc, reason = "no part of the API")]

use crate::{Versioning, answer, fences, lease, states};

pub fn lease(bytes: &[u8]) {
    if let Some(record) = lease::Record::parse(bytes) {
        assert_eq!(record.bytes(), bytes);
    }
}

pub fn state(bytes: &[u8]) {
    if let Some((version, blob)) = states::parse(bytes) {
        assert_eq!(states::encode(version, blob), bytes);
    }
}

/// The frames of a segment; what follows the last whole one is left.
pub fn fences(bytes: &[u8]) {
    let (records, len) = fences::parse(bytes);
    let framed: Vec<u8> = records.iter().flat_map(|record| fences::frame(record)).collect();
    assert_eq!(framed, bytes.get(..len).unwrap_or_default());
}

pub fn answer(status: u16, body: &[u8]) {
    let _ = Versioning::read(status, body);
    if let Some(word) = answer::element(body, "Code") {
        assert!(word.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
