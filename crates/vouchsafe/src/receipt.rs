use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use vouchsafe_ledger::{Checkpoint, EntryKind, Leaf, Opening, Trust, commitment};
use vouchsafe_types::Secret;

use crate::act::Recorded;
use crate::payload::Payload;
use crate::{Error, logs};

/// What a person keeps of an act: the log entry, its payload, and the opening that ties the two.
///
/// Without the opening the entry says nothing about anybody. With it the person can show that the entry is
/// theirs; nobody else can.
#[derive(Debug)]
pub struct Receipt {
    entry: u64,
    leaf: Vec<u8>,
    opening: Opening,
    payload: Vec<u8>,
    proof: Option<String>,
}

/// The receipt of an act of consent.
#[derive(Debug)]
pub struct ConsentReceipt(pub(crate) Receipt);

/// The receipt of an enrolment. The certificate of the template's destruction names its entry.
#[derive(Debug)]
pub struct EnrolmentReceipt(pub(crate) Receipt);

impl ConsentReceipt {
    /// The receipt itself.
    pub const fn receipt(&self) -> &Receipt {
        &self.0
    }

    /// The receipt itself, to add its proof.
    pub const fn receipt_mut(&mut self) -> &mut Receipt {
        &mut self.0
    }

    /// Reads a receipt back from the JSON that the person kept.
    ///
    /// # Errors
    /// [`Error::Format`], also when it is not the receipt of an act of consent.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let receipt = Receipt::from_json(text)?;
        match receipt.kind()? {
            EntryKind::ConsentGiven
            | EntryKind::ConsentRenewed
            | EntryKind::ConsentRefused
            | EntryKind::ConsentWithdrawn
            | EntryKind::ConsentRevoked
            | EntryKind::ConsentExpired
            | EntryKind::ConsentInvalidated => Ok(Self(receipt)),
            _ => Err(Error::Format("receipt")),
        }
    }
}

impl EnrolmentReceipt {
    /// The receipt itself.
    pub const fn receipt(&self) -> &Receipt {
        &self.0
    }

    /// The receipt itself, to add its proof.
    pub const fn receipt_mut(&mut self) -> &mut Receipt {
        &mut self.0
    }

    /// Reads a receipt back from the JSON that the person kept.
    ///
    /// # Errors
    /// [`Error::Format`], also when it is not the receipt of an enrolment.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let receipt = Receipt::from_json(text)?;
        match receipt.kind()? {
            EntryKind::TemplateEnrolled => Ok(Self(receipt)),
            _ => Err(Error::Format("receipt")),
        }
    }
}

/// Version 1 of the file that a person keeps.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u8,
    entry: u64,
    leaf: String,
    opening: String,
    payload: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
}

impl Receipt {
    pub(crate) fn new(recorded: Recorded) -> Self {
        let Recorded { entry, leaf, opening, payload } = recorded;
        Self { entry, leaf, opening, payload, proof: None }
    }

    /// The number of the log entry, from 0.
    pub const fn entry(&self) -> u64 {
        self.entry
    }

    /// The bytes of the log entry, as they stand in the log.
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// The origin of the log that the entry is in, according to the entry.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the entry is malformed.
    pub fn origin(&self) -> Result<String, Error> {
        Ok(logs::origin_of(Leaf::from_bytes(&self.leaf)?.organisation))
    }

    /// What happened, according to the entry.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the entry is malformed.
    pub fn kind(&self) -> Result<EntryKind, Error> {
        Ok(Leaf::from_bytes(&self.leaf)?.kind)
    }

    /// The payload as JSON.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether the entry commits to this payload under this opening, and the payload names this entry.
    pub fn is_consistent(&self) -> bool {
        let names_entry = Payload::parse(&self.payload).is_ok_and(|payload| payload.entry == self.entry);
        let committed = Leaf::from_bytes(&self.leaf)
            .is_ok_and(|leaf| commitment::verify(&self.opening, &self.payload, &leaf.commitment));
        names_entry && committed
    }

    /// The proof that the entry is in the log (C2SP tlog-proof), once
    /// [`Organisation::prove_receipt`](crate::Organisation::prove_receipt) has added it.
    pub fn proof(&self) -> Option<&str> {
        self.proof.as_deref()
    }

    pub(crate) fn set_proof(&mut self, proof: String) {
        self.proof = Some(proof);
    }

    /// Checks the receipt offline: the entry commits to the payload, and is in the log that the trust names, with the
    /// witnesses that it demands. Needs no database and no connection, and holds after everything else was destroyed.
    ///
    /// # Errors
    /// [`Error::Format`] when the receipt is not consistent or carries no proof; [`Error::Ledger`] when the proof does
    /// not verify, or is of another entry.
    pub fn verify(&self, trust: &Trust<'_>) -> Result<Checkpoint, Error> {
        let proof = self.proof().filter(|_| self.is_consistent()).ok_or(Error::Format("receipt"))?;
        let proof = vouchsafe_ledger::Receipt::parse(proof)?;
        if proof.index() != self.entry {
            return Err(Error::Format("receipt"));
        }
        Ok(proof.verify_with(&self.leaf, trust)?)
    }

    /// The receipt as the JSON that a person keeps.
    ///
    /// # Errors
    /// [`Error::Format`] never for a receipt of this crate.
    pub fn to_json(&self) -> Result<String, Error> {
        let wire = Wire {
            v: 1,
            entry: self.entry,
            leaf: STANDARD.encode(&self.leaf),
            opening: STANDARD.encode(self.opening.expose_opening()),
            payload: STANDARD.encode(&self.payload),
            proof: self.proof.clone(),
        };
        serde_json::to_string_pretty(&wire).map_err(|_| Error::Format("receipt"))
    }

    /// Reads a receipt back and checks that it is consistent.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        const MALFORMED: Error = Error::Format("receipt");
        let wire: Wire = serde_json::from_str(text).map_err(|_| MALFORMED)?;
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| MALFORMED);
        let opening = Secret::copy_from_slice(&bytes(&wire.opening)?).ok_or(MALFORMED)?;
        let receipt = Self {
            entry: wire.entry,
            leaf: bytes(&wire.leaf)?,
            opening: Opening::from_secret(opening),
            payload: bytes(&wire.payload)?,
            proof: wire.proof,
        };
        if wire.v == 1 && receipt.is_consistent() { Ok(receipt) } else { Err(MALFORMED) }
    }
}
