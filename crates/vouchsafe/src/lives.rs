//! What the retention policy is told of a holding, and what it decides.

use vouchsafe_retention::{Authority, Decision, Facts, Hold, HoldId, PersonalAct, Policy, Trigger};
use vouchsafe_store::{EventRow, HoldRow, Holding, HoldingState, StoreError, Transaction};
use vouchsafe_types::{DataClass, Jurisdiction, OrganisationId, Role, Scope, SubjectPseudonym, Timestamp};

use crate::Error;
use crate::act::Act;
use crate::sealed::Kind;

/// Everything about one person that decides how long their data is kept, read once.
pub(crate) struct Life {
    last_act: Option<Timestamp>,
    events: Vec<EventRow>,
    places: Vec<Jurisdiction>,
    pub(crate) holds: Vec<Hold>,
}

impl Life {
    pub(crate) fn read(
        rows: &mut dyn Transaction,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Self, Error> {
        let places = rows.residences(organisation, subject)?.into_iter();
        let places = places.map(|row| Jurisdiction::from_code(row.jurisdiction)).collect::<Result<_, _>>()?;
        let holds = rows.holds_of(organisation, subject)?.iter().map(hold_of).collect::<Result<_, _>>()?;
        Ok(Self {
            last_act: rows.last_interaction(organisation, subject)?,
            events: rows.events(organisation, subject)?,
            places,
            holds,
        })
    }

    /// Where the person is known to live or to have lived.
    pub(crate) fn places(&self) -> &[Jurisdiction] {
        &self.places
    }

    /// What the policy decides of a holding of this person.
    pub(crate) fn decide(
        &self,
        rows: &mut dyn Transaction,
        organisation: &OrganisationId,
        policy: &Policy,
        holding: &Holding,
        now: Timestamp,
    ) -> Result<Decision, Error> {
        let facts = self.facts(rows, organisation, holding)?;
        Ok(policy.decide(&facts, &self.holds, now)?)
    }

    /// The facts of one holding.
    ///
    /// Evidence of a consent under which a template is still held has not begun to age: it outlives the template.
    pub(crate) fn facts(
        &self,
        rows: &mut dyn Transaction,
        organisation: &OrganisationId,
        holding: &Holding,
    ) -> Result<Facts, Error> {
        let mut facts = self.base(holding)?;
        let evidence = holding.class == DataClass::ConsentEvidence;
        if !evidence {
            facts = facts.created(holding.created_at);
        } else if !holds_template(rows, organisation, holding.subject)? {
            facts = facts.created(newest_consent(rows, organisation, holding)?);
        }
        if let Some(at) = self.last_act {
            facts = facts.acted(PersonalAct::Verified, at);
        }
        if holding.class == DataClass::RightsRequest {
            facts = match closing(rows, organisation, holding)? {
                Some(at) => facts.purpose_met(at),
                None => facts.frozen(),
            };
        }
        for event in self.events.iter().filter(|event| concerns(event, holding)) {
            facts = happened(facts, event)?;
        }
        Ok(facts)
    }

    fn base(&self, holding: &Holding) -> Result<Facts, Error> {
        let role = holding.scope.map_or(Role::EndUser, Scope::role);
        let facts = Facts::new(holding.class, holding.scope.and_then(Scope::modality), role)?;
        Ok(self.places.iter().fold(facts, |facts, place| facts.residing(*place)))
    }
}

impl Act<'_> {
    pub(crate) fn life(&mut self, subject: SubjectPseudonym) -> Result<Life, Error> {
        Life::read(self.rows, self.organisation, subject)
    }

    pub(crate) fn decide(&mut self, life: &Life, holding: &Holding) -> Result<Decision, Error> {
        life.decide(self.rows, self.organisation, &self.core.ports.retention, holding, self.now)
    }

    /// When a holding that begins now has to be looked at, from its creation alone. Whatever is known of the person can
    /// only be found to be later than that, or is an event that looks again by itself.
    pub(crate) fn first_review(&self, class: DataClass) -> Result<Option<Timestamp>, Error> {
        let facts = Facts::new(class, None, Role::EndUser)?.created(self.now);
        Ok(self.core.ports.retention.decide(&facts, &[], self.now)?.review_at(self.now))
    }

    /// Asks the policy anew about everything live that is held about a person.
    pub(crate) fn review(&mut self, subject: SubjectPseudonym) -> Result<(), Error> {
        let life = self.life(subject)?;
        for holding in self.rows.holdings_of(self.organisation, subject)? {
            if holding.state != HoldingState::Live {
                continue;
            }
            let review_at = self.decide(&life, &holding)?.review_at(self.now);
            if review_at != holding.review_at {
                self.rows.set_review(self.organisation, holding.leaf, review_at)?;
            }
        }
        Ok(())
    }
}

/// Whether something still keeps a holding that an act of today ends: a hold, or a duty to keep it.
pub(crate) fn is_kept(decision: &Decision, now: Timestamp) -> bool {
    let bound = decision.deadline().not_before().is_some_and(|not_before| not_before > now);
    bound || decision.is_frozen() || !decision.held().is_empty()
}

/// Whether something happened that ends a holding, though something else may keep it from being destroyed.
pub(crate) fn is_over(events: &[EventRow], holding: &Holding) -> bool {
    events.iter().any(|event| concerns(event, holding))
}

/// The number of a trigger in the rows: its place among all of them, from 1.
pub(crate) fn trigger_code(trigger: Trigger) -> u8 {
    let place = Trigger::ALL.iter().position(|known| *known == trigger).unwrap_or_default();
    u8::try_from(place + 1).unwrap_or(u8::MAX)
}

pub(crate) fn trigger_of(code: u8) -> Result<Trigger, Error> {
    let place = usize::from(code).checked_sub(1).ok_or(StoreError::Damaged)?;
    Ok(*Trigger::ALL.get(place).ok_or(StoreError::Damaged)?)
}

/// An event of one scope concerns the template of that scope; one of the whole person concerns everything.
fn concerns(event: &EventRow, holding: &Holding) -> bool {
    event.at >= holding.created_at && (event.scope.is_none() || event.scope == holding.scope)
}

fn happened(facts: Facts, event: &EventRow) -> Result<Facts, Error> {
    Ok(match trigger_of(event.trigger)? {
        Trigger::AccountDeletion => facts.account_deleted(event.at),
        Trigger::LearnedMinor => facts.learned_minor(event.at),
        Trigger::MethodDisabled => facts.method_disabled(event.at),
        Trigger::PurposeMet => facts.purpose_met(event.at),
        Trigger::Withdrawal => facts.withdrawn(event.at),
        // The rows keep these two elsewhere, and no others are known.
        _ => return Err(Error::Store(StoreError::Damaged)),
    })
}

pub(crate) fn hold_of(row: &HoldRow) -> Result<Hold, Error> {
    let (id, authority) = (HoldId::from_bytes(*row.id.as_bytes()), Authority::from_code(row.authority)?);
    let mut hold =
        Hold::place(id, &row.matter, authority, row.placed_at, [&row.requested_by, &row.approved_by])?;
    if let Some(class) = row.class {
        hold = hold.of_class(class);
    }
    if let Some(expires) = row.expires {
        hold = hold.expiring(expires)?;
    }
    Ok(hold)
}

/// When the requests under a leaf were closed, the last of them; `None` while one is open. A leaf that holds steps of
/// requests alone goes with the person's last request.
fn closing(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    holding: &Holding,
) -> Result<Option<Timestamp>, Error> {
    let all = rows.documents(organisation, holding.subject, Kind::Request.code())?;
    let own = all.iter().any(|request| request.leaf == holding.leaf);
    let concerned = all.iter().filter(|request| !own || request.leaf == holding.leaf);
    let mut closed = concerned.map(|request| request.closed_at);
    Ok(closed.try_fold(holding.created_at, |last, closed| Some(last.max(closed?))))
}

/// When consent evidence begins to age: at the person's newest act of consent, so that it outlives a long consent.
fn newest_consent(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    holding: &Holding,
) -> Result<Timestamp, Error> {
    let mut newest = holding.created_at;
    for scope in Scope::all() {
        if let Some(consent) = rows.consent(organisation, holding.subject, scope)? {
            newest = newest.max(consent.at);
        }
    }
    Ok(newest)
}

fn holds_template(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
) -> Result<bool, Error> {
    for scope in Scope::all_biometric() {
        let held = rows.biometric_holding(organisation, subject, scope)?;
        if held.is_some_and(|holding| holding.state == HoldingState::Live) {
            return Ok(true);
        }
    }
    Ok(false)
}
