use std::collections::BTreeSet;

use crate::reader::Reader;
use crate::{Problem, RetentionError};

/// Who the organisation is, how people reach it, and where its data may lie. Stands in its own pack:
///
/// ```toml
/// [organisation]
/// name = "Example Ltd"
/// address = "1 Example Street"
/// email = "privacy@example.org"
/// minimum_age = "18"
/// regions = "us, eu"
/// store_region = "eu"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: String,
    address: String,
    email: String,
    legal_email: Option<String>,
    website: Option<String>,
    minimum_age: u8,
    regions: BTreeSet<Region>,
    store_region: Region,
}

impl Profile {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        reader.organisation_only()?;
        let regions = reader.take("regions")?;
        let regions: Option<BTreeSet<_>> = regions.split(", ").map(Region::parse).collect();
        let store = reader.take("store_region")?;
        let profile = Self {
            name: reader.take("name")?,
            address: reader.take("address")?,
            email: reader.take("email")?,
            legal_email: reader.take_if_any("legal_email")?,
            website: reader.take_if_any("website")?,
            minimum_age: u8::try_from(reader.number("minimum_age", 120)?).unwrap_or(u8::MAX),
            regions: regions.ok_or_else(|| reader.fault(Problem::UnknownValue("regions")))?,
            store_region: Region::parse(&store)
                .ok_or_else(|| reader.fault(Problem::UnknownValue("store_region")))?,
        };
        if !profile.allows(&profile.store_region) {
            return Err(reader.fault(Problem::UnknownValue("store_region")));
        }
        reader.finish()?;
        Ok(profile)
    }

    /// The organisation's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its postal address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where people send questions and requests.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Where authorities write.
    pub fn legal_email(&self) -> Option<&str> {
        self.legal_email.as_deref()
    }

    /// Its website.
    pub fn website(&self) -> Option<&str> {
        self.website.as_deref()
    }

    /// Nobody below this age is enrolled, in years, 0 to 120.
    pub const fn minimum_age(&self) -> u8 {
        self.minimum_age
    }

    /// Where data may lie without a further safeguard.
    pub const fn regions(&self) -> &BTreeSet<Region> {
        &self.regions
    }

    /// Where the database lies.
    pub const fn store_region(&self) -> &Region {
        &self.store_region
    }

    /// Whether data may lie there without a further safeguard.
    pub fn allows(&self, region: &Region) -> bool {
        self.regions.contains(region)
    }
}

/// A place where data lies: a country (ISO 3166-1 alpha-2, in lower case) or `eu` for the EU and EEA.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

impl Region {
    /// Parses two lower-case letters.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase())).then(|| Self(text.to_owned()))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
