//! Where the database, the log and the key states lie, as whoever runs them declares.

use vouchsafe_retention::disclosure::Safeguard;
use vouchsafe_retention::{Policy, Region};

use crate::Error;

/// A region, and what safeguards data that lies there if it is none of the organisation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    region: Region,
    safeguard: Option<Safeguard>,
}

impl Place {
    /// In a region.
    pub const fn in_region(region: Region) -> Self {
        Self { region, safeguard: None }
    }

    /// With what safeguards a transfer there.
    #[must_use]
    pub fn safeguarded_by(self, safeguard: Safeguard) -> Self {
        Self { safeguard: Some(safeguard), ..self }
    }

    /// The region.
    pub const fn region(&self) -> &Region {
        &self.region
    }

    /// The named safeguard, if there is one.
    pub const fn safeguard(&self) -> Option<&Safeguard> {
        self.safeguard.as_ref()
    }

    fn told(&self) -> String {
        let safeguard = self.safeguard.as_ref().map(|safeguard| format!(" ({})", safeguard.as_str()));
        format!("{}{}", self.region, safeguard.unwrap_or_default())
    }
}

/// What lies somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// The rows.
    Database,
    /// The sealed key states, in all their places.
    KeyStates,
    /// The published log.
    Log,
}

impl Stored {
    const ALL: [Self; 3] = [Self::Database, Self::KeyStates, Self::Log];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::KeyStates => "key states",
            Self::Log => "log",
        }
    }
}

/// Where each lies; undeclared by default, which is enough for as long as the policy names no regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "one field for each that lies somewhere")]
pub struct Residence {
    /// Where the database lies.
    pub database: Option<Place>,
    /// Where the key states lie.
    pub key_states: Option<Place>,
    /// Where the log lies.
    pub log: Option<Place>,
}

impl Residence {
    /// All of them in one place.
    pub fn all_in(place: Place) -> Self {
        Self { database: Some(place.clone()), key_states: Some(place.clone()), log: Some(place) }
    }

    /// All of them where the policy says that the store lies (`store_region`): for a folder, which lies in one place.
    pub fn as_stated(policy: &Policy) -> Self {
        let region = policy.profile().map(|profile| profile.store_region().clone());
        region.map_or_else(Self::default, |region| Self::all_in(Place::in_region(region)))
    }

    /// Where one of them lies, as far as it is declared.
    pub const fn of(&self, stored: Stored) -> Option<&Place> {
        match stored {
            Stored::Database => self.database.as_ref(),
            Stored::KeyStates => self.key_states.as_ref(),
            Stored::Log => self.log.as_ref(),
        }
    }

    /// Refuses what lies nowhere that is declared, or outside the policy's regions without a safeguard.
    pub(crate) fn ensure_allowed(&self, policy: &Policy) -> Result<(), Error> {
        let Some(profile) = policy.profile() else { return Ok(()) };
        for stored in Stored::ALL {
            let place = self.of(stored).ok_or(Error::ResidenceUndeclared(stored))?;
            if !profile.allows(place.region()) && place.safeguard().is_none() {
                return Err(Error::OutsideRegions(stored));
            }
        }
        Ok(())
    }

    /// One line of Markdown for each.
    pub(crate) fn to_markdown(&self) -> String {
        let told = |stored| self.of(stored).map_or_else(|| "not declared".to_owned(), Place::told);
        Stored::ALL.map(|stored| format!("- {}: {}\n", stored.name(), told(stored))).concat()
    }
}
