//! The explicit recovery after a restore: the database is older than the published log and the live key state.

use vouchsafe_consent::ConsentStatus;
use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_envelope::{FenceLoss, LeafStatus, OrganisationState};
use vouchsafe_ledger::{
    ActorRole, DestructionReason, EntryKind, Leaf, LeafSource, LedgerError, SignedCheckpoint,
};
use vouchsafe_store::{Holding, HoldingState, Transaction};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

use crate::act::Act;
use crate::cause::Cause;
use crate::consents::{line, put_line};
use crate::destroy::{Seen, record_destroyed};
use crate::jobs::JobKind;
use crate::organisation::is_gate;
use crate::payload::Payload;
use crate::policy::put_policy;
use crate::{Error, Organisation};

const PAGE: u32 = 1000;

/// What a recovery found and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// Withdrawals and destructions of the gap that nothing could be matched with; 0 unless the operator accepted
    /// them with [`Unexplained::Accepted`].
    pub unexplained: u64,
    /// Keys that nothing in the database names, of templates enrolled in the gap; they are destroyed.
    pub orphaned: u64,
    /// Leaf keys that were destroyed, could be derived again after the restore, and are destroyed again.
    pub replayed: u64,
    /// Destroyed state keys that were back at the key service, and are destroyed again.
    pub resurrected: u64,
    /// Whether the fence journal was lost and a new one begun, with [`Unexplained::Accepted`].
    pub journal_replaced: bool,
    /// Whether no checkpoint was kept outside of what was restored, with [`Unexplained::Accepted`]: what was destroyed or
    /// withdrawn after the newest published entry is unknown.
    pub outside_lost: bool,
}

/// What a recovery does when the gap holds withdrawals or destructions that it cannot match with a person.
///
/// They are of people who enrolled and left within the gap, or who withdrew without a template, or whose destruction
/// was not finished; or the key state was restored too, and what was destroyed opens again. The rows cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the operator decides one way or the other")]
pub enum Unexplained {
    /// The operator looked into them and accepts that they are not replayed.
    Accepted,
    /// The organisation stays closed.
    Refused,
}

impl Organisation<'_> {
    /// Whether a restore left the organisation to its recovery, so that only log, proofs and evidence are given.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn awaits_recovery(&self) -> Result<bool, Error> {
        self.core.awaits_recovery(&self.id)
    }

    /// The newest checkpoint that is kept outside of what a restore replaces.
    ///
    /// # Errors
    /// [`Error::Ledger`], [`Error::Envelope`] when it cannot be read.
    pub fn kept_outside(&self) -> Result<Option<SignedCheckpoint>, Error> {
        self.log()?.kept_outside()
    }

    /// Whether somebody publishes the log at this moment.
    ///
    /// # Errors
    /// [`Error::Ledger`], [`Error::Envelope`] when it cannot be told.
    pub fn is_leased(&self) -> Result<bool, Error> {
        self.log()?.is_leased()
    }

    /// The newest published checkpoint.
    ///
    /// # Errors
    /// [`Error::Ledger`], [`Error::Envelope`] when it cannot be read.
    pub fn published(&self) -> Result<Option<SignedCheckpoint>, Error> {
        self.log()?.published()
    }

    /// Continues the log after a restored backup, and replays the destructions that the backup does not know.
    ///
    /// Entries come back from the published tiles; their payloads, and everything else that happened in the gap,
    /// are lost, and a `log.recovered` entry names the gap. A template whose key was destroyed stays destroyed,
    /// and its consent is closed. Keys that no row names any more are destroyed, so that a newer backup does not
    /// open what was enrolled in the gap. Stop the other processes on the folder first.
    ///
    /// Before all that, the start-up gate is satisfied: where the key service or the key states were restored too,
    /// the fence journal tells what had been destroyed, and it is destroyed again. A journal that is itself lost is
    /// replaced only with [`Unexplained::Accepted`].
    ///
    /// A database that a backup was restored into waits for this even where nothing is missing. Without a checkpoint kept
    /// outside nobody can tell; that, too, has to be accepted with [`Unexplained::Accepted`].
    ///
    /// Returns `None` when there is nothing to recover.
    ///
    /// # Errors
    /// [`Error::Unexplained`] when the gap holds withdrawals or destructions that cannot be matched: nothing is
    /// changed and the organisation stays closed; [`Error::OutsideLost`] likewise. [`Error::Ledger`] with `Forked` when the database is not an older
    /// state of the published log. [`Error::LogLost`] when the published log itself is too old. [`Error::Envelope`]
    /// with `KeyMissing` when the restored key state's own key is gone, with `FencesLost` for a lost journal.
    pub fn recover(&self, unexplained: Unexplained) -> Result<Option<Recovery>, Error> {
        self.core.forget(&self.id);
        let keys = self.recover_keys(unexplained)?;
        let log = self.log()?;
        let restored = self.core.awaits_recovery(&self.id)? || self.core.contradiction(&self.id)?.older;
        let outside_lost = restored && log.kept_outside()?.is_none();
        if outside_lost && unexplained == Unexplained::Refused {
            return Err(Error::OutsideLost);
        }
        log.adopt_published()?;
        let behind = log.is_behind(self.core)?;
        let head = log.published()?.filter(|_| behind);
        if head.is_none() && !restored {
            self.core.mark_checked(&self.id);
            return keys.map(|keys| self.record_keys(keys)).transpose();
        }
        let have = log.rows().len()?;
        let size = head.map_or(have, |head| head.checkpoint().size());
        if behind && have >= size {
            return Err(Error::Ledger(LedgerError::Forked));
        }
        let missing = log.published_entries(have, size)?;
        if behind {
            log.check_continuation(&missing)?;
        }
        let evidence = vec![DataClass::DestructionEvidence; self.destroyed_but_held()?];
        let recovery = self.core.act_unchecked(&self.id, &evidence, |act| {
            if !act.rows.organisation_exists(act.organisation)? {
                act.rows.insert_organisation(act.organisation, act.now)?;
                put_policy(act, None)?;
            }
            if act.rows.entry_count(act.organisation)? != have {
                return Err(Error::RecoveryRequired);
            }
            for entry in &missing {
                act.rows.append_entry(act.organisation, entry)?;
            }
            act.record_public(
                EntryKind::LogRecovered,
                &Payload::by(ActorRole::Operator, act.now).gap(have, size),
            )?;
            let strength = self.core.ports.keys.strength();
            let (mut destroyed, mut closed, mut templates) = (0, 0, 0);
            for holding in destroyed_but_held(act.rows, act.state, act.organisation)? {
                destroyed += 1;
                closed += u64::from(replay(act, &holding, strength)?);
                templates += u64::from(holding.class == DataClass::Biometric);
            }
            let gap = Gap::of(&missing);
            let unmatched = gap
                .ended_with_template
                .saturating_sub(closed)
                .saturating_add(gap.ended_alone + gap.marked + gap.notices)
                .max(gap.destroyed.saturating_sub(templates))
                .max(gap.condemned.saturating_sub(templates));
            if unmatched > 0 && unexplained == Unexplained::Refused {
                return Err(Error::Unexplained(unmatched));
            }
            finish_waiting(act)?;
            let (gap_from, gap_to) = (have, size);
            let keys = keys.unwrap_or_default();
            let unexplained = unmatched;
            Ok(Recovery { gap_from, gap_to, destroyed, closed, unexplained, outside_lost, ..keys })
        })?;
        let orphaned = self.destroy_orphans()?;
        self.core.mark_checked(&self.id);
        self.publish_log()?;
        Ok(Some(Recovery { orphaned, ..recovery }))
    }
}

impl Organisation<'_> {
    /// Destroys again what came back at the key service or with a key state; `None` when nothing did.
    fn recover_keys(&self, unexplained: Unexplained) -> Result<Option<Recovery>, Error> {
        let mut found = match self.core.ring.check(&self.id) {
            Ok(()) => None,
            Err(error) if is_gate(&error) => {
                let loss = match unexplained {
                    Unexplained::Accepted => FenceLoss::Accepted,
                    Unexplained::Refused => FenceLoss::Refused,
                };
                let replay = self.core.ring.recover(&self.id, loss)?;
                let (replayed, resurrected) = (replay.replayed as u64, replay.resurrected.len() as u64);
                let journal_replaced = replay.journal_replaced;
                Some(Recovery { replayed, resurrected, journal_replaced, ..Recovery::default() })
            }
            Err(error) => return Err(error.into()),
        };
        self.core.ring.provision(&self.id)?;
        let replayed = self.replay_rows()?;
        // What is fenced is destroyed before anything says so.
        let _report = self.core.ring.destroy(&self.id, &[])?;
        if replayed > 0 {
            found.get_or_insert_default().replayed += replayed;
        }
        Ok(found)
    }

    /// Moves the counters past every leaf that the rows name, and destroys again what they call destroyed.
    fn replay_rows(&self) -> Result<u64, Error> {
        let contradiction = self.core.contradiction(&self.id)?;
        for (class, leaf) in contradiction.beyond {
            self.core.ring.raise_counter(&self.id, class, leaf)?;
        }
        if !contradiction.alive.is_empty() {
            let _report = self.core.ring.destroy(&self.id, &contradiction.alive)?;
        }
        Ok(contradiction.alive.len() as u64)
    }

    /// The database is current: it knows what was destroyed, and the log gets to know that keys came back.
    fn record_keys(&self, keys: Recovery) -> Result<Recovery, Error> {
        self.core.act(&self.id, &[], |act| {
            let Recovery { replayed, resurrected, journal_replaced, .. } = keys;
            let found =
                format!("replayed {replayed} resurrected {resurrected} journal_replaced {journal_replaced}");
            act.record_public(
                EntryKind::KeysRecovered,
                &Payload::by(ActorRole::Operator, act.now).cause(&found),
            )
        })?;
        Ok(keys)
    }

    /// Destroys every biometric leaf that was ever reserved and that no row names.
    fn destroy_orphans(&self) -> Result<u64, Error> {
        let orphans = self.core.ring.with_state(&self.id, |state| {
            let named = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| self.named(rows))?;
            // After a lost journal there are millions of them.
            let orphaned = |leaf: &LeafIndex| {
                named.binary_search(leaf).is_err() && state.status(*leaf) == LeafStatus::Live
            };
            Ok::<_, Error>(state.reserved(DataClass::Biometric).filter(orphaned).collect::<Vec<_>>())
        })??;
        if !orphans.is_empty() {
            self.core.forget(&self.id);
            let _report = self.core.ring.destroy(&self.id, &orphans)?;
        }
        Ok(orphans.len() as u64)
    }

    /// The leaves of all holdings, ascending.
    fn named(&self, rows: &mut dyn Transaction) -> Result<Vec<LeafIndex>, Error> {
        let mut named = Vec::new();
        loop {
            let page = rows.holdings(&self.id, named.last().copied(), PAGE)?;
            if page.is_empty() {
                return Ok(named);
            }
            named.extend(page.iter().map(|holding| holding.leaf));
        }
    }

    fn destroyed_but_held(&self) -> Result<usize, Error> {
        self.core.ring.with_state(&self.id, |state| {
            vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
                Ok(destroyed_but_held(rows, state, &self.id)?.len())
            })
        })?
    }
}

/// The recovery that a restore left to be done is done.
fn finish_waiting(act: &mut Act<'_>) -> Result<(), Error> {
    while let Some(mut job) = act.rows.unfinished_job(act.organisation, JobKind::Recovery.code())? {
        (job.run_at, job.lease_until, job.finished_at) = (None, None, Some(act.now));
        act.rows.save_job(act.organisation, &job)?;
    }
    Ok(())
}

/// The holdings that the rows call live or condemned and whose key is destroyed.
fn destroyed_but_held(
    rows: &mut dyn Transaction,
    state: &OrganisationState,
    organisation: &OrganisationId,
) -> Result<Vec<Holding>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = rows.holdings(organisation, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.leaf);
        found.extend(page.into_iter().filter(|holding| {
            let held = !matches!(holding.state, HoldingState::Destroyed { .. });
            held && state.status(holding.leaf) == LeafStatus::Destroyed
        }));
    }
}

/// Marks a holding destroyed again and closes the consent that it rested on; says whether it did.
fn replay(act: &mut Act<'_>, holding: &Holding, strength: ErasureStrength) -> Result<bool, Error> {
    if holding.state == HoldingState::Live {
        act.rows.condemn(
            act.organisation,
            holding.leaf,
            DestructionReason::DestroyedBeforeRestore.name(),
            act.now,
        )?;
    }
    let cause = Cause::new(DestructionReason::DestroyedBeforeRestore, None);
    record_destroyed(act, holding, &cause, &Seen { strength, report: None })?;
    let Some(scope) = holding.scope else { return Ok(false) };
    let line = line(act.rows, act.organisation, holding.subject, scope)?;
    if !line.status().is_some_and(ConsentStatus::is_open) {
        return Ok(false);
    }
    put_line(act, &line.withdraw(act.now)?, None)?;
    Ok(true)
}

/// What the gap holds that rows have to be matched with.
#[derive(Default)]
struct Gap {
    /// Consents that ended with a template, which is condemned by the very next entry of the same transaction.
    ended_with_template: u64,
    /// Those that ended without one.
    ended_alone: u64,
    marked: u64,
    /// Notices that came into force.
    notices: u64,
    condemned: u64,
    destroyed: u64,
}

impl Gap {
    fn of(entries: &[Vec<u8>]) -> Self {
        let mut gap = Self::default();
        let kinds = entries.iter().map(|entry| Leaf::from_bytes(entry).ok().map(|leaf| leaf.kind));
        let kinds: Vec<_> = kinds.collect();
        for (number, kind) in kinds.iter().enumerate() {
            let next = kinds.get(number + 1).copied().flatten();
            match kind {
                Some(EntryKind::TemplateDestroyed) => gap.destroyed += 1,
                Some(EntryKind::TemplateDestroyRequested) => gap.condemned += 1,
                Some(
                    EntryKind::ConsentWithdrawn
                    | EntryKind::ConsentRevoked
                    | EntryKind::ConsentExpired
                    | EntryKind::ConsentInvalidated,
                ) if next == Some(EntryKind::TemplateDestroyRequested) => gap.ended_with_template += 1,
                Some(
                    EntryKind::ConsentWithdrawn
                    | EntryKind::ConsentRevoked
                    | EntryKind::ConsentExpired
                    | EntryKind::ConsentInvalidated,
                ) => gap.ended_alone += 1,
                // What closes the gate, or keeps or ends data, and that no row tells any more.
                Some(
                    EntryKind::SubjectMarked
                    | EntryKind::SubjectResidence
                    | EntryKind::HoldPlaced
                    | EntryKind::HoldReleased
                    | EntryKind::RightsRequested
                    | EntryKind::RetentionPolicyActivated,
                ) => gap.marked += 1,
                // Without a template that ended with it: purposes, methods and accounts that nothing shows.
                Some(EntryKind::SubjectEvent)
                    if !matches!(
                        next,
                        Some(EntryKind::ConsentWithdrawn | EntryKind::TemplateDestroyRequested)
                    ) =>
                {
                    gap.marked += 1;
                }
                Some(EntryKind::NoticePublished) => gap.notices += 1,
                _ => {}
            }
        }
        gap
    }
}
