//! What the log itself says, in its order: nobody is enrolled or accepted but under a consent that is in force there.

use std::collections::BTreeMap;

use serde_json::Value;
use vouchsafe::ledger::EntryKind;
use vouchsafe_types::SubjectPseudonym;

/// What a template was stored or opened for: the number of the act of consent that it rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rests {
    sequence: Option<u64>,
    /// Whether the person was enrolled or accepted.
    counts: bool,
}

impl Rests {
    /// Whether an entry of this kind rests on a consent.
    pub(super) const fn is_said_by(kind: EntryKind) -> bool {
        matches!(kind, EntryKind::TemplateEnrolled | EntryKind::TemplateOpened)
    }

    pub(super) fn read(kind: EntryKind, payload: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(payload).unwrap_or_default();
        let accepted = json.get("outcome").and_then(Value::as_str) == Some("accepted");
        let counts = kind == EntryKind::TemplateEnrolled || accepted;
        Self { sequence: json.get("sequence").and_then(Value::as_u64), counts }
    }
}

/// One person's consent as the log tells it.
#[derive(Debug, Default)]
struct Line {
    sequence: u64,
    open: bool,
    restricted: bool,
}

/// Entries by which somebody is enrolled or accepted although no consent is in force before them.
pub(super) fn without_consent(
    kinds: &[EntryKind],
    owners: &BTreeMap<u64, SubjectPseudonym>,
    rests: &BTreeMap<u64, Rests>,
) -> Vec<String> {
    let mut lines: BTreeMap<SubjectPseudonym, Line> = BTreeMap::new();
    let mut found = Vec::new();
    for (entry, kind) in (0..).zip(kinds) {
        let Some(owner) = owners.get(&entry) else { continue };
        let line = lines.entry(*owner).or_default();
        match kind {
            EntryKind::ConsentGiven | EntryKind::ConsentRenewed => {
                (line.sequence, line.open) = (line.sequence + 1, true);
            }
            EntryKind::ConsentWithdrawn => (line.sequence, line.open) = (line.sequence + 1, false),
            EntryKind::SubjectMarked => line.restricted = true,
            EntryKind::SubjectUnmarked => line.restricted = false,
            _ => {
                let Some(rests) = rests.get(&entry).filter(|rests| rests.counts) else { continue };
                if !line.open || line.restricted || rests.sequence != Some(line.sequence) {
                    found.push(format!("entry {entry}, {kind:?}, rests on {:?} of {line:?}", rests.sequence));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_log_decides() {
        use EntryKind::{ConsentGiven, ConsentWithdrawn, SubjectMarked, TemplateOpened};
        let accepted = |sequence: u64| {
            let payload = format!("{{\"outcome\":\"accepted\",\"sequence\":{sequence}}}");
            Rests::read(TemplateOpened, payload.as_bytes())
        };
        let refused = Rests::read(TemplateOpened, b"{\"outcome\":\"refused\",\"sequence\":1}");
        for (kinds, rests, wrong) in [
            (vec![ConsentGiven, TemplateOpened, ConsentWithdrawn], (1, accepted(1)), 0),
            (vec![ConsentGiven, ConsentWithdrawn, TemplateOpened], (2, accepted(1)), 1),
            (vec![ConsentGiven, ConsentWithdrawn, TemplateOpened], (2, refused), 0),
            (vec![ConsentGiven, SubjectMarked, TemplateOpened], (2, accepted(1)), 1),
            (vec![ConsentGiven, TemplateOpened], (1, accepted(2)), 1),
            (vec![TemplateOpened], (0, accepted(0)), 1),
        ] {
            let owners = (0..9).map(|entry| (entry, SubjectPseudonym::from_bytes([7; 32]))).collect();
            let found = without_consent(&kinds, &owners, &BTreeMap::from([rests]));
            assert_eq!(found.len(), wrong, "{kinds:?}");
        }
    }
}
