use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_types::{DataClass, Jurisdiction, Role, Timestamp};

use super::clock::Run;
use super::{
    Completeness, ExtensionReason, IdentityProof, Inventory, Place, RefusalGround, RequestEvent, RequestId,
    RequestKind, RequestStatus, RightsError, Task, TaskStatus, next,
};
use crate::{Facts, Policy};

/// One request of one person, from its receipt to its answer.
///
/// It moves by [`TRANSITIONS`](super::TRANSITIONS) alone; what is refused with an error changes nothing. It holds no
/// personal data and no free text: whose it is, the caller knows. Its clocks are those of the policy and of the places
/// that were known when it arrived. See [`Self::to_bytes`] for its encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct RightsRequest {
    pub(super) id: RequestId,
    pub(super) kind: RequestKind,
    pub(super) places: BTreeSet<Jurisdiction>,
    pub(super) received_at: Timestamp,
    pub(super) runs: Vec<Run>,
    pub(super) status: RequestStatus,
    pub(super) steps: Vec<Step>,
    pub(super) tasks: BTreeMap<(DataClass, Place), Task>,
}

/// One event of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(super) event: RequestEvent,
    pub(super) at: Timestamp,
    pub(super) detail: Detail,
}

impl Step {
    /// What happened.
    pub const fn event(&self) -> RequestEvent {
        self.event
    }

    /// When.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// How identity was proved, of [`RequestEvent::Verify`].
    pub const fn proof(&self) -> Option<&IdentityProof> {
        match &self.detail {
            Detail::Identity(proof) => Some(proof),
            _ => None,
        }
    }

    /// Why it was refused, of [`RequestEvent::Refuse`].
    pub const fn ground(&self) -> Option<RefusalGround> {
        match self.detail {
            Detail::Refusal(ground) => Some(ground),
            _ => None,
        }
    }

    /// Why more time was taken, of [`RequestEvent::Extend`].
    pub const fn reason(&self) -> Option<ExtensionReason> {
        match self.detail {
            Detail::Extension(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What an event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Detail {
    Extension(ExtensionReason),
    Identity(IdentityProof),
    Nothing,
    Refusal(RefusalGround),
}

impl RightsRequest {
    /// A request that arrived.
    ///
    /// # Errors
    /// [`RightsError::NoClock`] when the policy has no clock for it, [`RightsError::Calendar`] beyond the calendar.
    pub fn open(
        policy: &Policy,
        id: RequestId,
        kind: RequestKind,
        places: impl IntoIterator<Item = Jurisdiction>,
        received_at: Timestamp,
    ) -> Result<Self, RightsError> {
        let places: BTreeSet<_> = places.into_iter().collect();
        let runs = policy.runs_for(kind, &places, received_at)?;
        Ok(Self::received(id, kind, places, received_at, runs))
    }

    pub(super) fn received(
        id: RequestId,
        kind: RequestKind,
        places: BTreeSet<Jurisdiction>,
        received_at: Timestamp,
        runs: Vec<Run>,
    ) -> Self {
        let (status, steps, tasks) = (RequestStatus::Received, Vec::new(), BTreeMap::new());
        Self { id, kind, places, received_at, runs, status, steps, tasks }
    }

    /// The person is asked to prove who they are; clocks that allow it stand still until they do.
    ///
    /// # Errors
    /// [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn ask_identity(&mut self, at: Timestamp) -> Result<(), RightsError> {
        self.apply(RequestEvent::AskIdentity, at, Detail::Nothing)
    }

    /// The asker is shown to be the person.
    ///
    /// # Errors
    /// [`RightsError::ProofTooWeak`], [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn verify(&mut self, proof: IdentityProof, at: Timestamp) -> Result<(), RightsError> {
        self.apply(RequestEvent::Verify, at, Detail::Identity(proof))
    }

    /// The person is told that the request arrived and how it goes on; possible before they are verified too.
    ///
    /// # Errors
    /// [`RightsError::AlreadyConfirmed`], [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn confirm(&mut self, at: Timestamp) -> Result<(), RightsError> {
        self.apply(RequestEvent::Confirm, at, Detail::Nothing)
    }

    /// Work begins: a task for every pair of the inventory that the kind of request concerns.
    ///
    /// # Errors
    /// [`RightsError::NotVerified`] before the person is verified; otherwise [`RightsError::Illegal`],
    /// [`RightsError::ClockSetBack`].
    pub fn start(&mut self, inventory: &Inventory, at: Timestamp) -> Result<(), RightsError> {
        self.require_verified()?;
        self.apply(RequestEvent::Start, at, Detail::Nothing)?;
        self.take_in(inventory);
        Ok(())
    }

    /// Adds tasks for pairs that the inventory got since work began.
    ///
    /// # Errors
    /// [`RightsError::NotVerified`], [`RightsError::Illegal`] unless work is going on.
    pub fn widen(&mut self, inventory: &Inventory) -> Result<(), RightsError> {
        self.require_work()?;
        self.take_in(inventory);
        Ok(())
    }

    /// Records what became of one task. An answer is final, but for data that was kept: the reason may end.
    ///
    /// # Errors
    /// [`RightsError::UnknownTask`], [`RightsError::TaskFinal`], [`RightsError::Ground`] for a ground that is none,
    /// [`RightsError::ClockSetBack`], [`RightsError::NotVerified`], [`RightsError::Illegal`] unless work is going on.
    pub fn answer_task(
        &mut self,
        class: DataClass,
        place: &Place,
        status: TaskStatus,
        at: Timestamp,
    ) -> Result<(), RightsError> {
        self.require_work()?;
        if at < self.newest() {
            return Err(RightsError::ClockSetBack);
        }
        if let TaskStatus::Refused(ground) = status {
            self.check_ground(ground)?;
        }
        let task = self.tasks.get_mut(&(class, place.clone())).ok_or(RightsError::UnknownTask)?;
        let open = matches!(task.status, TaskStatus::KeptBecause(_) | TaskStatus::Pending);
        if !open || status == TaskStatus::Pending {
            return Err(RightsError::TaskFinal);
        }
        *task = Task { status, at: Some(at) };
        Ok(())
    }

    /// More time is taken, once, and the person is told why.
    ///
    /// # Errors
    /// [`RightsError::NoExtension`] where an applying clock allows none, [`RightsError::ExtensionLate`] once the first
    /// period has ended; otherwise [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn extend(&mut self, reason: ExtensionReason, at: Timestamp) -> Result<(), RightsError> {
        self.apply(RequestEvent::Extend, at, Detail::Extension(reason))
    }

    /// The request is answered; every pair of the inventory as it is now has to have its answer.
    ///
    /// # Errors
    /// [`RightsError::Incomplete`] with the gaps by name; otherwise [`RightsError::NotVerified`],
    /// [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn answer(&mut self, inventory: &Inventory, at: Timestamp) -> Result<(), RightsError> {
        self.require_work_for(RequestEvent::Answer)?;
        let gaps = self.completeness(inventory).gaps;
        if !gaps.is_empty() {
            return Err(RightsError::Incomplete(gaps));
        }
        self.apply(RequestEvent::Answer, at, Detail::Nothing)
    }

    /// The request is refused.
    ///
    /// # Errors
    /// [`RightsError::Ground`] for a ground that is none against this kind; [`RightsError::NotVerified`] for one that
    /// would tell a stranger what is held; otherwise [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn refuse(&mut self, ground: RefusalGround, at: Timestamp) -> Result<(), RightsError> {
        self.apply(RequestEvent::Refuse, at, Detail::Refusal(ground))
    }

    /// The person takes the request back, or is not heard of.
    ///
    /// # Errors
    /// [`RightsError::Illegal`], [`RightsError::ClockSetBack`].
    pub fn abandon(&mut self, at: Timestamp) -> Result<(), RightsError> {
        self.apply(RequestEvent::Abandon, at, Detail::Nothing)
    }

    /// Its id.
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// What is asked.
    pub const fn kind(&self) -> RequestKind {
        self.kind
    }

    /// Where the person was known to live.
    pub const fn places(&self) -> &BTreeSet<Jurisdiction> {
        &self.places
    }

    /// When it arrived.
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Where it stands.
    pub const fn status(&self) -> RequestStatus {
        self.status
    }

    /// What happened, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Every task with its class and place, sorted.
    pub fn tasks(&self) -> impl Iterator<Item = (DataClass, &Place, &Task)> {
        self.tasks.iter().map(|((class, place), task)| (*class, place, task))
    }

    /// When an event happened; `None` when it has not.
    pub fn instant_of(&self, event: RequestEvent) -> Option<Timestamp> {
        self.steps.iter().find(|step| step.event == event).map(Step::at)
    }

    /// Whether the asker was shown to be the person.
    pub fn is_verified(&self) -> bool {
        self.instant_of(RequestEvent::Verify).is_some()
    }

    /// When it was closed; `None` while it is open.
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.steps.last().filter(|_| self.status.is_closed()).map(Step::at)
    }

    /// Whether its evidence must stay as it is: as long as it is open.
    pub const fn freezes_evidence(&self) -> bool {
        !self.status.is_closed()
    }

    /// The facts by which the policy decides how long the register keeps it: made on receipt, its purpose met when it
    /// was closed.
    ///
    /// # Errors
    /// [`RightsError::Malformed`] never in practice.
    pub fn facts(&self, role: Role) -> Result<Facts, RightsError> {
        let facts = Facts::new(DataClass::RightsRequest, None, role).map_err(|_| RightsError::Malformed)?;
        let facts = facts.created(self.received_at);
        Ok(match self.closed_at() {
            Some(at) => facts.purpose_met(at),
            None => facts,
        })
    }

    /// Which pairs of the inventory have an answer; a pair that the request has no task for is a gap.
    pub fn completeness(&self, inventory: &Inventory) -> Completeness {
        let concerned = inventory.pairs().filter(|(class, _)| self.kind.concerns(*class));
        let answered = |pair: &&(DataClass, Place)| {
            self.tasks.get(pair).is_some_and(|task| task.status != TaskStatus::Pending)
        };
        let (with, without): (Vec<_>, Vec<_>) = concerned.partition(answered);
        let mut gaps: Vec<_> = without.into_iter().cloned().collect();
        let pending = |(_, task): &(&(DataClass, Place), &Task)| task.status == TaskStatus::Pending;
        gaps.extend(self.tasks.iter().filter(pending).map(|(pair, _)| pair.clone()));
        gaps.sort();
        gaps.dedup();
        Completeness { answered: with.len(), gaps }
    }

    /// Whether data may be handed out or changed under it now.
    ///
    /// # Errors
    /// [`RightsError::NotVerified`], [`RightsError::Illegal`] unless work is going on.
    pub fn require_work(&self) -> Result<(), RightsError> {
        self.require_work_for(RequestEvent::Answer)
    }

    fn require_work_for(&self, event: RequestEvent) -> Result<(), RightsError> {
        self.require_verified()?;
        match self.status {
            RequestStatus::Extended | RequestStatus::InProgress => Ok(()),
            from => Err(RightsError::Illegal { from, event }),
        }
    }

    fn require_verified(&self) -> Result<(), RightsError> {
        if self.is_verified() || self.status.is_closed() { Ok(()) } else { Err(RightsError::NotVerified) }
    }

    fn take_in(&mut self, inventory: &Inventory) {
        for pair in inventory.pairs().filter(|(class, _)| self.kind.concerns(*class)) {
            self.tasks.entry(pair.clone()).or_insert(Task::PENDING);
        }
    }

    /// The newest instant of any step.
    fn newest(&self) -> Timestamp {
        self.steps.last().map_or(self.received_at, Step::at)
    }

    /// The one way a request moves; checks come first, so that an error changes nothing.
    pub(super) fn apply(
        &mut self,
        event: RequestEvent,
        at: Timestamp,
        detail: Detail,
    ) -> Result<(), RightsError> {
        let to = next(self.status, event).ok_or(RightsError::Illegal { from: self.status, event })?;
        let newest_task = self.tasks.values().filter_map(Task::at).max();
        if at < self.newest() || newest_task.is_some_and(|newest| at < newest) {
            return Err(RightsError::ClockSetBack);
        }
        match &detail {
            Detail::Identity(proof) if !self.kind.accepts(proof) => {
                return Err(RightsError::ProofTooWeak { kind: self.kind, proof: proof.clone() });
            }
            Detail::Refusal(ground) => self.check_ground(*ground)?,
            Detail::Extension(_) => self.check_extension(at)?,
            Detail::Identity(_) | Detail::Nothing => {}
        }
        if event == RequestEvent::Confirm && self.instant_of(event).is_some() {
            return Err(RightsError::AlreadyConfirmed);
        }
        self.status = to;
        self.steps.push(Step { event, at, detail });
        Ok(())
    }

    fn check_ground(&self, ground: RefusalGround) -> Result<(), RightsError> {
        let settled = ground == RefusalGround::IdentityNotVerified && self.is_verified();
        if settled || !ground.applies_to(self.kind) {
            return Err(RightsError::Ground { kind: self.kind, ground });
        }
        if !self.is_verified() && !ground.is_before_identity() {
            return Err(RightsError::NotVerified);
        }
        Ok(())
    }

    fn check_extension(&self, at: Timestamp) -> Result<(), RightsError> {
        let deadlines = self.deadlines(at);
        match deadlines.extended_by() {
            Some(extended) if extended > deadlines.answer_by() => {}
            _ => return Err(RightsError::NoExtension),
        }
        if at < deadlines.answer_by() { Ok(()) } else { Err(RightsError::ExtensionLate) }
    }
}
