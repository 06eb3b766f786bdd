//! The explicit recovery after a restore: the database is older than the published log and the live key state.

use vouchsafe_consent::ConsentState;
use vouchsafe_envelope::LeafStatus;
use vouchsafe_ledger::{EntryKind, LeafSource, LedgerError};
use vouchsafe_store::{ConsentRow, Holding, HoldingState};

use crate::core::Act;
use crate::payload::Payload;
use crate::subject::line;
use crate::{Error, Organisation};

/// The id of the cause when a destruction was found again after a restore.
const REPLAYED: &str = "destroyed_before_restore";
const PAGE: u32 = 1000;

/// What a recovery found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Recovery {
    /// The first entry that the restored database lacked.
    pub gap_from: u64,
    /// The size of the published log, from which the missing entries were taken.
    pub gap_to: u64,
    /// Holdings whose keys were destroyed after the backup was made; they are marked destroyed again.
    pub destroyed: u64,
    /// Lines of consent that were closed because their template was destroyed after the backup was made.
    pub closed: u64,
}

impl Organisation<'_> {
    /// Continues the log after a restored backup, and replays the destructions that the backup does not know.
    ///
    /// Entries come back from the published tiles; their payloads, and everything else that happened in the gap,
    /// are lost, and a `log.recovered` entry names the gap. A template whose key was destroyed stays destroyed,
    /// and its consent is closed. A withdrawal in the gap that had no template to destroy is not known here: the
    /// docs say so.
    ///
    /// Returns `None` when there is nothing to recover.
    ///
    /// # Errors
    /// [`Error::Ledger`] with `Forked` when the database is not an older state of the published log.
    pub fn recover(&self) -> Result<Option<Recovery>, Error> {
        let log = self.log()?;
        let Some(head) = log.published()?.filter(|_| log.is_behind().unwrap_or(true)) else {
            self.core.mark_checked(&self.id);
            return Ok(None);
        };
        let size = head.checkpoint().size();
        let have = log.rows().len()?;
        if have >= size {
            return Err(Error::Ledger(LedgerError::Forked));
        }
        let missing = log.published_entries(have, size)?;
        log.check_continuation(&missing)?;
        let recovery = self.core.act_unchecked(&self.id, &[], |act| {
            if !act.rows.organisation_exists(act.organisation)? {
                act.rows.insert_organisation(act.organisation, act.now)?;
            }
            if act.rows.entry_count(act.organisation)? != have {
                return Err(Error::RecoveryRequired);
            }
            for entry in &missing {
                act.rows.append_entry(act.organisation, entry)?;
            }
            let entry =
                act.record_public(EntryKind::LogRecovered, &Payload::at(act.now).gap(have, size))?.entry;
            let (destroyed, closed) = replay(act, entry)?;
            Ok(Recovery { gap_from: have, gap_to: size, destroyed, closed })
        })?;
        self.core.mark_checked(&self.id);
        self.publish_log()?;
        Ok(Some(recovery))
    }
}

/// Marks every holding destroyed whose key is, and closes the consent that it rested on.
fn replay(act: &mut Act<'_>, entry: u64) -> Result<(u64, u64), Error> {
    let (mut destroyed, mut closed, mut after) = (0, 0, None);
    loop {
        let page = act.rows.holdings(act.organisation, after, PAGE)?;
        let Some(last) = page.last() else { return Ok((destroyed, closed)) };
        after = Some(last.leaf);
        for holding in page {
            let open = !matches!(holding.state, HoldingState::Destroyed { .. });
            if open && act.state.status(holding.leaf) == LeafStatus::Destroyed {
                destroyed += 1;
                closed += u64::from(replay_one(act, &holding, entry)?);
            }
        }
    }
}

fn replay_one(act: &mut Act<'_>, holding: &Holding, entry: u64) -> Result<bool, Error> {
    if holding.state == HoldingState::Live {
        act.rows.condemn(act.organisation, holding.leaf, REPLAYED, act.now)?;
    }
    act.rows.mark_destroyed(act.organisation, holding.leaf, act.now, entry)?;
    let Some(scope) = holding.scope else { return Ok(false) };
    let line = line(act.rows, act.organisation, holding.subject, scope)?;
    let ConsentState::Given { notice, .. } = line.state() else { return Ok(false) };
    let withdrawn = line.withdraw(act.now)?;
    let row = ConsentRow { sequence: withdrawn.sequence(), withdrawn: true, notice, at: act.now };
    act.rows.put_consent(act.organisation, holding.subject, scope, &row)?;
    Ok(true)
}
