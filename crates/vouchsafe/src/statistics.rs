//! What may be said of everybody together, and kept when what it was counted from is gone.

use vouchsafe_consent::ConsentStatus;
use vouchsafe_retention::GroupSize;
use vouchsafe_types::{Modality, Scope, Timestamp};

use crate::{Error, Organisation};

/// How many people stand where with their consents: every scope and every status, in groups that the policy lets out
/// ([`Aggregates`](vouchsafe_retention::Aggregates)).
///
/// It names no person and is counted from consents alone: no template, no comparison, no score has a way in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// When it was counted.
    pub at: Timestamp,
    /// The smallest group that is told.
    pub minimum: u64,
    /// The groups, in the order of scopes and statuses; none is left out, an empty one neither.
    pub groups: Vec<(Scope, ConsentStatus, GroupSize)>,
}

impl Statistics {
    /// One line for each group that is told, tab separated: modality or `none`, role, purpose, status, size.
    pub fn to_text(&self) -> String {
        let told = self.groups.iter().filter_map(|(scope, status, size)| {
            let GroupSize::AtLeast(people) = size else { return None };
            let modality = scope.modality().map_or("none", Modality::name);
            let (role, purpose) = (scope.role().name(), scope.purpose().name());
            Some(format!("{modality}\t{role}\t{purpose}\t{}\t{people}\n", status.name()))
        });
        told.collect()
    }
}

impl Organisation<'_> {
    /// Counts people by scope and by where their consent stands. Reads every line of consent once.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let counted = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            rows.people_by_consent(&self.id)
        })?;
        let aggregates = self.retention_policy().aggregates();
        let people = |scope, status: ConsentStatus| {
            let same = |(of, code, _): &&(Scope, u8, u64)| (*of, *code) == (scope, status.code());
            counted.iter().find(same).map_or(0, |(.., people)| *people)
        };
        let statuses = |scope| {
            ConsentStatus::ALL.map(|status| (scope, status, aggregates.release(people(scope, status))))
        };
        let groups = Scope::all().flat_map(statuses).collect();
        Ok(Statistics { at: self.core.now(), minimum: aggregates.minimum(), groups })
    }
}
