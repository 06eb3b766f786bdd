use vouchsafe_types::DataClass;

use super::{Configuration, Severity};
use crate::{RuleKind, Trigger};

/// What a sentence promises and what runs instead: a row of [`LINT_RULES`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LintRule {
    /// Its id.
    pub id: &'static str,
    /// A sentence is meant when it says one phrase of every group. Phrases are in lower case.
    pub all: &'static [&'static [&'static str]],
    /// And none of these.
    pub unless: &'static [&'static str],
    /// A notice that says one of these anywhere has said it all.
    pub settled: &'static [&'static str],
    /// What such a sentence promises.
    pub promised: &'static str,
    /// How far that lies from what runs.
    pub severity: Severity,
    /// What runs.
    pub check: Check,
}

/// How a rule knows what runs.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Check {
    /// It is the same for every configuration.
    Always(&'static str),
    /// The configuration is asked; `None` when it keeps the promise.
    Running(fn(&Configuration<'_>) -> Option<String>),
}

/// Every rule about a single sentence.
pub const LINT_RULES: &[LintRule] = &[
    LintRule {
        id: "irreversible-embedding",
        all: &[
            &["irreversible", "cannot be used to reconstruct", "do not contain identifiable"],
            &["embedding", "template", "vector", "storage"],
        ],
        unless: &[],
        settled: &[],
        promised: "Nobody can get from the stored numbers back to the face or voice.",
        severity: Severity::Error,
        check: Check::Always(
            "A raw embedding can be inverted to a lookalike. Stored is a protected template under a key: whoever \
             steals the key inverts it exactly, so it is encryption and not irreversibility.",
        ),
    },
    LintRule {
        id: "embedding-stored",
        all: &[&["biometric data we retain", "only mathematical face embeddings are stored"]],
        unless: &[],
        settled: &[],
        promised: "The embedding is all that is kept.",
        severity: Severity::Warning,
        check: Check::Always("No embedding is kept: a protected, renewable template made from it is."),
    },
    LintRule {
        id: "hashed-address",
        all: &[&["ip address"], &["hash"]],
        unless: &[],
        settled: &[],
        promised: "A hashed IP address does not lead back to the address.",
        severity: Severity::Error,
        check: Check::Always(
            "All IPv4 addresses can be tried against a salted hash in minutes. Stored is a keyed pseudonym whose key is \
             rotated and destroyed; until then whoever holds the key can compare.",
        ),
    },
    LintRule {
        id: "voice-passwordless",
        all: &[&["voice"], &["passwordless"]],
        unless: &[],
        settled: &[],
        promised: "A voice alone signs an administrator in.",
        severity: Severity::Error,
        check: Check::Running(voice),
    },
    LintRule {
        id: "blink-detection",
        all: &[&["blink"]],
        unless: &[],
        settled: &[],
        promised: "Detecting a blink tells a live person from a picture.",
        severity: Severity::Warning,
        check: Check::Always(
            "A blink is supporting evidence only. A still image alone gives weak assurance, and tokens and \
             administrators' sign-in demand a challenge.",
        ),
    },
    LintRule {
        id: "liveness-not-retained",
        all: &[&["liveness", "anti-spoof"], &["not retained"]],
        unless: &[],
        settled: &[],
        promised: "Nothing of a liveness check is kept after the session.",
        severity: Severity::Warning,
        check: Check::Running(verdict),
    },
    LintRule {
        id: "audit-log-as-evidence",
        all: &[&["audit log"], &["90 days"]],
        unless: &[],
        settled: &["evidence of destruction", "destruction evidence"],
        promised: "The audit log shows what happened, for 90 days.",
        severity: Severity::Warning,
        check: Check::Running(evidence),
    },
    LintRule {
        id: "revoke-by-contact",
        all: &[&["revoke", "withdraw", "requests can be made"], &["by contacting", "contact us at"]],
        unless: &["unsubscribe"],
        settled: &[],
        promised: "Consent is withdrawn by writing to somebody.",
        severity: Severity::Error,
        check: Check::Always(
            "Withdrawing has to be as easy as giving consent (GDPR Art 7(3)). It is one call from the person's own \
             session, and takes effect at once.",
        ),
    },
    LintRule {
        id: "key-per-organisation",
        all: &[
            &["each organization", "each organisation", "per organization", "per organisation"],
            &["encryption key", "(dek)"],
        ],
        unless: &[],
        settled: &[],
        promised: "One key for an organisation is enough to destroy data for good.",
        severity: Severity::Warning,
        check: Check::Always(
            "One key cannot destroy one person and leave the others. Below it every person, class and scope has a key \
             of its own in a tree, which is what a deletion destroys.",
        ),
    },
    LintRule {
        id: "as-long-as-necessary",
        all: &[
            &["as long as necessary", "as long as needed"],
            &["media", "image", "video", "template", "biometric"],
        ],
        unless: &[],
        settled: &[],
        promised: "Media and templates are kept for as long as somebody finds necessary.",
        severity: Severity::Error,
        check: Check::Running(necessary),
    },
    LintRule {
        id: "business-transfer",
        all: &[&["merger", "acquisition", "asset transfer", "business transfer"]],
        unless: &[],
        settled: &[],
        promised: "Data may go to whoever takes over the business.",
        severity: Severity::Error,
        check: Check::Always(
            "A successor gets data only with the person's new consent; the register refuses anything else (740 ILCS \
             14/15(d)).",
        ),
    },
    LintRule {
        id: "transfer-safeguards",
        all: &[&["appropriate safeguards"]],
        unless: &[],
        settled: &[],
        promised: "Data abroad has appropriate safeguards.",
        severity: Severity::Error,
        check: Check::Running(safeguards),
    },
    LintRule {
        id: "immutable-log",
        all: &[&["immutabl"]],
        unless: &[],
        settled: &[],
        promised: "What was logged is there for ever.",
        severity: Severity::Note,
        check: Check::Running(immutable),
    },
    LintRule {
        id: "never-stored",
        all: &[&["never stored", "never store ", "never collected", "never raw images"]],
        unless: &[],
        settled: &[],
        promised: "Something is never stored or collected.",
        severity: Severity::Note,
        check: Check::Always(
            "These libraries have no type that stores media, raw addresses or a precise place. Proxies, crash dumps and \
             other systems beside them are the publisher's to check.",
        ),
    },
    LintRule {
        id: "never-disclosed",
        all: &[&["never sell", "do not sell", "never disclosed", "never share"]],
        unless: &[],
        settled: &[],
        promised: "Data is never sold or disclosed.",
        severity: Severity::Note,
        check: Check::Always(
            "No basis of the disclosure register can express a sale, and a disclosure without a basis is refused. What \
             leaves by other ways than the register, the publisher has to rule out.",
        ),
    },
];

fn voice(running: &Configuration<'_>) -> Option<String> {
    let words = "A voice is never the only factor here, and the method is off by default: NIST SP 800-63B-4 does not \
                 accept voice comparison as an authenticator.";
    (!running.is_voice_alone()).then(|| words.to_owned())
}

fn verdict(running: &Configuration<'_>) -> Option<String> {
    let kept =
        longest(running, DataClass::VerificationLog).unwrap_or_else(|| "a period not stated".to_owned());
    Some(format!(
        "Verdict and method are kept in the verification log for {kept}; no signal and no score is."
    ))
}

fn evidence(running: &Configuration<'_>) -> Option<String> {
    let kept = longest(running, DataClass::DestructionEvidence);
    Some(match kept {
        Some(kept) => format!(
            "A destruction may be questioned for five years (740 ILCS 14/20). Its evidence is a class of its own, kept \
             for {kept}."
        ),
        None => "The policy states no period for the evidence of destructions.".to_owned(),
    })
}

fn necessary(running: &Configuration<'_>) -> Option<String> {
    let rules = running.policy().rules().iter().filter(|rule| {
        rule.class() == DataClass::Biometric
            && rule.is_enabled()
            && rule.kind() == RuleKind::Ceiling
            && rule.trigger() == Trigger::LastInteraction
    });
    let ends: Vec<_> = rules
        .filter_map(|rule| rule.period().map(|period| (period, rule)))
        .map(|(period, rule)| {
            let place = rule.jurisdiction().map(|place| format!(" in {}", place.title())).unwrap_or_default();
            format!("{period}{place} ({})", rule.clause())
        })
        .collect();
    let ends = if ends.is_empty() { "no period of inactivity is stated".to_owned() } else { ends.join("; ") };
    Some(format!(
        "Media is never stored: there is no type for it. Templates go when the purpose is met, and after inactivity at \
         the latest: {ends}."
    ))
}

fn safeguards(running: &Configuration<'_>) -> Option<String> {
    let words = "The policy does not say in which regions data may lie, so no transfer has a safeguard and every \
                 disclosure is refused.";
    running.policy().profile().is_none().then(|| words.to_owned())
}

fn immutable(running: &Configuration<'_>) -> Option<String> {
    let kept =
        longest(running, DataClass::ConsentEvidence).unwrap_or_else(|| "a period not stated".to_owned());
    Some(format!(
        "The log's leaf and its proof stay and cannot be changed unnoticed. What the entry says is destroyed after {kept}."
    ))
}

/// The period of the first ceiling of a class that runs from its creation.
fn longest(running: &Configuration<'_>, class: DataClass) -> Option<String> {
    let mut rules = running.policy().rules().iter().filter(|rule| {
        rule.class() == class
            && rule.is_enabled()
            && rule.kind() == RuleKind::Ceiling
            && rule.trigger() == Trigger::Creation
    });
    rules.find_map(|rule| rule.period()).map(|period| period.to_string())
}

/// Which sentences state a period that the policy has rules about.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeriodWords {
    pub(super) class: DataClass,
    pub(super) trigger: Trigger,
    pub(super) all: &'static [&'static [&'static str]],
    pub(super) what: &'static str,
    pub(super) after: &'static str,
}

pub(super) const PERIODS: &[PeriodWords] = &[
    PeriodWords {
        class: DataClass::Biometric,
        trigger: Trigger::LastInteraction,
        all: &[&["biometric", "embedding", "template"], &["interaction", "inactiv"]],
        what: "Templates",
        after: "after the last interaction",
    },
    PeriodWords {
        class: DataClass::VerificationLog,
        trigger: Trigger::Creation,
        all: &[&["verification log"]],
        what: "Verification logs",
        after: "unless set otherwise",
    },
    PeriodWords {
        class: DataClass::AuditLog,
        trigger: Trigger::Creation,
        all: &[&["audit log"]],
        what: "Audit logs",
        after: "unless set otherwise",
    },
    PeriodWords {
        class: DataClass::ConsentEvidence,
        trigger: Trigger::Creation,
        all: &[&["consent record"]],
        what: "Consent records",
        after: "after they were made",
    },
];

/// By which words a notice collects a class.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassWords {
    pub(super) class: DataClass,
    pub(super) phrases: &'static [&'static str],
    pub(super) what: &'static str,
}

pub(super) const CLASSES: &[ClassWords] = &[
    ClassWords { class: DataClass::Billing, phrases: &["billing"], what: "Billing data" },
    ClassWords {
        class: DataClass::Support,
        phrases: &["messages or inquiries", "support messages", "messages to support"],
        what: "A message to support or sales",
    },
    ClassWords {
        class: DataClass::Usage,
        phrases: &["device information", "pages visited", "usage data"],
        what: "Usage and device data",
    },
];
