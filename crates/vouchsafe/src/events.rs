//! What happens to a person and starts a period of retention: the intake of events, each in one transaction with what it
//! ends.

use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::{Trigger, Verdict};
use vouchsafe_store::{EventRow, Holding, HoldingState, ResidenceRow};
use vouchsafe_types::{DataClass, Jurisdiction, LeafIndex, Role, Scope, SubjectPseudonym, Timestamp};

use crate::act::Act;
use crate::cause::Cause;
use crate::destroy::condemn;
use crate::lives::{is_kept, trigger_code};
use crate::payload::Payload;
use crate::{Destruction, Error, Subject};

const EVIDENCE: [DataClass; 2] = [DataClass::ConsentEvidence, DataClass::DestructionEvidence];

impl Subject<'_> {
    /// The purpose of the collection is met for one scope (740 ILCS 14/15(a)): the template is destroyed.
    ///
    /// # Errors
    /// Any error means: not recorded.
    pub fn purpose_met(&self, scope: Scope, by: ActorRole) -> Result<Destruction, Error> {
        self.happened(&[scope], Trigger::PurposeMet, DestructionReason::PurposeMet, by)
    }

    /// The sign-in method that used the template was disabled: the template is destroyed at once. Consent for it ends with
    /// [`Subject::withdraw`] or [`Subject::revoke`].
    ///
    /// # Errors
    /// Any error means: not recorded.
    pub fn method_disabled(&self, scope: Scope, by: ActorRole) -> Result<Destruction, Error> {
        self.happened(&[scope], Trigger::MethodDisabled, DestructionReason::MethodDisabled, by)
    }

    /// The person's employment ended: the purpose of every template that they have as an administrator is presumed met
    /// (Tex. Bus. & Com. Code 503.001(c-2)).
    ///
    /// # Errors
    /// Any error means: not recorded.
    pub fn employment_ended(&self, by: ActorRole) -> Result<Destruction, Error> {
        let scopes: Vec<_> =
            Scope::all_biometric().filter(|scope| scope.role() == Role::Administrator).collect();
        self.happened(&scopes, Trigger::PurposeMet, DestructionReason::EmploymentEnded, by)
    }

    /// The person was found to live under the law of a place. Places add up: a law that applied once to what is held goes
    /// on to apply. While none is stated, every law of the policy applies.
    ///
    /// # Errors
    /// Any error means: not recorded.
    pub fn lives_in(&self, place: Jurisdiction, by: ActorRole) -> Result<(), Error> {
        self.act(&EVIDENCE, |act| {
            self.make_known(act)?;
            let payload = Payload::by(by, act.now).word("place", place.name());
            let recorded = self.evidence(act, EntryKind::SubjectResidence, &payload)?;
            let row = ResidenceRow { jurisdiction: place.code(), since: act.now, entry: recorded.entry };
            act.rows.put_residence(act.organisation, self.pseudonym, &row)?;
            act.review(self.pseudonym)
        })
    }

    fn happened(
        &self,
        scopes: &[Scope],
        trigger: Trigger,
        reason: DestructionReason,
        by: ActorRole,
    ) -> Result<Destruction, Error> {
        let condemned = self.act(&EVIDENCE, |act| {
            let mut condemned = Vec::new();
            for scope in scopes {
                self.make_known(act)?;
                let payload = Payload::by(by, act.now).scope(*scope).word("event", trigger.name());
                let recorded = self.evidence(act, EntryKind::SubjectEvent, &payload)?;
                note(act, self.pseudonym, Some(*scope), trigger, recorded.entry)?;
                condemned.extend(end_template(act, self.pseudonym, *scope, reason, by)?);
            }
            act.review(self.pseudonym)?;
            Ok(condemned)
        })?;
        Ok(self.organisation.destruction_of(&condemned))
    }
}

/// Notes that something happened to a person; the first time counts.
pub(crate) fn note(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    scope: Option<Scope>,
    trigger: Trigger,
    entry: u64,
) -> Result<(), Error> {
    let row = EventRow { scope, trigger: trigger_code(trigger), at: act.now, entry };
    act.rows.put_event(act.organisation, subject, &row)?;
    Ok(())
}

/// Whether an event of the whole person was noted, and nothing that it ends has arrived since.
pub(crate) fn stands(act: &mut Act<'_>, subject: SubjectPseudonym, trigger: Trigger) -> Result<bool, Error> {
    let Some(known) = noted(act, subject, trigger)? else { return Ok(false) };
    let arrived = act.rows.holdings_of(act.organisation, subject)?.into_iter();
    Ok(!arrived.filter(|holding| holding.created_at > known).any(|holding| ends(act, &holding, trigger)))
}

/// Lets a new event of the whole person take the place of one that no longer [`stands`]. What the old one ended goes
/// now, unless something keeps it: its period must not begin again.
///
/// Returns: the leaves that are fenced.
pub(crate) fn supersede(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    trigger: Trigger,
    reason: DestructionReason,
    by: ActorRole,
) -> Result<Vec<LeafIndex>, Error> {
    let Some(known) = noted(act, subject, trigger)? else { return Ok(Vec::new()) };
    let (life, mut condemned) = (act.life(subject)?, Vec::new());
    for holding in act.rows.holdings_of(act.organisation, subject)? {
        if holding.created_at > known || !ends(act, &holding, trigger) {
            continue;
        }
        let decision = act.decide(&life, &holding)?;
        if !is_kept(&decision, act.now) {
            let rule = decision.deadline().decided().filter(|ruling| ruling.at() <= act.now);
            condemn(act, &holding, &Cause::new(reason, rule.map(|ruling| ruling.rule())), by)?;
            condemned.push(holding.leaf);
        }
    }
    act.rows.clear_event(act.organisation, subject, None, trigger_code(trigger))?;
    Ok(condemned)
}

/// When an event of the whole person was noted.
fn noted(act: &mut Act<'_>, subject: SubjectPseudonym, trigger: Trigger) -> Result<Option<Timestamp>, Error> {
    let events = act.rows.events(act.organisation, subject)?;
    let event = |event: &&EventRow| event.scope.is_none() && event.trigger == trigger_code(trigger);
    Ok(events.iter().find(event).map(|event| event.at))
}

/// Whether a rule of the policy ends a live holding after this.
fn ends(act: &Act<'_>, holding: &Holding, trigger: Trigger) -> bool {
    let mut rules = act.core.ports.retention.rules().iter().filter(|rule| rule.is_enabled());
    holding.state == HoldingState::Live
        && rules.any(|rule| rule.class() == holding.class && rule.trigger() == trigger)
}

/// Fences the template of a scope at once, unless a hold or a duty keeps it; then the gate refuses it all the same, and
/// the sweep destroys it as soon as it may.
pub(crate) fn end_template(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    scope: Scope,
    reason: DestructionReason,
    by: ActorRole,
) -> Result<Option<LeafIndex>, Error> {
    if scope.modality().is_none() {
        return Ok(None);
    }
    let held = act.rows.biometric_holding(act.organisation, subject, scope)?;
    let Some(holding) = held.filter(|holding| holding.state == HoldingState::Live) else { return Ok(None) };
    let life = act.life(subject)?;
    let decision = act.decide(&life, &holding)?;
    if is_kept(&decision, act.now) {
        act.rows.set_review(act.organisation, holding.leaf, decision.review_at(act.now))?;
        return Ok(None);
    }
    // What the person or the controller ends is destroyed at once, also where the policy would give it longer.
    let rule = decision.deadline().decided().filter(|ruling| ruling.at() <= act.now);
    let cause = Cause::new(reason, rule.map(|ruling| ruling.rule()));
    condemn(act, &holding, &cause, by)?;
    Ok(Some(holding.leaf))
}

/// Fences whatever else of a person the policy says is due now.
///
/// Returns: the leaves that are fenced.
pub(crate) fn end_due(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    reason: DestructionReason,
    by: ActorRole,
) -> Result<Vec<LeafIndex>, Error> {
    let (life, mut condemned) = (act.life(subject)?, Vec::new());
    for holding in act.rows.holdings_of(act.organisation, subject)? {
        if holding.state != HoldingState::Live {
            continue;
        }
        let decision = act.decide(&life, &holding)?;
        match decision.deadline().decided().filter(|_| decision.verdict() == Verdict::Due) {
            Some(ruling) => {
                condemn(act, &holding, &Cause::new(reason, Some(ruling.rule())), by)?;
                condemned.push(holding.leaf);
            }
            None => act.rows.set_review(act.organisation, holding.leaf, decision.review_at(act.now))?,
        }
    }
    Ok(condemned)
}
