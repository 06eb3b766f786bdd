//! Where the rows and the key state disagree: one of them was restored, or lost with its journal.

use std::collections::BTreeMap;

use vouchsafe_envelope::LeafStatus;
use vouchsafe_store::{Holding, HoldingState};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

use crate::core::Core;
use crate::{Error, Organisation};

const PAGE: u32 = 1000;

/// What the rows know and the key state does not.
#[derive(Default)]
pub(crate) struct Contradiction {
    /// Leaves of destroyed holdings whose keys can be derived.
    pub(crate) alive: Vec<LeafIndex>,
    /// The last leaf of each class that the state says was never given out.
    pub(crate) beyond: BTreeMap<DataClass, LeafIndex>,
    /// Whether a holding that nobody condemned has no key any more: the rows are from before its end.
    pub(crate) older: bool,
}

impl Core {
    /// Whether there is a contradiction. Reads every holding, once for each process and organisation.
    pub(crate) fn rows_contradict_keys(&self, organisation: &OrganisationId) -> Result<bool, Error> {
        if self.contradiction(organisation)?.is_empty() {
            return Ok(false);
        }
        // Another process may just have destroyed what this one still has unsealed.
        self.ring.wipe();
        Ok(!self.contradiction(organisation)?.is_empty())
    }

    pub(crate) fn contradiction(&self, organisation: &OrganisationId) -> Result<Contradiction, Error> {
        self.ring.with_state(organisation, |state| {
            vouchsafe_store::read(&*self.ports.store, organisation, |rows| {
                let (mut found, mut after) = (Contradiction::default(), None);
                loop {
                    let page = rows.holdings(organisation, after, PAGE)?;
                    let Some(last) = page.last() else { return Ok(found) };
                    after = Some(last.leaf);
                    for holding in page {
                        found.look_at(&holding, state.status(holding.leaf));
                    }
                }
            })
        })?
    }
}

/// Where the rows contradict themselves or the key state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct RowsReport {
    /// Rows that have outlived what they belong to, by table.
    pub orphans: Vec<(&'static str, u64)>,
    /// Holdings that the rows call destroyed and whose keys are there.
    pub alive: u64,
    /// Classes with holdings under leaves that the key state never gave out.
    pub beyond: u64,
    /// Whether a holding that nobody condemned has no key any more.
    pub older: bool,
}

impl RowsReport {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.orphans.is_empty() && self.alive == 0 && self.beyond == 0 && !self.older
    }
}

impl Organisation<'_> {
    /// Compares the rows with each other and with the key state; reads all of them.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`]: no verdict.
    pub fn check_rows(&self) -> Result<RowsReport, Error> {
        let orphans = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            Ok::<_, Error>(rows.orphans(&self.id)?)
        })?;
        let Contradiction { alive, beyond, older } = self.core.contradiction(&self.id)?;
        Ok(RowsReport { orphans, alive: alive.len() as u64, beyond: beyond.len() as u64, older })
    }
}

impl Contradiction {
    fn is_empty(&self) -> bool {
        self.alive.is_empty() && self.beyond.is_empty() && !self.older
    }

    fn look_at(&mut self, holding: &Holding, status: LeafStatus) {
        match (status, &holding.state) {
            (LeafStatus::NeverAllocated, _) => {
                self.beyond.insert(holding.class, holding.leaf);
            }
            (LeafStatus::Live, HoldingState::Destroyed { .. }) => self.alive.push(holding.leaf),
            (LeafStatus::Destroyed, HoldingState::Live) => self.older = true,
            _ => {}
        }
    }
}
