use std::fmt::Write as _;

use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_ledger::{LogSigner, Note, VerifierKey};
use vouchsafe_types::{DataClass, Digest};

use crate::{EnrolmentReceipt, Error};

const HEADER: &str = "vouchsafe destruction certificate v1";

/// A signed statement that the key of one holding was destroyed.
///
/// It is a claim with inclusion and service evidence, never a proof of absence. It holds no personal data: it names
/// two log entries, and only the person's [`EnrolmentReceipt`] ties the first one to them. A C2SP signed note under
/// the log's key, which is not among the destroyed.
///
/// ```text
/// vouchsafe destruction certificate v1
/// origin vouchsafe/8c1f…
/// class biometric
/// enrolment-entry 3
/// enrolment-leaf 5d41…
/// destruction-entry 9
/// hour 2026-11-24T18:00:00Z
/// cause withdrawal
/// erasure-strength host_only
///
/// — vouchsafe/8c1f… 5v3k…
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestructionCertificate {
    note: String,
    statement: Statement,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) origin: String,
    pub(crate) class: DataClass,
    /// Number and RFC 6962 leaf hash of the enrolment's entry.
    pub(crate) enrolment: Option<(u64, Digest)>,
    pub(crate) destruction: u64,
    pub(crate) hour: String,
    pub(crate) cause: String,
    pub(crate) strength: String,
}

impl Statement {
    fn text(&self) -> Result<String, Error> {
        let mut text = format!("{HEADER}\norigin {}\nclass {}\n", self.origin, self.class.name());
        let none = || "none".to_owned();
        let enrolment = self.enrolment.map_or_else(none, |(entry, _)| entry.to_string());
        let leaf = self.enrolment.map_or_else(none, |(_, leaf)| leaf.to_string());
        write!(
            text,
            "enrolment-entry {enrolment}\nenrolment-leaf {leaf}\ndestruction-entry {}\nhour {}\ncause {}\nerasure-strength {}\n",
            self.destruction, self.hour, self.cause, self.strength
        )
        .map_err(|_| Error::Format("certificate"))?;
        Ok(text)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(HEADER)?.strip_prefix('\n')?.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let statement = Self {
            origin: field("origin")?,
            class: {
                let name = field("class")?;
                DataClass::ALL.into_iter().find(|class| class.name() == name)?
            },
            enrolment: match field("enrolment-entry")?.as_str() {
                "none" => field("enrolment-leaf").map(|_| None)?,
                number => Some((number.parse().ok()?, Digest::parse(&field("enrolment-leaf")?).ok()?)),
            },
            destruction: field("destruction-entry")?.parse().ok()?,
            hour: field("hour")?,
            cause: field("cause")?,
            strength: field("erasure-strength")?,
        };
        // One valid encoding: what is printed from the parts must be what was read.
        (statement.text().ok()? == text).then_some(statement)
    }
}

impl DestructionCertificate {
    pub(crate) fn sign(statement: Statement, signer: &LogSigner) -> Result<Self, Error> {
        Ok(Self { note: signer.sign(&statement.text()?)?, statement })
    }

    /// Reads a certificate and checks its signature and form.
    ///
    /// # Errors
    /// [`Error::Ledger`] for a wrong signature, [`Error::Format`] for another form.
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Self, Error> {
        let parsed = Note::parse(note)?;
        let text = parsed.verify(&[key])?;
        let statement = Statement::parse(text).ok_or(Error::Format("certificate"))?;
        if statement.origin != key.name() {
            return Err(Error::Format("certificate"));
        }
        Ok(Self { note: note.to_owned(), statement })
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

    /// The log entry of the destruction.
    pub const fn destruction_entry(&self) -> u64 {
        self.statement.destruction
    }

    /// The rule or act that decided.
    pub fn cause(&self) -> &str {
        &self.statement.cause
    }

    /// How strong the key service says the destruction is.
    pub fn strength(&self) -> &str {
        &self.statement.strength
    }
}
