use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use vouchsafe_types::{DataClass, Scope, Timestamp};

use super::{Recipient, RecipientKind};
use crate::{Policy, RecipientId, Reference, RetentionError};

/// Why data may go to somebody. There is no basis for sale, lease or trade.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LegalBasis {
    /// The person's explicit written consent, for one scope (740 ILCS 14/15(d)(1)).
    ExplicitConsent {
        /// For what.
        scope: Scope,
        /// Which act of consent.
        sequence: u64,
    },
    /// A duty by law: a warrant, a subpoena, an order.
    LegalObligation {
        /// The document that says so.
        document: Reference,
    },
    /// A contract with a processor, within its classes.
    Processor,
    /// Averting fraud and attacks.
    Security,
}

impl LegalBasis {
    /// The stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ExplicitConsent { .. } => "explicit_consent",
            Self::LegalObligation { .. } => "legal_obligation",
            Self::Processor => "processor",
            Self::Security => "security",
        }
    }
}

/// Why a disclosure is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DisclosureRefusal {
    /// Biometric data goes nowhere but by explicit consent or legal duty (740 ILCS 14/15(d)).
    #[error("biometric data is disclosed only with explicit written consent or by legal duty")]
    Biometric,
    /// The recipient's contract does not cover a class.
    #[error("the recipient's contract does not cover {}", .0.name())]
    ClassNotCovered(DataClass),
    /// The basis is not one for this kind of recipient.
    #[error("this basis does not fit this recipient")]
    BasisUnfit,
    /// The consent that the basis names is not given, or not any more.
    #[error("the consent that the basis names is not given")]
    NoConsent,
    /// Nothing would be disclosed.
    #[error("no class of data is named")]
    Nothing,
    /// The recipient is not bound to confidentiality.
    #[error("the recipient is not bound to confidentiality")]
    NotConfidential,
    /// The recipient keeps data outside the organisation's regions and no safeguard is named.
    #[error("the recipient lies outside the allowed regions and names no safeguard")]
    NoSafeguard,
    /// A business transfer needs the person's new consent.
    #[error("a successor gets data only with the person's new consent")]
    Successor,
    /// The policy knows no such recipient.
    #[error("the policy knows no such recipient")]
    UnknownRecipient,
    /// The policy states no organisation, so no regions.
    #[error("the policy does not say in which regions data may lie")]
    NoRegions,
}

impl DisclosureRefusal {
    /// The stable name, for the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BasisUnfit => "basis_unfit",
            Self::Biometric => "biometric",
            Self::ClassNotCovered(_) => "class_not_covered",
            Self::NoConsent => "no_consent",
            Self::NoRegions => "no_regions",
            Self::NoSafeguard => "no_safeguard",
            Self::NotConfidential => "not_confidential",
            Self::Nothing => "nothing",
            Self::Successor => "successor",
            Self::UnknownRecipient => "unknown_recipient",
        }
    }
}

/// One disclosure, allowed by the policy: a line of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    recipient: RecipientId,
    basis: LegalBasis,
    classes: BTreeSet<DataClass>,
    region: String,
    safeguard: Option<String>,
    document: Reference,
    at: Timestamp,
}

impl Disclosure {
    /// Asks the policy for a disclosure to one of its recipients.
    ///
    /// # Errors
    /// [`DisclosureRefusal`]; nothing may be disclosed then.
    pub fn propose(
        policy: &Policy,
        recipient: &RecipientId,
        basis: LegalBasis,
        classes: impl IntoIterator<Item = DataClass>,
        at: Timestamp,
    ) -> Result<Self, DisclosureRefusal> {
        let recipient = policy.recipient(recipient).ok_or(DisclosureRefusal::UnknownRecipient)?;
        let classes: BTreeSet<_> = classes.into_iter().collect();
        check_basis(recipient, &basis, &classes)?;
        if let Some(class) = classes.iter().find(|class| !recipient.classes().contains(class)) {
            return Err(DisclosureRefusal::ClassNotCovered(*class));
        }
        let profile = policy.profile().ok_or(DisclosureRefusal::NoRegions)?;
        if !profile.allows(recipient.region()) && recipient.safeguard().is_none() {
            return Err(DisclosureRefusal::NoSafeguard);
        }
        let document = match &basis {
            LegalBasis::LegalObligation { document } => document.clone(),
            _ => recipient.document().clone(),
        };
        Ok(Self {
            recipient: recipient.id().clone(),
            basis,
            classes,
            region: recipient.region().to_string(),
            safeguard: recipient.safeguard().map(|safeguard| safeguard.as_str().to_owned()),
            document,
            at,
        })
    }

    /// To whom.
    pub const fn recipient(&self) -> &RecipientId {
        &self.recipient
    }

    /// On which basis.
    pub const fn basis(&self) -> &LegalBasis {
        &self.basis
    }

    /// Which data.
    pub const fn classes(&self) -> &BTreeSet<DataClass> {
        &self.classes
    }

    /// When.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The one encoding: canonical JSON, version 1.
    ///
    /// # Errors
    /// [`RetentionError::Disclosure`] never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RetentionError> {
        serde_json::to_vec(&self.to_wire()).map_err(|_| RetentionError::Disclosure)
    }

    /// Reads a disclosure back.
    ///
    /// # Errors
    /// [`RetentionError::Disclosure`] for anything but the one encoding of a disclosure, in at most 64 KiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, RetentionError> {
        if bytes.len() > super::MAX_LEN {
            return Err(RetentionError::Disclosure);
        }
        let wire: DisclosureV1 = serde_json::from_slice(bytes).map_err(|_| RetentionError::Disclosure)?;
        let read = Self::from_wire(&wire).ok_or(RetentionError::Disclosure)?;
        if read.to_bytes()? == bytes { Ok(read) } else { Err(RetentionError::Disclosure) }
    }

    fn to_wire(&self) -> DisclosureV1 {
        let (scope, sequence) = match &self.basis {
            LegalBasis::ExplicitConsent { scope, sequence } => (Some(scope.name()), Some(*sequence)),
            _ => (None, None),
        };
        DisclosureV1 {
            v: 1,
            recipient: self.recipient.to_string(),
            basis: self.basis.name().to_owned(),
            scope,
            sequence,
            classes: self.classes.iter().map(|class| class.name().to_owned()).collect(),
            region: self.region.clone(),
            safeguard: self.safeguard.clone(),
            document: self.document.to_string(),
            at: self.at.to_string(),
        }
    }

    fn from_wire(wire: &DisclosureV1) -> Option<Self> {
        let document = Reference::parse(&wire.document)?;
        let basis = match (wire.basis.as_str(), &wire.scope, wire.sequence) {
            ("explicit_consent", Some(scope), Some(sequence)) => {
                LegalBasis::ExplicitConsent { scope: Scope::parse(scope).ok()?, sequence }
            }
            ("legal_obligation", None, None) => LegalBasis::LegalObligation { document: document.clone() },
            ("processor", None, None) => LegalBasis::Processor,
            ("security", None, None) => LegalBasis::Security,
            _ => return None,
        };
        Some(Self {
            recipient: RecipientId::parse(&wire.recipient)?,
            basis,
            classes: wire.classes.iter().map(|class| DataClass::parse(class).ok()).collect::<Option<_>>()?,
            region: wire.region.clone(),
            safeguard: wire.safeguard.clone(),
            document,
            at: wire.at.parse().ok()?,
        })
        .filter(|read| wire.v == 1 && !read.classes.is_empty())
    }
}

/// Version 1 of a line of the register.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisclosureV1 {
    v: u8,
    recipient: String,
    basis: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    classes: Vec<String>,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    safeguard: Option<String>,
    document: String,
    at: String,
}

fn check_basis(
    recipient: &Recipient,
    basis: &LegalBasis,
    classes: &BTreeSet<DataClass>,
) -> Result<(), DisclosureRefusal> {
    let consented = matches!(basis, LegalBasis::ExplicitConsent { .. });
    let strong = consented || matches!(basis, LegalBasis::LegalObligation { .. });
    if classes.is_empty() {
        return Err(DisclosureRefusal::Nothing);
    }
    if recipient.kind() == RecipientKind::Successor && !consented {
        return Err(DisclosureRefusal::Successor);
    }
    if classes.contains(&DataClass::Biometric) && !strong {
        return Err(DisclosureRefusal::Biometric);
    }
    let fits = match basis {
        LegalBasis::Processor => recipient.kind() == RecipientKind::Processor,
        LegalBasis::LegalObligation { .. } => recipient.kind() == RecipientKind::Authority,
        LegalBasis::ExplicitConsent { .. } | LegalBasis::Security => true,
    };
    if !fits {
        return Err(DisclosureRefusal::BasisUnfit);
    }
    // An authority is bound by its own law.
    if !recipient.is_confidential() && recipient.kind() != RecipientKind::Authority {
        return Err(DisclosureRefusal::NotConfidential);
    }
    Ok(())
}
