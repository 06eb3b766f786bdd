use std::fmt::Write as _;

use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_ledger::{Checkpoint, Leaf, LogSigner, Note, Trust, VerifierKey};
use vouchsafe_types::{DataClass, Digest, Timestamp};

use crate::{EnrolmentReceipt, Error};

const HEADER: &str = "vouchsafe destruction certificate v2";
/// How a C2SP tlog-proof begins: what follows the note in a file.
const PROOF: &str = "c2sp.org/tlog-proof@v1\n";
const NONE: &str = "none";

/// A signed statement that the key of one holding was destroyed.
///
/// It is a claim with inclusion and service evidence, never a proof of absence. It holds no personal data: it names
/// two log entries, and only the person's [`EnrolmentReceipt`] ties the first one to them. A C2SP signed note under
/// the log's key, which is not among the destroyed; in a file the proof that the destruction's entry is in the log
/// follows ([`Organisation::prove_certificate`](crate::Organisation::prove_certificate)).
///
/// ```text
/// vouchsafe destruction certificate v2
/// origin vouchsafe/8c1f…
/// class biometric
/// enrolment-entry 3
/// enrolment-leaf 5d41…
/// destruction-entry 9
/// destruction-leaf 77ab…
/// hour 2026-11-24T18:00:00Z
/// cause withdrawal
/// rule vs-1-withdrawal
/// clause vouchsafe 1 (GDPR Art 17(1)(b))
/// policy 1f0e…
/// key-service-statements 1
/// state-digest 90bc…
/// erasure-strength host_only
/// not-reached copies-of-the-key-host
///
/// — vouchsafe/8c1f… 5v3k…
/// ```
///
/// `enrolment-entry` and `enrolment-leaf` are `none` for data that has no enrolment; `rule`, `clause` and `policy` where
/// no rule was asked. `not-reached` lists, between commas, what the destruction did not reach: `copies-of-the-key-host`
/// where the key service is on this host, `everything` where it cannot destroy, `recipients N` where N recipients of the
/// person's data have not acknowledged yet that they deleted it; or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestructionCertificate {
    note: String,
    proof: Option<String>,
    statement: Statement,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) origin: String,
    pub(crate) class: DataClass,
    /// Number and RFC 6962 leaf hash of the enrolment's entry.
    pub(crate) enrolment: Option<(u64, Digest)>,
    /// The same of the destruction's.
    pub(crate) destruction: (u64, Digest),
    pub(crate) hour: String,
    pub(crate) cause: String,
    /// Id and clause of the rule that decided.
    pub(crate) rule: Option<(String, String)>,
    pub(crate) policy: Option<String>,
    pub(crate) statements: String,
    pub(crate) state_digest: String,
    pub(crate) strength: String,
    pub(crate) not_reached: Vec<String>,
}

impl Statement {
    fn text(&self) -> String {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        let (enrolment, leaf) = self.enrolment.unzip();
        let (rule, clause) = self.rule.clone().unzip();
        let not_reached = (!self.not_reached.is_empty()).then(|| self.not_reached.join(", "));
        let fields = [
            ("origin", self.origin.clone()),
            ("class", self.class.name().to_owned()),
            ("enrolment-entry", or_none(enrolment.map(|entry| entry.to_string()))),
            ("enrolment-leaf", or_none(leaf.map(|leaf| leaf.to_string()))),
            ("destruction-entry", self.destruction.0.to_string()),
            ("destruction-leaf", self.destruction.1.to_string()),
            ("hour", self.hour.clone()),
            ("cause", self.cause.clone()),
            ("rule", or_none(rule)),
            ("clause", or_none(clause)),
            ("policy", or_none(self.policy.clone())),
            ("key-service-statements", self.statements.clone()),
            ("state-digest", self.state_digest.clone()),
            ("erasure-strength", self.strength.clone()),
            ("not-reached", or_none(not_reached)),
        ];
        fields.iter().fold(format!("{HEADER}\n"), |mut text, (name, value)| {
            let _ = writeln!(text, "{name} {value}");
            text
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(HEADER)?.strip_prefix('\n')?.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let known = |text: String| (text != NONE).then_some(text);
        let digest = |text: &str| Digest::parse(text).ok();
        let statement = Self {
            origin: field("origin")?,
            class: DataClass::parse(&field("class")?).ok()?,
            enrolment: match (known(field("enrolment-entry")?), field("enrolment-leaf")?) {
                (None, _) => None,
                (Some(number), leaf) => Some((number.parse().ok()?, digest(&leaf)?)),
            },
            destruction: (field("destruction-entry")?.parse().ok()?, digest(&field("destruction-leaf")?)?),
            hour: field("hour")?,
            cause: field("cause")?,
            rule: known(field("rule")?).zip(known(field("clause")?)),
            policy: known(field("policy")?),
            statements: field("key-service-statements")?,
            state_digest: field("state-digest")?,
            strength: field("erasure-strength")?,
            not_reached: known(field("not-reached")?)
                .map_or_else(Vec::new, |list| list.split(", ").map(str::to_owned).collect()),
        };
        // One valid encoding: what is printed from the parts must be what was read.
        (statement.text() == text && statement.has_evidence()).then_some(statement)
    }

    /// Whether the fields about the key service have their form.
    fn has_evidence(&self) -> bool {
        let number = |text: &str| text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
        let left = |item: &String| {
            ["copies-of-the-key-host", "everything"].contains(&item.as_str())
                || item.strip_prefix("recipients ").is_some_and(number)
        };
        (self.statements == NONE || number(&self.statements))
            && (self.state_digest == NONE || Digest::parse(&self.state_digest).is_ok())
            && STRENGTHS.iter().any(|strength| strength.name() == self.strength)
            && self.not_reached.iter().all(left)
    }
}

const STRENGTHS: [ErasureStrength; 4] = [
    ErasureStrength::ServiceAttested,
    ErasureStrength::ServiceExcludedFromBackup,
    ErasureStrength::HostOnly,
    ErasureStrength::None,
];

impl DestructionCertificate {
    pub(crate) fn sign(statement: Statement, signer: &LogSigner) -> Result<Self, Error> {
        Ok(Self { note: signer.sign(&statement.text())?, proof: None, statement })
    }

    /// Reads a certificate, with or without its proof, and checks its signature and form.
    ///
    /// # Errors
    /// [`Error::Ledger`] for a wrong signature, [`Error::Format`] for another form.
    pub fn verify(text: &str, key: &VerifierKey) -> Result<Self, Error> {
        Self::verify_any(text, &[key])
    }

    /// As [`Self::verify`], by one of the keys of a log.
    pub(crate) fn verify_any(text: &str, keys: &[&VerifierKey]) -> Result<Self, Error> {
        let (note, proof) =
            match text.find(&format!("\n{PROOF}")).and_then(|place| text.split_at_checked(place + 1)) {
                Some((note, proof)) => (note, Some(proof.to_owned())),
                None => (text, None),
            };
        let parsed = Note::parse(note)?;
        let text = parsed.verify(keys)?;
        let statement = Statement::parse(text).ok_or(Error::Format("certificate"))?;
        if keys.iter().all(|key| statement.origin != key.name()) {
            return Err(Error::Format("certificate"));
        }
        Ok(Self { note: note.to_owned(), proof, statement })
    }

    /// Checks that the destruction's entry is in the log that the trust names.
    ///
    /// # Errors
    /// [`Error::Format`] without a proof, or with that of another entry; [`Error::Ledger`] when it does not verify.
    pub fn verify_inclusion(&self, trust: &Trust<'_>) -> Result<Checkpoint, Error> {
        let malformed = || Error::Format("certificate");
        let proof = vouchsafe_ledger::Receipt::parse(self.proof.as_deref().ok_or_else(malformed)?)?;
        let (entry, hash) = self.statement.destruction;
        if proof.index() != entry {
            return Err(malformed());
        }
        Ok(proof.verify_hash_with(&hash, trust)?)
    }

    /// Whether it carries the proof that its destruction is in the log.
    pub const fn has_proof(&self) -> bool {
        self.proof.is_some()
    }

    pub(crate) fn set_proof(&mut self, proof: String) {
        self.proof = Some(proof);
    }

    /// The certificate as it is kept: the note, then the proof where it has one.
    pub fn to_text(&self) -> String {
        format!("{}{}", self.note, self.proof.as_deref().unwrap_or_default())
    }

    /// The signed note.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Whether it is about the template of this enrolment: same log, same entry, same leaf, and the receipt opens it.
    pub fn is_about(&self, receipt: &EnrolmentReceipt) -> bool {
        let receipt = receipt.receipt();
        let same_log = receipt.origin().is_ok_and(|origin| origin == self.statement.origin);
        let leaf = (receipt.entry(), leaf_hash(receipt.leaf()));
        receipt.is_consistent() && same_log && self.statement.enrolment == Some(leaf)
    }

    /// What class of data it was.
    pub const fn class(&self) -> DataClass {
        self.statement.class
    }

    /// The log entry of the enrolment, where the class has one.
    pub fn enrolment_entry(&self) -> Option<u64> {
        self.statement.enrolment.map(|(entry, _)| entry)
    }

    /// That entry, with its RFC 6962 leaf hash.
    pub(crate) const fn enrolment(&self) -> Option<(u64, Digest)> {
        self.statement.enrolment
    }

    pub(crate) fn origin(&self) -> &str {
        &self.statement.origin
    }

    /// SHA-256 of the policy that it was destroyed under.
    pub fn policy(&self) -> Option<&str> {
        self.statement.policy.as_deref()
    }

    /// The hour of the destruction, in whole hours since 1970; `None` for another instant.
    pub(crate) fn hour(&self) -> Option<u32> {
        let hour: Timestamp = self.statement.hour.parse().ok()?;
        let whole = hour.as_second() % 3600 == 0 && hour.to_string() == self.statement.hour;
        Leaf::hour_of(hour).ok().filter(|_| whole)
    }

    /// The log entry of the destruction.
    pub const fn destruction_entry(&self) -> u64 {
        self.statement.destruction.0
    }

    /// The RFC 6962 leaf hash of that entry.
    pub const fn destruction_leaf(&self) -> Digest {
        self.statement.destruction.1
    }

    /// Id and clause of the rule that decided; `None` where none was asked.
    pub fn rule(&self) -> Option<(&str, &str)> {
        self.statement.rule.as_ref().map(|(id, clause)| (id.as_str(), clause.as_str()))
    }

    /// What the destruction did not reach.
    pub fn not_reached(&self) -> &[String] {
        &self.statement.not_reached
    }

    /// The reason, a word of the log's vocabulary.
    pub fn cause(&self) -> &str {
        &self.statement.cause
    }

    /// How strong the key service says the destruction is.
    pub fn strength(&self) -> &str {
        &self.statement.strength
    }
}
