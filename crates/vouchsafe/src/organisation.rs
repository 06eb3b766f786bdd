use vouchsafe_consent::{Materiality, Notice, NoticeDraft};
use vouchsafe_envelope::EnvelopeError;
use vouchsafe_ledger::{
    ActorRole, Checkpoint, CosignReport, EntryKind, Leaf, Report, SignedCheckpoint, VerifierKey, commitment,
};
use vouchsafe_store::{NoticeRow, StoreError};
use vouchsafe_types::{OrganisationId, Timestamp};

use crate::act::public_opening;
use crate::consents::notice_of;
use crate::core::Core;
use crate::logs::Log;
use crate::payload::Payload;
use crate::policy::put_policy;
use crate::{Error, Receipt, Subject};

/// One organisation: the tenant that keys, rows and log are partitioned by.
pub struct Organisation<'a> {
    pub(crate) core: &'a Core,
    pub(crate) id: OrganisationId,
}

impl<'a> Organisation<'a> {
    /// Provisions keys and log at the first call; every later one finds them.
    ///
    /// An organisation behind the start-up gate is given all the same, so that its recovery can be called; every
    /// other act meets the gate's error again.
    pub(crate) fn provision(core: &'a Core, id: OrganisationId) -> Result<Self, Error> {
        core.ports.residence.ensure_allowed(&core.ports.retention)?;
        let exists = vouchsafe_store::read(&*core.ports.store, &id, |rows| {
            rows.organisation_exists(&id).map_err(Error::from)
        })?;
        // Fresh keys for rows that were sealed under others would hide the loss.
        let stored = core.ports.states.version(&id).map_err(EnvelopeError::StateStore)?;
        if exists && stored.is_none() {
            return Err(Error::Envelope(EnvelopeError::StateLost));
        }
        match core.ring.provision(&id) {
            Err(error) if is_gate(&error) => return Ok(Self { core, id }),
            provisioned => provisioned?,
        }
        let organisation = Self { core, id };
        if !exists && organisation.is_current()? {
            core.act(&organisation.id, &[], |act| {
                if act.rows.organisation_exists(act.organisation)? {
                    return Ok(());
                }
                act.rows.insert_organisation(act.organisation, act.now)?;
                put_policy(act, None)?;
                let payload = Payload::by(ActorRole::Service, act.now).policy(core.ports.retention.digest());
                act.record_public(EntryKind::OrganisationCreated, &payload).map(drop)
            })?;
        }
        Ok(organisation)
    }

    /// Whether the database knows everything that the published log does. If not, only the recovery may act.
    fn is_current(&self) -> Result<bool, Error> {
        match self.core.ensure_not_behind(&self.id) {
            Ok(()) => Ok(true),
            Err(Error::RecoveryRequired) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The identifier.
    pub const fn id(&self) -> &OrganisationId {
        &self.id
    }

    /// Publishes a notice with the exact bytes that are shown; it comes into force on its date. Publishing it again
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Consent`] when the draft lacks something; [`Error::Store`] with `Conflict` when this id, version and
    /// locale were published with other bytes, or these bytes with other terms or before a newer version.
    pub fn publish_notice(&self, draft: NoticeDraft<'_>) -> Result<Notice, Error> {
        let (shown, schedule) = (draft.shown().to_vec(), draft.scheduled().unwrap_or_default().to_vec());
        let notice = draft.finish()?;
        self.core.act(&self.id, &[], |act| {
            let row = notice_row(&notice, shown, schedule, act.now);
            if let Some(stored) = act.rows.notice(act.organisation, notice.digest())? {
                let since = act.rows.notices_since(act.organisation, notice.digest(), Timestamp::MAX)?;
                let newest = since.iter().all(|newer| newer.locale != notice.locale());
                let same = stored.terms == row.terms && stored.schedule == row.schedule;
                return if same && newest { Ok(()) } else { Err(Error::Store(StoreError::Conflict)) };
            }
            act.rows.insert_notice(act.organisation, &row)?;
            let payload = Payload::by(ActorRole::Administrator, act.now).notice(&notice).terms(&notice)?;
            act.record_public(EntryKind::NoticePublished, &payload).map(drop)
        })?;
        Ok(notice)
    }

    /// The notice in force now, by its id and locale.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Consent`] for a row that schema 2 wrote, which states no terms: publish it again.
    pub fn notice_in_force(&self, id: &str, locale: &str) -> Result<Option<Notice>, Error> {
        let row = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            rows.notice_in_force(&self.id, id, locale, self.core.now()).map_err(Error::from)
        })?;
        row.map(|row| notice_of(&row)).transpose()
    }

    /// A person, by the caller's own id, of which only a keyed pseudonym is kept.
    ///
    /// # Errors
    /// [`Error::Envelope`] when the key state cannot be opened.
    pub fn subject(&self, caller_id: &str) -> Result<Subject<'_>, Error> {
        let pseudonym = self.core.ring.with_state(&self.id, |state| state.pseudonym(caller_id.as_bytes()))?;
        Ok(Subject { organisation: self, pseudonym })
    }

    /// The public key that the log's checkpoints, receipts and certificates verify with.
    ///
    /// # Errors
    /// [`Error::Envelope`] when the key state cannot be opened.
    pub fn verifier_key(&self) -> Result<VerifierKey, Error> {
        Ok(self.log()?.key().clone())
    }

    /// The origin line of the log's checkpoints.
    ///
    /// # Errors
    /// [`Error::Envelope`] when the key state cannot be opened.
    pub fn log_origin(&self) -> Result<String, Error> {
        Ok(self.log()?.origin().to_owned())
    }

    /// Publishes tiles and a signed checkpoint that cover every committed entry.
    ///
    /// # Errors
    /// [`Error::RecoveryRequired`]; [`Error::Ledger`], also when another process keeps the publishing lease for
    /// longer than the bounded wait.
    pub fn publish_log(&self) -> Result<SignedCheckpoint, Error> {
        self.core.ensure_not_behind(&self.id)?;
        self.log()?.publish(self.core)
    }

    /// Publishes, and asks the witnesses to cosign the checkpoint. A witness that fails is told and stops nothing; where
    /// the others make the quorum of [`Ports::quorum`](crate::Ports::quorum), so is one that contradicts.
    ///
    /// # Errors
    /// As [`Self::publish_log`]; [`Error::WitnessContradicts`] when a witness has seen another history and no quorum has
    /// seen this one. The log is published all the same.
    pub fn cosign_log(&self) -> Result<CosignReport, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let report = self.log()?.cosign(self.core)?;
        let quorum = self.core.ports.quorum.as_ref().filter(|policy| policy.demands_witnesses());
        let agreed = quorum.is_some_and(|policy| policy.check_quorum(report.signed()).is_ok());
        if report.shows_a_fork_or_rollback() && !agreed { Err(Error::WitnessContradicts) } else { Ok(report) }
    }

    /// Proves that an entry is in the log (C2SP tlog-proof text); publishes first when needed.
    ///
    /// # Errors
    /// [`Error::Ledger`] for an entry that does not exist.
    pub fn prove(&self, entry: u64) -> Result<String, Error> {
        let log = self.log()?;
        let covered = log.published()?.is_some_and(|head| entry < head.checkpoint().size());
        if !covered {
            self.publish_log()?;
        }
        log.prove(entry)
    }

    /// Adds to a receipt the proof that its entry is in the log, so that it verifies offline; publishes first when
    /// needed.
    ///
    /// # Errors
    /// As [`Self::prove`].
    pub fn prove_receipt(&self, receipt: &mut Receipt) -> Result<(), Error> {
        receipt.set_proof(self.prove(receipt.entry())?);
        Ok(())
    }

    /// Recomputes the whole log from the rows and compares every published byte; the log has to continue the checkpoint
    /// kept outside. One outside that is newer and that the rows lead to is no finding: see [`Self::newer_checkpoint`].
    ///
    /// # Errors
    /// [`Error::Ledger`] is no verdict; what was found is in the report.
    pub fn verify_log(&self) -> Result<Report, Error> {
        self.log()?.verify_kept()
    }

    /// The checkpoint kept outside, when the published file is older: a publication was cut short, or the file was set
    /// back. The two cannot be told apart; the next act of a fresh process publishes it as it was signed.
    ///
    /// # Errors
    /// [`Error::Ledger`] when one of the two cannot be read.
    pub fn newer_checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        self.log()?.newer_outside()
    }

    /// As [`Self::verify_log`], and demands that the log continues a checkpoint that was kept elsewhere. Only this
    /// shows a rollback or a fork that is signed with the log's own key.
    ///
    /// # Errors
    /// [`Error::Ledger`] is no verdict; what was found is in the report.
    pub fn verify_log_since(&self, remembered: &Checkpoint) -> Result<Report, Error> {
        self.log()?.verify(Some(remembered))
    }

    /// Writes missing and damaged tiles again from the rows, byte for byte; gives how many files it wrote. The signed
    /// checkpoint is never touched. Look at [`Self::verify_log`] first: a damaged tile may be evidence.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the rows do not give the signed root.
    pub fn rebuild_log(&self) -> Result<u64, Error> {
        self.log()?.rebuild()
    }

    /// The payload of an entry about the organisation itself, as JSON; `None` for entries about a person.
    ///
    /// # Errors
    /// [`Error::Format`] when the entry does not commit to what is stored.
    pub fn public_payload(&self, entry: u64) -> Result<Option<Vec<u8>>, Error> {
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            let Some(payload) = rows.public_payload(&self.id, entry)? else { return Ok(None) };
            let row = rows.entries(&self.id, entry, 1)?.pop().ok_or(Error::Format("entry"))?;
            let leaf = Leaf::from_bytes(&row)?;
            if commitment::verify(&public_opening(), &payload, &leaf.commitment) {
                Ok(Some(payload))
            } else {
                Err(Error::Format("payload"))
            }
        })
    }

    pub(crate) fn log(&self) -> Result<Log<'_>, Error> {
        Log::open(self.core, &self.id)
    }
}

fn notice_row(notice: &Notice, shown: Vec<u8>, schedule: Vec<u8>, now: Timestamp) -> NoticeRow {
    NoticeRow {
        digest: notice.digest(),
        id: notice.id().to_owned(),
        version: notice.version().to_owned(),
        locale: notice.locale().to_owned(),
        shown,
        published_at: now,
        effective_at: notice.effective(),
        material: notice.materiality() == Materiality::Material,
        attested_by: notice.attested_by().code(),
        terms: notice.to_json().into_bytes(),
        schedule,
    }
}

/// What the start-up gate says: only the recovery may go on.
pub(crate) const fn is_gate(error: &EnvelopeError) -> bool {
    matches!(
        error,
        EnvelopeError::StateRolledBack
            | EnvelopeError::FencesLost
            | EnvelopeError::Resurrected(_)
            | EnvelopeError::KeyServiceRolledBack
            | EnvelopeError::KeyMissing
    )
}

impl std::fmt::Debug for Organisation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Organisation").field("id", &self.id).finish_non_exhaustive()
    }
}
