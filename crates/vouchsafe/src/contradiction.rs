//! Where the rows and the key state disagree: one of them was restored, or lost with its journal.

use std::collections::BTreeMap;

use vouchsafe_envelope::LeafStatus;
use vouchsafe_store::{Holding, HoldingState};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

use crate::Error;
use crate::core::Core;

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
