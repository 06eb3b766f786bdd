//! Enrolments, destructions and certificates, told apart by the entries of the log alone.
//!
//! | of an entry | what is demanded |
//! |---|---|
//! | `template.destroyed`, `…_again` | one certificate of class `biometric`, about an enrolment that came before it and that no other certificate is about |
//! | `payload.destroyed`, `…_again` | one certificate of another class, about no enrolment |
//! | any of them in the gap of a recovery | nothing: rows and evidence are lost; what was destroyed in the gap and came back is destroyed again by an entry of its own |
//! | any of them that an `evidence.expired` names, or seven years before the newest entry | nothing: its evidence is gone |
//! | `evidence.expired` | nothing: no evidence is kept of it |
//!
//! A recovery ends the same template a second time by an entry `…_again`; the first entry lies in its gap and has no
//! certificate any more, so that every enrolment has one at the most.

use std::collections::BTreeMap;

use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_ledger::{DestructionReason, EntryKind, Leaf};
use vouchsafe_types::{DataClass, Digest};

use super::certificates::is_certified;
use super::policy::Policies;
use super::report::{BundleCounts, BundleFinding};
use crate::DestructionCertificate;
use crate::audit::EVIDENCE_HOURS;
use crate::destroy::RETIRED;
use crate::logs;
use crate::payload::Payload;

/// What the entries said so far.
pub(super) struct Pairing<'a> {
    origin: &'a str,
    policies: &'a Policies,
    enrolled: BTreeMap<u64, Enrolment>,
    /// Destructions without a certificate.
    bare: Vec<(u64, Leaf)>,
    /// By which hour the evidence of a destruction ended.
    ended: BTreeMap<u64, u32>,
    /// Which policy came into force, in this order.
    in_force: Vec<Digest>,
    newest: Option<u32>,
}

struct Enrolment {
    leaf: Digest,
    destroyed: bool,
}

impl<'a> Pairing<'a> {
    pub(super) const fn new(origin: &'a str, policies: &'a Policies) -> Self {
        Self {
            origin,
            policies,
            enrolled: BTreeMap::new(),
            bare: Vec::new(),
            ended: BTreeMap::new(),
            in_force: Vec::new(),
            newest: None,
        }
    }

    /// Takes the next entry with its certificate, where there is one; gives what is wrong with that.
    pub(super) fn step(
        &mut self,
        entry: u64,
        (bytes, leaf): (&[u8], &Leaf),
        certificate: Option<&DestructionCertificate>,
        counts: &mut BundleCounts,
    ) -> Option<BundleFinding> {
        self.newest = self.newest.max(Some(leaf.hour));
        if leaf.kind == EntryKind::TemplateEnrolled {
            self.enrolled.insert(entry, Enrolment { leaf: leaf_hash(bytes), destroyed: false });
        }
        match certificate {
            Some(certificate) => self.certificate(entry, (bytes, leaf), certificate, counts),
            None => {
                if is_certified(leaf.kind) {
                    self.bare.push((entry, *leaf));
                }
                None
            }
        }
    }

    /// Takes what an entry made public.
    pub(super) fn public(&mut self, leaf: &Leaf, payload: &Payload) {
        match leaf.kind {
            EntryKind::EvidenceExpired => {
                self.ended.extend(payload.entries.iter().map(|entry| (*entry, leaf.hour)));
            }
            EntryKind::OrganisationCreated | EntryKind::RetentionPolicyActivated => {
                let policy = payload.policy.as_deref();
                self.in_force.extend(policy.and_then(|policy| Digest::parse(policy).ok()));
            }
            _ => {}
        }
    }

    fn certificate(
        &mut self,
        entry: u64,
        (bytes, leaf): (&[u8], &Leaf),
        certificate: &DestructionCertificate,
        counts: &mut BundleCounts,
    ) -> Option<BundleFinding> {
        if !self.is_about(bytes, leaf, certificate) {
            return Some(BundleFinding::CertificateDiffers(entry));
        }
        if let Some((number, hash)) = certificate.enrolment() {
            match self.enrolled.get_mut(&number) {
                Some(enrolment) if enrolment.leaf == hash && !enrolment.destroyed => {
                    enrolment.destroyed = true;
                }
                Some(enrolment) if enrolment.leaf == hash => {
                    return Some(BundleFinding::DestroyedTwice(number));
                }
                _ => return Some(BundleFinding::EnrolmentDiffers(entry)),
            }
            counts.destroyed += 1;
        }
        count(certificate, counts);
        self.rule(entry, certificate, counts)
    }

    /// Whether it says of the entry what the log says of it.
    fn is_about(&self, bytes: &[u8], leaf: &Leaf, certificate: &DestructionCertificate) -> bool {
        let again = matches!(leaf.kind, EntryKind::TemplateDestroyedAgain | EntryKind::PayloadDestroyedAgain);
        let template = matches!(leaf.kind, EntryKind::TemplateDestroyed | EntryKind::TemplateDestroyedAgain);
        let reason = DestructionReason::from_name(certificate.cause());
        // A destruction that was under way before the restore keeps its own cause.
        let caused = reason.is_ok_and(|reason| again || reason != DestructionReason::DestroyedBeforeRestore);
        is_certified(leaf.kind)
            && caused
            && certificate.origin() == self.origin
            && certificate.destruction_leaf() == leaf_hash(bytes)
            && certificate.hour().is_some_and(|hour| hour == leaf.hour)
            && template == (certificate.class() == DataClass::Biometric)
            && template == certificate.enrolment().is_some()
            && certificate.class() != DataClass::DestructionEvidence
    }

    /// Looks the rule up in the policy that the certificate names.
    fn rule(
        &self,
        entry: u64,
        certificate: &DestructionCertificate,
        counts: &mut BundleCounts,
    ) -> Option<BundleFinding> {
        let unknown = Some(BundleFinding::RuleUnknown(entry));
        let named = certificate.policy().map(Digest::parse);
        let Some(Ok(digest)) = named else {
            // Certificates of the first versions name a rule and no policy.
            counts.policy_absent += u64::from(certificate.rule().is_some());
            return named.and(unknown);
        };
        counts.policy_not_in_force += u64::from(!self.in_force.contains(&digest));
        let Some(policy) = self.policies.get(&digest) else {
            counts.policy_absent += 1;
            return None;
        };
        let (id, clause) = certificate.rule()?;
        match policy.rule(id) {
            Some(rule) if rule.clause() == clause && rule.class() == certificate.class() => None,
            None if clause == RETIRED && self.in_force.iter().any(|earlier| *earlier != digest) => {
                counts.rule_retired += 1;
                None
            }
            _ => unknown,
        }
    }

    /// Whether an entry is about the organisation that the log's origin names.
    pub(super) fn is_own(&self, leaf: &Leaf) -> bool {
        logs::origin_of(leaf.organisation) == self.origin
    }

    /// The newest hour of an entry.
    pub(super) const fn newest(&self) -> Option<u32> {
        self.newest
    }

    /// The policy that the newest entry about it says is in force.
    pub(super) fn in_force(&self) -> Option<Digest> {
        self.in_force.last().copied()
    }

    /// Whether the packs of this policy are there.
    pub(super) fn has_policy(&self, digest: &Digest) -> bool {
        self.policies.get(digest).is_some()
    }

    /// Says which destructions nothing explains, and counts what is left.
    pub(super) fn end(self, gaps: &[(u64, u64)], counts: &mut BundleCounts) -> Vec<BundleFinding> {
        let lost = |entry: u64| gaps.iter().any(|(from, to)| (*from..*to).contains(&entry));
        let (mut findings, mut gone, newest) = (Vec::new(), 0, self.newest.unwrap_or_default());
        for (entry, leaf) in &self.bare {
            let ended = self.ended.get(entry).map(|hour| hour.saturating_sub(leaf.hour) >= EVIDENCE_HOURS);
            if lost(*entry) {
                counts.lost += 1;
                continue;
            }
            match ended {
                Some(false) => counts.early += 1,
                None if newest.saturating_sub(leaf.hour) < EVIDENCE_HOURS => {
                    findings.push(BundleFinding::CertificateMissing(*entry));
                }
                _ => counts.expired += 1,
            }
            gone += u64::from(matches!(
                leaf.kind,
                EntryKind::TemplateDestroyed | EntryKind::TemplateDestroyedAgain
            ));
        }
        let unknown = self.enrolled.iter().filter(|(entry, enrolment)| !enrolment.destroyed && lost(**entry));
        counts.enrolments_lost = unknown.count() as u64;
        counts.enrolled = self.enrolled.len() as u64;
        let ended = counts.destroyed + counts.enrolments_lost + gone;
        counts.held = counts.enrolled.saturating_sub(ended);
        findings
    }
}

fn count(certificate: &DestructionCertificate, counts: &mut BundleCounts) {
    counts.certificates += 1;
    let add = |tally: &mut BTreeMap<String, u64>, word: &str| {
        *tally.entry(word.to_owned()).or_default() += 1;
    };
    add(&mut counts.classes, certificate.class().name());
    add(&mut counts.causes, certificate.cause());
    add(&mut counts.strengths, certificate.strength());
    for left in certificate.not_reached() {
        // What follows the word is a number.
        add(&mut counts.not_reached, left.split(' ').next().unwrap_or_default());
    }
}
