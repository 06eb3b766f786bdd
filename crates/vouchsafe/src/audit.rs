//! The audit of payloads: what lies beside the log is what the log committed to, and what is missing was destroyed.

use std::collections::BTreeSet;
use std::fmt;

use vouchsafe_consent::Materiality;
use vouchsafe_envelope::EnvelopeError;
use vouchsafe_ledger::{EntryKind, Leaf, commitment};
use vouchsafe_store::{HoldingState, StoreError};
use vouchsafe_types::Digest;

use crate::act::{Act, payload_context, public_opening, split_payload};
use crate::consents::notice_of;
use crate::payload::Payload;
use crate::{Error, Organisation};

/// Evidence of a destruction is kept for seven years; no seven years have fewer hours.
pub(crate) const EVIDENCE_HOURS: u32 = (7 * 365 + 1) * 24;
/// How many entries one transaction looks at.
const PAGE: u32 = 1024;

/// What an audit of the payloads found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct PayloadReport {
    /// Entries looked at.
    pub entries: u64,
    /// Sealed payloads that open their entry's commitment.
    pub sealed: u64,
    /// Payloads about the organisation itself that do.
    pub public: u64,
    /// Payloads that a recorded destruction, or a recovery, accounts for.
    pub destroyed: u64,
    /// Payloads that nothing readable accounts for, while evidence of destructions was itself destroyed after its
    /// seven years: it may have named them.
    pub unaccounted: u64,
    /// What is wrong.
    pub findings: Vec<PayloadFinding>,
}

impl PayloadReport {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// One payload that is not as the log says, by the number of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadFinding {
    /// It is not what the entry committed to: changed, or that of another entry.
    Differs(u64),
    /// It is gone, and no destruction accounts for it.
    Missing(u64),
    /// The notice whose publication it records is not kept as it was published.
    Notice(u64),
    /// It does not open under the keys that should open it.
    Unreadable(u64),
}

impl fmt::Display for PayloadFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(entry) => write!(f, "payload of entry {entry} is not what the entry committed to"),
            Self::Missing(entry) => {
                write!(f, "payload of entry {entry} is gone and no destruction accounts for it")
            }
            Self::Notice(entry) => write!(f, "the notice of entry {entry} is not kept as it was published"),
            Self::Unreadable(entry) => write!(f, "payload of entry {entry} does not open"),
        }
    }
}

impl Organisation<'_> {
    /// Opens every payload and compares it with its entry; accounts for those that are gone.
    ///
    /// It reads the whole log and every payload; the log itself is checked by [`Self::verify_log`].
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`]: no verdict.
    pub fn verify_payloads(&self) -> Result<PayloadReport, Error> {
        let mut walk = Walk::default();
        loop {
            let from = walk.report.entries;
            let looked = self.core.act(&self.id, &[], |act| {
                let leaves = act.rows.entries(act.organisation, from, PAGE)?;
                leaves.iter().try_for_each(|leaf| walk.step(act, leaf))?;
                Ok(leaves.len())
            });
            match looked {
                // Another process has just reserved the leaf: the keys in memory are read again, once for an entry.
                Err(Error::Envelope(EnvelopeError::NeverAllocated)) => {
                    walk.reread = Some(walk.report.entries);
                    self.core.ring.wipe();
                }
                Ok(0) => return Ok(walk.end()),
                looked => drop(looked?),
            }
        }
    }
}

#[derive(Default)]
struct Walk {
    report: PayloadReport,
    gone: BTreeSet<u64>,
    accounted: BTreeSet<u64>,
    gaps: Vec<(u64, u64)>,
    /// Destructions before this entry may have lost their evidence to its seven years.
    blind_before: u64,
    /// The entry for which the keys were read again.
    reread: Option<u64>,
}

impl Walk {
    fn step(&mut self, act: &mut Act<'_>, leaf: &[u8]) -> Result<(), Error> {
        let entry = self.report.entries;
        // A leaf that does not decode is the log's finding.
        if let Ok(leaf) = Leaf::from_bytes(leaf) {
            if leaf.kind.has_public_opening() {
                self.public(act, entry, &leaf)?;
            } else {
                self.sealed(act, entry, &leaf)?;
            }
        }
        self.report.entries += 1;
        Ok(())
    }

    fn public(&mut self, act: &mut Act<'_>, entry: u64, leaf: &Leaf) -> Result<(), Error> {
        let Some(bytes) = act.rows.public_payload(act.organisation, entry)? else {
            self.gone.insert(entry);
            return Ok(());
        };
        let committed = commitment::verify(&public_opening(), &bytes, &leaf.commitment);
        if committed && leaf.kind == EntryKind::LogKeyRotated {
            // Its payload is a text of the ledger's own.
            self.report.public += 1;
            return Ok(());
        }
        let payload = Payload::parse(&bytes).ok().filter(|payload| payload.entry == entry);
        match payload.filter(|_| committed) {
            None => self.report.findings.push(PayloadFinding::Differs(entry)),
            Some(payload) => {
                self.report.public += 1;
                if changed_notice(act, &payload)? {
                    self.report.findings.push(PayloadFinding::Notice(entry));
                }
                self.gaps.extend(payload.gap);
            }
        }
        Ok(())
    }

    fn sealed(&mut self, act: &mut Act<'_>, entry: u64, leaf: &Leaf) -> Result<(), Error> {
        let Some(row) = act.rows.payload(act.organisation, entry)? else {
            self.gone.insert(entry);
            let evidence = matches!(
                leaf.kind,
                EntryKind::PayloadDestroyed
                    | EntryKind::PayloadDestroyedAgain
                    | EntryKind::TemplateDestroyed
                    | EntryKind::TemplateDestroyedAgain
            );
            if evidence && Leaf::hour_of(act.now)?.saturating_sub(leaf.hour) >= EVIDENCE_HOURS {
                self.blind_before = entry + 1;
            }
            return Ok(());
        };
        let holding = act.rows.holding(act.organisation, row.leaf)?.ok_or(StoreError::Damaged)?;
        let context = payload_context(act.organisation, row.leaf, holding.class, row.id, row.key_version);
        let plain = match act.state.open(&context, &row.sealed) {
            Ok(plain) => plain,
            Err(error @ EnvelopeError::NeverAllocated) if self.reread != Some(entry) => {
                return Err(error.into());
            }
            // Condemned: its key is gone already, its bytes are about to be.
            Err(EnvelopeError::Destroyed) if matches!(holding.state, HoldingState::Condemned { .. }) => {
                self.report.destroyed += 1;
                return Ok(());
            }
            Err(_) => {
                self.report.findings.push(PayloadFinding::Unreadable(entry));
                return Ok(());
            }
        };
        let opened = split_payload(plain.expose_secret()).ok().and_then(|(opening, bytes)| {
            let committed = commitment::verify(&opening, bytes, &leaf.commitment);
            Payload::parse(bytes).ok().filter(|payload| committed && payload.entry == entry)
        });
        match opened {
            None => self.report.findings.push(PayloadFinding::Differs(entry)),
            Some(payload) => {
                self.report.sealed += 1;
                self.accounted.extend(payload.entries);
            }
        }
        Ok(())
    }

    fn end(mut self) -> PayloadReport {
        for entry in self.gone {
            let recovered = self.gaps.iter().any(|(from, to)| (*from..*to).contains(&entry));
            if recovered || self.accounted.contains(&entry) {
                self.report.destroyed += 1;
            } else if entry < self.blind_before {
                self.report.unaccounted += 1;
            } else {
                self.report.findings.push(PayloadFinding::Missing(entry));
            }
        }
        self.report
    }
}

/// Whether the payload records the publication of a notice whose row says otherwise.
fn changed_notice(act: &mut Act<'_>, payload: &Payload) -> Result<bool, Error> {
    let (Some(label), Some(published)) = (&payload.notice, &payload.terms) else { return Ok(false) };
    let row = match Digest::parse(&label.sha256) {
        Ok(digest) => act.rows.notice(act.organisation, digest)?,
        Err(_) => None,
    };
    let Some((row, notice)) = row.and_then(|row| notice_of(&row).ok().map(|notice| (row, notice))) else {
        return Ok(true);
    };
    let terms =
        serde_json::from_slice::<serde_json::Value>(&row.terms).is_ok_and(|terms| terms == *published);
    let schedule = notice.terms().is_none_or(|terms| terms.schedule().matches(&row.schedule));
    let columns = (row.id.as_str(), row.version.as_str(), row.locale.as_str(), row.attested_by)
        == (notice.id(), notice.version(), notice.locale(), notice.attested_by().code())
        && row.material == (notice.materiality() == Materiality::Material)
        && row.effective_at.as_microsecond() == notice.effective().as_microsecond();
    Ok(!(terms && schedule && columns && notice.matches(&row.shown)))
}
