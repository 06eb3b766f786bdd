//! Retention: what is due is planned by the policy, condemned in a transaction that asks again, and destroyed.

use vouchsafe_ledger::{ActorRole, EntryKind, Note};
use vouchsafe_retention::{Breaker, Facts, ItemId, PersonalAct, Plan, PlanItem, RetentionError};
use vouchsafe_store::{Holding, HoldingState, Transaction};
use vouchsafe_types::{
    DataClass, Digest, LeafIndex, OrganisationId, Role, Scope, SubjectPseudonym, Timestamp,
};

use crate::act::Act;
use crate::destroy::condemn;
use crate::payload::Payload;
use crate::{Destruction, Error, Organisation};

const APPROVAL: &str = "vouchsafe retention approval v1";
const PAGE: u32 = 1000;
const BATCH: usize = 256;

impl Organisation<'_> {
    /// Plans what the retention policy says is due now. Nothing is changed.
    ///
    /// Reads every live holding: the cost grows with what is stored.
    ///
    /// # Errors
    /// [`Error::Retention`] when a rule leaves a gap.
    pub fn plan_retention(&self) -> Result<Plan, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let now = self.core.now();
        let records = vouchsafe_store::read(&*self.core.ports.store, |rows| self.records(rows))?;
        Ok(Plan::make(&self.core.ports.retention, records, now)?)
    }

    fn records(&self, rows: &mut dyn Transaction) -> Result<Vec<(ItemId, Facts)>, Error> {
        let (mut records, mut after) = (Vec::new(), None);
        loop {
            let page = rows.holdings(&self.id, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(records) };
            after = Some(last.leaf);
            for holding in page.iter().filter(|holding| holding.state == HoldingState::Live) {
                if let Some(facts) = facts(rows, &self.id, holding)? {
                    records.push((item_id(holding.leaf)?, facts));
                }
            }
        }
    }

    /// Approves a plan that somebody looked at; the log records it. Gives the approval to run it with.
    ///
    /// # Errors
    /// [`Error::Retention`] when the plan was made under another policy than the one in force.
    pub fn approve_plan(&self, plan: &Plan) -> Result<String, Error> {
        if plan.policy() != self.core.ports.retention.digest() {
            return Err(Error::Retention(RetentionError::PolicyChanged));
        }
        let digest = plan.digest()?;
        self.core.act(&self.id, &[], |act| {
            let payload = Payload::by(ActorRole::Operator, act.now).cause(&digest.to_string());
            act.record_public(EntryKind::RetentionPlanApproved, &payload)
        })?;
        self.core.ring.with_state(&self.id, |state| {
            Ok::<_, Error>(self.core.signer(state)?.sign(&format!("{APPROVAL}\nplan {digest}\n"))?)
        })?
    }

    /// Runs a plan that was approved: condemns what is still due, then destroys it.
    ///
    /// # Errors
    /// [`Error::NotApproved`]; [`Error::Retention`] when the policy changed since.
    pub fn run_plan(&self, plan: Plan, approval: &str) -> Result<Destruction, Error> {
        let digest = plan.digest()?;
        let note = Note::parse(approval)?;
        if note.verify(&[&self.verifier_key()?])? != format!("{APPROVAL}\nplan {digest}\n") {
            return Err(Error::NotApproved);
        }
        self.execute(plan, Some(digest))
    }

    /// Plans and runs in one call, for periods that the notices promise without an approval.
    ///
    /// # Errors
    /// [`Error::Retention`] when the plan would destroy more than the breaker's share: approve it instead.
    pub fn sweep(&self) -> Result<Destruction, Error> {
        let plan = self.plan_retention()?;
        self.execute(plan, None)
    }

    fn execute(&self, plan: Plan, acknowledged: Option<Digest>) -> Result<Destruction, Error> {
        let released = plan.release(&self.core.ports.retention, Breaker::default(), acknowledged)?;
        for batch in released.plan().items().chunks(BATCH) {
            let evidence = vec![DataClass::DestructionEvidence; batch.len()];
            self.core.act(&self.id, &evidence, |act| {
                batch.iter().try_for_each(|item| self.condemn_if_due(act, item))
            })?;
        }
        Ok(self.resume_destructions())
    }

    /// Asks the policy again within the transaction: the person may have acted since the plan was made.
    fn condemn_if_due(&self, act: &mut Act<'_>, item: &PlanItem) -> Result<(), Error> {
        let leaf = item.id().as_str().parse().ok().and_then(|leaf| LeafIndex::new(leaf).ok());
        let leaf = leaf.ok_or(Error::Format("retention plan"))?;
        let Some(holding) = act.rows.holding(act.organisation, leaf)? else { return Ok(()) };
        if holding.state != HoldingState::Live {
            return Ok(());
        }
        let Some(facts) = facts(act.rows, act.organisation, &holding)? else { return Ok(()) };
        let deadline = self.core.ports.retention.resolve(&facts)?;
        match deadline.decided().filter(|_| deadline.is_due(act.now)) {
            Some(ruling) => condemn(act, &holding, ruling.rule(), ActorRole::Service),
            None => Ok(()),
        }
    }
}

fn item_id(leaf: LeafIndex) -> Result<ItemId, Error> {
    Ok(ItemId::parse(&leaf.get().to_string())?)
}

/// What the policy is told of a holding; `None` for evidence of a consent under which a template is still held: no
/// period ends it before that.
fn facts(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    holding: &Holding,
) -> Result<Option<Facts>, Error> {
    if holding.class == DataClass::ConsentEvidence && holds_template(rows, organisation, holding.subject)? {
        return Ok(None);
    }
    let role = holding.scope.map_or(Role::EndUser, Scope::role);
    let modality = holding.scope.and_then(Scope::modality);
    let since = match holding.class {
        DataClass::ConsentEvidence => ended(rows, organisation, holding)?,
        _ => holding.created_at,
    };
    let facts = Facts::new(holding.class, modality, role)?.created(since);
    Ok(Some(match rows.last_interaction(organisation, holding.subject)? {
        Some(at) => facts.acted(PersonalAct::Verified, at),
        None => facts,
    }))
}

/// When consent evidence begins to age: at the person's newest act of consent, so that it outlives a long consent.
fn ended(
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
