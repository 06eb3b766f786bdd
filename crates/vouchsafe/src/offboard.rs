//! The end of a whole organisation: one plan, one job, one certificate.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind, Note};
use vouchsafe_retention::Stage;
use vouchsafe_store::{Holding, HoldingState, Transaction};
use vouchsafe_types::{DataClass, Digest, LeafIndex, Timestamp};

use crate::act::Act;
use crate::cause::Cause;
use crate::close::{End, end_all};
use crate::destroy::condemn;
use crate::digest::sha256;
use crate::jobs::{Job, JobKind};
use crate::lives::{Life, is_kept};
use crate::orders::order_deletions;
use crate::payload::Payload;
use crate::policy::activated;
use crate::{Destruction, Error, Organisation};

const PLAN: &str = "vouchsafe offboarding plan v1";
const CERTIFICATE: &str = "vouchsafe offboarding certificate v1";
const PAGE: u32 = 128;

/// What becomes of one class of data when the organisation leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Share {
    destroyed: u64,
    kept: u64,
    /// Until when the last of what is kept has to be kept, where that is known.
    until: Option<Timestamp>,
}

/// What the end of an organisation would destroy and what it has to keep: text to review and to approve.
///
/// ```text
/// vouchsafe offboarding plan v1
/// origin vouchsafe/8c1f…
/// policy 1f0e…
/// made-at 2026-11-24T18:00:00Z
/// biometric destroy 12 keep 0
/// consent_evidence destroy 0 keep 31 until 2033-11-24T18:00:00Z
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct OffboardingPlan {
    text: String,
    origin: String,
    policy: Digest,
}

impl OffboardingPlan {
    /// Reads a plan back.
    ///
    /// # Errors
    /// [`Error::Format`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Format("offboarding plan");
        let mut lines = text.lines();
        if lines.next() != Some(PLAN) {
            return Err(malformed());
        }
        let mut field = |name| lines.next().and_then(|line| line.strip_prefix(name)).ok_or_else(malformed);
        let (origin, policy) = (field("origin ")?.to_owned(), field("policy ")?);
        let policy = Digest::parse(policy).map_err(|_| malformed())?;
        Ok(Self { text: text.to_owned(), origin, policy })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text: what is approved.
    pub fn digest(&self) -> Digest {
        sha256(self.text.as_bytes())
    }
}

impl Organisation<'_> {
    /// Plans the end of the organisation. Nothing is changed; the cost grows with what is stored.
    ///
    /// # Errors
    /// [`Error::PolicyNotActivated`]; [`Error::Retention`] when a rule leaves a gap.
    pub fn plan_offboarding(&self) -> Result<OffboardingPlan, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let (now, origin) = (self.core.now(), self.log_origin()?);
        let policy = &self.core.ports.retention;
        let shares = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            activated(rows, &self.id, policy)?;
            self.shares(rows, now)
        })?;
        let mut text = format!("{PLAN}\norigin {origin}\npolicy {}\nmade-at {now}\n", policy.digest());
        for (class, share) in &shares {
            let _ = write!(text, "{} destroy {} keep {}", class.name(), share.destroyed, share.kept);
            text.push_str(&until(share));
        }
        Ok(OffboardingPlan { text, origin, policy: policy.digest() })
    }

    fn shares(
        &self,
        rows: &mut dyn Transaction,
        now: Timestamp,
    ) -> Result<BTreeMap<DataClass, Share>, Error> {
        let (mut shares, mut after) = (BTreeMap::<DataClass, Share>::new(), None);
        loop {
            let page = rows.holdings(&self.id, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(shares) };
            after = Some(last.leaf);
            for holding in page.iter().filter(|holding| holding.state == HoldingState::Live) {
                let life = Life::read(rows, &self.id, holding.subject)?;
                let decision = life.decide(rows, &self.id, &self.core.ports.retention, holding, now)?;
                let share = shares.entry(holding.class).or_default();
                if is_kept(&decision, now) {
                    share.kept += 1;
                    share.until = share.until.max(decision.deadline().not_before());
                } else {
                    share.destroyed += 1;
                }
            }
        }
    }

    /// Ends the organisation by an approved plan: every consent ends, everything that no hold and no duty keeps is
    /// destroyed, recipients are ordered to delete. A durable job sees it through; call it again after an interruption.
    ///
    /// Returns: the certificate, a signed note under the log's key; it names what is kept, why and until when.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a plan of another organisation; [`Error::NotApproved`]; what stands in the way of the destruction, and then the job goes on with the next call.
    pub fn offboard(&self, plan: &OffboardingPlan, approvals: &[&str]) -> Result<String, Error> {
        let policy = &self.core.ports.retention;
        if plan.origin != self.log_origin()? {
            return Err(Error::Foreign);
        }
        if plan.policy != policy.digest() {
            return Err(Error::PolicyNotActivated);
        }
        let approvers = self.approvers_of(&plan.digest(), approvals)?;
        if approvers.len() < policy.approvals().needed(Stage::Offboarding).into() {
            return Err(Error::NotApproved);
        }
        let started =
            self.jobs()?.iter().any(|job| job.kind == JobKind::Offboarding && job.finished_at.is_none());
        if !started {
            self.core.act(&self.id, &[], |act| {
                for name in &approvers {
                    let payload =
                        Payload::by(ActorRole::Administrator, act.now).cause(&plan.digest().to_string());
                    act.record_public(EntryKind::RetentionPlanApproved, &payload.word("approver", name))?;
                }
                act.begin_job(JobKind::Offboarding, None, &Job::of(&[])).map(drop)
            })?;
        }
        self.resume_jobs()?;
        match self.resume_destructions() {
            Destruction::Done(_) => self.certify_offboarding(plan),
            Destruction::Pending(incomplete) => Err(incomplete.into_cause()),
        }
    }

    /// Ends what lies on a page of holdings; gives the last of them.
    pub(crate) fn end_page(&self, after: Option<LeafIndex>) -> Result<Option<LeafIndex>, Error> {
        let evidence = [DataClass::ConsentEvidence, DataClass::DestructionEvidence, DataClass::Disclosure];
        let page = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            rows.holdings(&self.id, after, PAGE).map_err(Error::from)
        })?;
        for holding in &page {
            if matches!(holding.state, HoldingState::Live) {
                self.core.act(&self.id, &evidence, |act| end_holding(act, holding.leaf))?;
            }
        }
        Ok(page.last().map(|holding| holding.leaf))
    }

    fn certify_offboarding(&self, plan: &OffboardingPlan) -> Result<String, Error> {
        let origin = self.log_origin()?;
        let shares = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| self.ended(rows))?;
        let strength = self.core.ports.keys.strength().name();
        let note = self.core.act(&self.id, &[], |act| {
            let payload = Payload::by(ActorRole::Service, act.now).cause(&plan.digest().to_string());
            let entry = act.record_public(EntryKind::OrganisationOffboarded, &payload.strength(strength))?;
            let mut text = format!(
                "{CERTIFICATE}\norigin {origin}\nplan {}\nentry {entry}\nat {}\nerasure-strength {strength}\n",
                plan.digest(),
                act.now
            );
            for (class, share) in &shares {
                let _ = write!(text, "{} destroyed {} kept {}", class.name(), share.destroyed, share.kept);
                text.push_str(&until(share));
            }
            Ok(self.core.signer(act.state)?.sign(&text)?)
        })?;
        self.publish_log()?;
        Ok(note)
    }

    /// What is destroyed by now, whatever for, and what is still held.
    fn ended(&self, rows: &mut dyn Transaction) -> Result<BTreeMap<DataClass, Share>, Error> {
        let (mut shares, mut after, now) = (BTreeMap::<DataClass, Share>::new(), None, self.core.now());
        loop {
            let page = rows.holdings(&self.id, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(shares) };
            after = Some(last.leaf);
            for holding in &page {
                let share = shares.entry(holding.class).or_default();
                if holding.state != HoldingState::Live {
                    share.destroyed += 1;
                    continue;
                }
                share.kept += 1;
                let life = Life::read(rows, &self.id, holding.subject)?;
                let decision = life.decide(rows, &self.id, &self.core.ports.retention, holding, now)?;
                share.until = share.until.max(decision.deadline().not_before());
            }
        }
    }
}

fn until(share: &Share) -> String {
    match share.until.filter(|_| share.kept > 0) {
        Some(until) => format!(" until {until}\n"),
        None => "\n".to_owned(),
    }
}

/// Ends one holding with the consents of its person, unless something keeps it.
fn end_holding(act: &mut Act<'_>, leaf: LeafIndex) -> Result<(), Error> {
    let read = |act: &mut Act<'_>| Ok::<_, Error>(act.rows.holding(act.organisation, leaf)?.filter(is_live));
    let Some(holding) = read(act)? else { return Ok(()) };
    let how = End::account_deleted(ActorRole::Service, DestructionReason::Offboarding);
    if !end_all(act, holding.subject, how)?.is_empty() {
        order_deletions(act, holding.subject, None)?;
    }
    let Some(holding) = read(act)? else { return Ok(()) };
    let life = act.life(holding.subject)?;
    let decision = act.decide(&life, &holding)?;
    if is_kept(&decision, act.now) {
        return Ok(());
    }
    condemn(act, &holding, &Cause::new(DestructionReason::Offboarding, None), ActorRole::Service)
}

fn is_live(holding: &Holding) -> bool {
    holding.state == HoldingState::Live
}

/// Reads an offboarding certificate and checks its signature.
///
/// # Errors
/// [`Error::Ledger`] for a wrong signature, [`Error::Format`] for another note.
pub fn verify_offboarding(note: &str, key: &vouchsafe_ledger::VerifierKey) -> Result<String, Error> {
    let text = Note::parse(note)?.verify(&[key])?.to_owned();
    let own = text
        .strip_prefix(CERTIFICATE)
        .is_some_and(|rest| rest.starts_with(&format!("\norigin {}\n", key.name())));
    if own { Ok(text) } else { Err(Error::Format("offboarding certificate")) }
}
