//! What the check of a bundle found, and what it counted.

use std::collections::BTreeMap;
use std::fmt;

use vouchsafe_ledger::{Checkpoint, Finding, LedgerError, VerifierKey};
use vouchsafe_types::{Digest, Timestamp};

/// One check of a bundle that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleFinding {
    /// This lies in the folder and is no part of the bundle.
    Added(String),
    /// The certificate about this entry is not about that entry of the log.
    CertificateDiffers(u64),
    /// The destruction of this entry has no certificate, and neither its age nor a recovery explains it.
    CertificateMissing(u64),
    /// A certificate on this page is not signed by a key of the log.
    CertificateRefused(u64, LedgerError),
    /// This page is not certificates of its entries in their order, each once.
    CertificatesMalformed(u64),
    /// The log in it has another checkpoint than the manifest.
    CheckpointDiffers,
    /// Two certificates say that the template of this enrolment was destroyed.
    DestroyedTwice(u64),
    /// This file holds something else than the list says.
    Differs(String),
    /// The certificate about this entry names no enrolment that came before it.
    EnrolmentDiffers(u64),
    /// This entry is one of another organisation.
    Foreign(u64),
    /// The gap that this entry states is not one of a recovery: of another kind, or not before the entry.
    GapRefused(u64),
    /// A handover of the log's key does not hold.
    HandoverRefused(LedgerError),
    /// The file `keys` names other keys than the trusted one and the handovers.
    KeysDiffer,
    /// The list does not parse.
    ListMalformed,
    /// The log in it is not sound.
    Log(Finding),
    /// The manifest does not parse.
    ManifestMalformed,
    /// The manifest is not signed by the log's key.
    ManifestRefused(LedgerError),
    /// This file is listed and not there.
    Missing(String),
    /// The files of the notice that this entry published are not what it says.
    NoticeDiffers(u64),
    /// The bytes of the notice that this entry published are not there.
    NoticeMissing(u64),
    /// The public payload of this entry is not what the entry committed to.
    PayloadDiffers(u64),
    /// The public payload of this entry is not there, and no recovery lost it.
    PayloadMissing(u64),
    /// The packs are not the policy with this digest.
    PolicyDiffers(Digest),
    /// The certificate about this entry names a rule or a clause that its policy does not have.
    RuleUnknown(u64),
}

impl fmt::Display for BundleFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Somebody else chose the name.
            Self::Added(path) => write!(f, "{path:?} is no part of the bundle"),
            Self::CertificateDiffers(entry) => {
                write!(f, "certificate of entry {entry} is not about that entry of the log")
            }
            Self::CertificateMissing(entry) => write!(f, "destruction of entry {entry} has no certificate"),
            Self::CertificateRefused(page, error) => {
                write!(f, "a certificate of certificates/{page} is refused: {error}")
            }
            Self::CertificatesMalformed(page) => write!(f, "certificates/{page} is malformed"),
            Self::CheckpointDiffers => f.write_str("manifest is about another checkpoint"),
            Self::DestroyedTwice(entry) => write!(f, "enrolment of entry {entry} is destroyed twice"),
            Self::Differs(path) => write!(f, "{path} is not what the list says"),
            Self::EnrolmentDiffers(entry) => {
                write!(f, "certificate of entry {entry} names no enrolment that came before it")
            }
            Self::Foreign(entry) => write!(f, "entry {entry} is one of another organisation"),
            Self::GapRefused(entry) => write!(f, "gap of entry {entry} is not one of a recovery"),
            Self::HandoverRefused(error) => write!(f, "key handover is refused: {error}"),
            Self::KeysDiffer => f.write_str("the keys are not the trusted one and those of the handovers"),
            Self::ListMalformed => f.write_str("list is malformed"),
            Self::Log(finding) => write!(f, "log: {finding}"),
            Self::ManifestMalformed => f.write_str("manifest is malformed"),
            Self::ManifestRefused(error) => write!(f, "manifest is refused: {error}"),
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::NoticeDiffers(entry) => write!(f, "notice of entry {entry} is not what the entry says"),
            Self::NoticeMissing(entry) => write!(f, "notice of entry {entry} is missing"),
            Self::PayloadDiffers(entry) => {
                write!(f, "payload of entry {entry} is not what the entry committed to")
            }
            Self::PayloadMissing(entry) => write!(f, "payload of entry {entry} is missing"),
            Self::PolicyDiffers(digest) => write!(f, "policy/{digest} is not the policy of that digest"),
            Self::RuleUnknown(entry) => {
                write!(f, "certificate of entry {entry} names a rule or clause that its policy does not have")
            }
        }
    }
}

/// What was counted in a bundle: numbers of entries, and not one word about a person.
///
/// [`Display`](fmt::Display) is one line, `name=number` between spaces, in this order; the words of the four
/// tallies follow as `class.…`, `cause.…`, `strength.…` and `not-reached.…`, each in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BundleCounts {
    /// Entries that were hashed.
    pub entries: u64,
    /// Public payloads that open their entry.
    pub public: u64,
    /// Public payloads that a recovery lost.
    pub public_lost: u64,
    /// Notices that are what their entry says.
    pub notices: u64,
    /// Enrolments.
    pub enrolled: u64,
    /// Enrolments whose template is destroyed, by a certificate.
    pub destroyed: u64,
    /// Enrolments that nothing says are destroyed.
    pub held: u64,
    /// Enrolments in the gap of a recovery, which destroyed their keys and kept no rows of them.
    pub enrolments_lost: u64,
    /// Certificates: of templates and of everything else.
    pub certificates: u64,
    /// Destructions without a certificate, because their evidence ended after its seven years.
    pub expired: u64,
    /// Those whose evidence ended before, as an entry of the log says.
    pub early: u64,
    /// Destructions without a certificate, because a recovery lost their evidence.
    pub lost: u64,
    /// Certificates that name a policy whose packs are not in the bundle.
    pub policy_absent: u64,
    /// Certificates that name a rule of an earlier policy, which the policy of the day no longer had.
    pub rule_retired: u64,
    /// Certificates that name a policy which no entry before them put in force.
    pub policy_not_in_force: u64,
    /// Certificates by class of data.
    pub classes: BTreeMap<String, u64>,
    /// Certificates by cause.
    pub causes: BTreeMap<String, u64>,
    /// Certificates by erasure strength.
    pub strengths: BTreeMap<String, u64>,
    /// Certificates by what was not reached; one may name several.
    pub not_reached: BTreeMap<String, u64>,
}

impl fmt::Display for BundleCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            ("entries", self.entries),
            ("public", self.public),
            ("public-lost", self.public_lost),
            ("notices", self.notices),
            ("enrolled", self.enrolled),
            ("destroyed", self.destroyed),
            ("held", self.held),
            ("enrolments-lost", self.enrolments_lost),
            ("certificates", self.certificates),
            ("expired", self.expired),
            ("early", self.early),
            ("lost", self.lost),
            ("policy-absent", self.policy_absent),
            ("rule-retired", self.rule_retired),
            ("policy-not-in-force", self.policy_not_in_force),
        ];
        let numbers = numbers.map(|(name, number)| format!("{name}={number}"));
        let tallies = [
            ("class", &self.classes),
            ("cause", &self.causes),
            ("strength", &self.strengths),
            ("not-reached", &self.not_reached),
        ];
        let tallies = tallies.iter().flat_map(|(name, tally)| {
            tally.iter().map(move |(word, number)| format!("{name}.{word}={number}"))
        });
        f.write_str(&numbers.into_iter().chain(tallies).collect::<Vec<_>>().join(" "))
    }
}

/// What the check of a bundle found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct BundleReport {
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) key: Option<VerifierKey>,
    pub(super) files: u64,
    pub(super) counts: BundleCounts,
    pub(super) policy: Option<(Digest, bool)>,
    pub(super) newest: Option<u32>,
    findings: Vec<BundleFinding>,
    pub(super) omitted: u64,
}

impl BundleReport {
    /// The most findings that are kept; the rest is counted.
    pub const MAX_FINDINGS: usize = 1000;

    /// Whether every check passed.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.checkpoint.is_some()
    }

    /// The checkpoint that the bundle covers, once its signatures have verified.
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// The key that signs the log now, after every handover in the bundle.
    pub const fn key(&self) -> Option<&VerifierKey> {
        self.key.as_ref()
    }

    /// How many files are listed.
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// What was counted.
    pub const fn counts(&self) -> &BundleCounts {
        &self.counts
    }

    /// The retention policy that the log says is in force, and whether its packs are in the bundle.
    pub const fn policy(&self) -> Option<(Digest, bool)> {
        self.policy
    }

    /// The newest hour that an entry of the log states; the log itself shows no time.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest.and_then(|hour| Timestamp::from_second(i64::from(hour) * 3600).ok())
    }

    /// Whether the log states an hour that is more than a day ahead of a clock: evidence may seem to have ended then.
    pub fn is_dated_ahead_of(&self, now: Timestamp) -> bool {
        let end = now.as_second().div_euclid(3600) + 24;
        self.newest.is_some_and(|hour| i64::from(hour) > end)
    }

    /// The checks that failed, in the order they were made.
    pub fn findings(&self) -> &[BundleFinding] {
        &self.findings
    }

    /// How many findings there were beyond [`Self::MAX_FINDINGS`].
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    pub(super) fn add(&mut self, finding: BundleFinding) {
        if self.findings.len() < Self::MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }
}
