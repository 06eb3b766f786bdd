//! The certificates of a bundle: notes of the destructions of a page of entries, one behind the other.

use std::collections::BTreeMap;

use vouchsafe_ledger::{EntryKind, LedgerError, VerifierKey};

use super::report::BundleFinding;
use crate::{DestructionCertificate, Error};

/// How many entries the certificates of one file are about.
pub(super) const ENTRIES: u64 = 1024;

/// Whether a certificate is due for entries of this kind.
pub(super) const fn is_certified(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::TemplateDestroyed
            | EntryKind::TemplateDestroyedAgain
            | EntryKind::PayloadDestroyed
            | EntryKind::PayloadDestroyedAgain
    )
}

/// Reads the certificates of a page, each signed by one of the keys, in the order of their entries.
pub(super) fn read_page(
    page: u64,
    bytes: &[u8],
    keys: &[&VerifierKey],
) -> Result<BTreeMap<u64, DestructionCertificate>, BundleFinding> {
    let malformed = || BundleFinding::CertificatesMalformed(page);
    let text = str::from_utf8(bytes).map_err(|_| malformed())?;
    let mut certificates = BTreeMap::new();
    for note in notes(text).ok_or_else(malformed)? {
        let certificate = DestructionCertificate::verify_any(note, keys).map_err(|error| match error {
            Error::Ledger(LedgerError::NoteMalformed) => malformed(),
            Error::Ledger(error) => BundleFinding::CertificateRefused(page, error),
            _ => malformed(),
        })?;
        let entry = certificate.destruction_entry();
        let sorted = certificates.last_key_value().is_none_or(|(last, _)| *last < entry);
        if !sorted || entry / ENTRIES != page {
            return Err(malformed());
        }
        certificates.insert(entry, certificate);
    }
    Ok(certificates)
}

/// The notes of a page: a text, an empty line and one signature each.
fn notes(mut text: &str) -> Option<Vec<&str>> {
    let mut notes = Vec::new();
    while !text.is_empty() {
        let signature = text.find("\n\n")? + 2;
        let end = signature + text.get(signature..)?.find('\n')? + 1;
        let (note, rest) = text.split_at_checked(end)?;
        notes.push(note);
        text = rest;
    }
    (!notes.is_empty()).then_some(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_notes_with_one_signature_each() {
        assert_eq!(notes("a\n\n- s\nb\nc\n\n- t\n"), Some(vec!["a\n\n- s\n", "b\nc\n\n- t\n"]));
        for bad in ["", "a\n", "a\n\n", "a\n\n- s", "a\n\n- s\nb\n", "a\n\n- s\n\n"] {
            assert_eq!(notes(bad), None, "{bad:?}");
        }
        // A second signature begins the next note, which is none.
        assert_eq!(notes("a\n\n- s\n- t\nb\n\n- u\n"), Some(vec!["a\n\n- s\n", "- t\nb\n\n- u\n"]));
    }
}
