use std::collections::BTreeSet;

use vouchsafe_types::DataClass;

use crate::reader::Reader;
use crate::{Period, Problem, RecipientId, Reference, Region, RetentionError};

/// Somebody outside the organisation to whom data may go. Stands in the organisation's own pack:
///
/// ```toml
/// [[recipient]]
/// id = "host"
/// name = "Example Hosting"
/// kind = "processor"
/// region = "us"
/// purpose = "hosting of the database"
/// classes = "account, billing"
/// document = "dpa-2026-04"
/// confidential = "yes"
/// delete_within = "30 days"
/// safeguard = "scc: module two, 2021/914"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    id: RecipientId,
    name: String,
    kind: RecipientKind,
    region: Region,
    purpose: String,
    classes: BTreeSet<DataClass>,
    document: Reference,
    confidential: bool,
    delete_within: Period,
    safeguard: Option<Safeguard>,
}

impl Recipient {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        reader.organisation_only()?;
        let unknown = |reader: &Reader, field| reader.fault(Problem::UnknownValue(field));
        let (id, region) = (reader.take("id")?, reader.take("region")?);
        let classes = DataClass::ALL.map(|class| (class.name(), class));
        let safeguard = reader.take_if_any("safeguard")?;
        let recipient = Self {
            id: RecipientId::parse(&id).ok_or_else(|| unknown(&reader, "id"))?,
            name: reader.take("name")?,
            kind: reader.named("kind", &RecipientKind::ALL.map(|kind| (kind.name(), kind)))?,
            region: Region::parse(&region).ok_or_else(|| unknown(&reader, "region"))?,
            purpose: reader.take("purpose")?,
            classes: reader.list("classes", &classes)?.into_iter().collect(),
            document: reader.reference("document")?,
            confidential: reader.named("confidential", &[("yes", true), ("no", false)])?,
            delete_within: reader.period("delete_within")?,
            safeguard: match safeguard {
                Some(text) => Some(Safeguard::parse(&text).ok_or_else(|| unknown(&reader, "safeguard"))?),
                None => None,
            },
        };
        reader.finish()?;
        Ok(recipient)
    }

    /// Its id.
    pub const fn id(&self) -> &RecipientId {
        &self.id
    }

    /// Its name, for notices.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is to the organisation.
    pub const fn kind(&self) -> RecipientKind {
        self.kind
    }

    /// Where it keeps data.
    pub const fn region(&self) -> &Region {
        &self.region
    }

    /// What it does with data.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The classes that its contract covers.
    pub const fn classes(&self) -> &BTreeSet<DataClass> {
        &self.classes
    }

    /// The contract.
    pub const fn document(&self) -> &Reference {
        &self.document
    }

    /// Whether it is bound to confidentiality.
    pub const fn is_confidential(&self) -> bool {
        self.confidential
    }

    /// How long it may take to delete what it is ordered to.
    pub const fn delete_within(&self) -> Period {
        self.delete_within
    }

    /// What safeguards data outside the organisation's regions.
    pub const fn safeguard(&self) -> Option<&Safeguard> {
        self.safeguard.as_ref()
    }
}

/// What a recipient is to the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecipientKind {
    /// A court or public authority.
    Authority,
    /// Whoever acts for the organisation under a contract (GDPR Art 28).
    Processor,
    /// Whoever takes over the business or its assets.
    Successor,
}

impl RecipientKind {
    /// Every kind, by name.
    pub const ALL: [Self; 3] = [Self::Authority, Self::Processor, Self::Successor];

    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Processor => "processor",
            Self::Successor => "successor",
        }
    }
}

/// What safeguards data outside the organisation's regions (GDPR Arts 45 to 47).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safeguard(String);

impl Safeguard {
    /// Reads `adequacy: …`, `scc: …` or `bcr: …`, with what names the decision, the clauses or the rules.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(": ")?;
        let known = matches!(kind, "adequacy" | "bcr" | "scc") && !name.trim().is_empty();
        known.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
