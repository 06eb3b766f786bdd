//! Requests of a person by right: taken, moved on, carried out over everything that is held, answered.
//!
//! The request itself is the state machine of the policy crate; here it is sealed like a document, logged, and carried
//! out. It is invisible to whatever compares, judges or admits: nothing there takes it as an input.

use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::rights::{
    Inventory, KeepReason, Place, RequestEvent, RequestId, RequestKind, RequestStatus, RightsError,
    RightsRequest, TaskStatus,
};
use vouchsafe_retention::{PersonalAct, Reference, Rule};
use vouchsafe_store::{Holding, HoldingState};
use vouchsafe_types::{DataClass, RecordId, Timestamp};

use crate::act::Act;
use crate::cause::Cause;
use crate::payload::Payload;
use crate::rights_export::is_answered_by_export;
use crate::sealed::{Beside, Kind, Opened};
use crate::{Error, Organisation, Subject};

const CLASSES: [DataClass; 1] = [DataClass::RightsRequest];

impl Subject<'_> {
    /// Takes a request of the person. Its clocks run from now, by the laws of the places where the person lives; all of
    /// them while none is stated.
    ///
    /// # Errors
    /// [`Error::Rights`] when the policy has no clock for it.
    pub fn request(&self, kind: RequestKind) -> Result<RequestId, Error> {
        self.act(&CLASSES, |act| {
            self.make_known(act)?;
            self.acted(act, PersonalAct::RightExercised)?;
            let record = act.record_id()?;
            let id = RequestId::from_bytes(*record.as_bytes());
            let places = act.life(self.pseudonym)?.places().to_vec();
            let request = RightsRequest::open(&act.core.ports.retention, id, kind, places, act.now)?;
            let entry = self.log_request(act, EntryKind::RightsRequested, &request, ActorRole::Person)?;
            let leaf = act.daily_holding(DataClass::RightsRequest, self.pseudonym)?;
            let plain = request.to_bytes()?;
            let beside = beside(&request, act.now);
            act.put_document((record, leaf, DataClass::RightsRequest), Kind::Request, entry, &plain, beside)?;
            act.review(self.pseudonym)?;
            Ok(id)
        })
    }

    /// A request of the person, as it stands.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`] when the person made no such request, or it left the register.
    pub fn rights_request(&self, id: RequestId) -> Result<RightsRequest, Error> {
        self.act(&[], |act| Ok(self.opened(act, id)?.1))
    }

    /// Every request of the person that the register still holds, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn rights_requests(&self) -> Result<Vec<RightsRequest>, Error> {
        self.act(&[], |act| {
            let rows = act.documents(self.pseudonym, Kind::Request)?;
            let requests = rows.iter().map(|row| RightsRequest::parse(&row.plain));
            let mut requests = requests.collect::<Result<Vec<_>, _>>()?;
            requests.sort_by_key(RightsRequest::received_at);
            Ok(requests)
        })
    }

    /// Moves a request on by one step of its state machine; one transaction with the entry that says so.
    ///
    /// # Errors
    /// [`Error::Rights`] for a step that its state or the law does not allow: nothing is changed.
    pub fn advance_request(
        &self,
        id: RequestId,
        by: ActorRole,
        step: impl FnOnce(&mut RightsRequest, Timestamp) -> Result<(), RightsError>,
    ) -> Result<RightsRequest, Error> {
        self.act(&CLASSES, |act| {
            let (row, mut request) = self.opened(act, id)?;
            step(&mut request, act.now)?;
            self.keep(act, &row, &request, by)?;
            Ok(request)
        })
    }

    /// Begins the work on a verified request: a task for every class and place of the inventory that it concerns.
    ///
    /// # Errors
    /// [`Error::Rights`] before the person is verified.
    pub fn start_request(&self, id: RequestId, by: ActorRole) -> Result<RightsRequest, Error> {
        let inventory = self.organisation.rights_inventory()?;
        self.advance_request(id, by, |request, now| request.start(&inventory, now))
    }

    /// Carries a request out as far as this service can: what asks for deletion deletes, what asks for a restriction
    /// restricts, and every task that can be answered from what is held gets its answer. A recipient's task stays open
    /// until it acknowledges, a correction's until somebody corrected, one to know or to export until the copy is made
    /// ([`Self::export`]).
    ///
    /// # Errors
    /// [`Error::Rights`] unless work is going on.
    pub fn carry_out_request(&self, id: RequestId, by: ActorRole) -> Result<RightsRequest, Error> {
        let request = self.rights_request(id)?;
        request.require_work()?;
        match request.kind() {
            RequestKind::Delete => {
                let since = request.instant_of(RequestEvent::Start);
                drop(self.erase_as(by, DestructionReason::DeletionRequest, since)?);
            }
            RequestKind::Restrict => self.restrict(by)?,
            RequestKind::Object => self.object()?,
            RequestKind::Withdraw => drop(self.withdraw_all()?),
            _ => {}
        }
        self.act(&CLASSES, |act| {
            let (row, mut request) = self.opened(act, id)?;
            let open: Vec<_> = request
                .tasks()
                .filter(|(_, _, task)| {
                    !matches!(task.status(), TaskStatus::Done { .. } | TaskStatus::NotHeld)
                })
                .map(|(class, place, _)| (class, place.clone()))
                .collect();
            for (class, place) in open {
                if let Some(status) = self.answer_of(act, &request, class, &place, row.row.entry)? {
                    request.answer_task(class, &place, status, act.now)?;
                }
            }
            self.keep(act, &row, &request, by)?;
            Ok(request)
        })
    }

    /// Answers a request whose every task has an answer.
    ///
    /// # Errors
    /// [`Error::Rights`] with the gaps by name.
    pub fn answer_request(&self, id: RequestId, by: ActorRole) -> Result<RightsRequest, Error> {
        let inventory = self.organisation.rights_inventory()?;
        self.advance_request(id, by, |request, now| request.answer(&inventory, now))
    }

    /// What became of one class in one place, from the rows; `None` while that is not known.
    fn answer_of(
        &self,
        act: &mut Act<'_>,
        request: &RightsRequest,
        class: DataClass,
        place: &Place,
        entry: u64,
    ) -> Result<Option<TaskStatus>, Error> {
        let (kind, received_at) = (request.kind(), request.received_at());
        if is_answered_by_export(kind) {
            return Ok(None);
        }
        let holdings = act.rows.holdings_of(act.organisation, self.pseudonym)?;
        let of_class = || holdings.iter().filter(|holding| holding.class == class);
        let live = of_class().find(|holding| holding.state == HoldingState::Live);
        if matches!(place, Place::Recipient(_)) {
            if kind == RequestKind::Correct && live.is_some() {
                // What went to others is corrected there by whoever tells them (GDPR Art 19).
                return Ok(None);
            }
            return Ok(
                (crate::orders::open_orders(act, self.pseudonym, class)? == 0).then_some(TaskStatus::NotHeld)
            );
        }
        let destroyed = of_class().filter_map(|holding| match holding.state {
            HoldingState::Destroyed { entry, .. } => Some(entry),
            _ => None,
        });
        let done = Some(TaskStatus::Done { entry });
        Ok(match (kind, live) {
            (RequestKind::Correct, Some(_)) => {
                let corrected = self.corrected(act, class, received_at, &holdings)?;
                corrected.map(|entry| TaskStatus::Done { entry })
            }
            (RequestKind::Delete, Some(holding)) => {
                let life = act.life(self.pseudonym)?;
                let decision = act.decide(&life, holding)?;
                let held = decision.held().first().map(|hold| Reference::parse(hold.matter()));
                let ruled = decision.deadline().decided().map(|ruling| Reference::parse(ruling.rule()));
                let policy = &act.core.ports.retention;
                let ruled = match ruled {
                    // The register keeps an open request; its period begins when it is closed.
                    None if decision.is_frozen() => {
                        let of_class = |rule: &&Rule| rule.class() == class && rule.is_enabled();
                        policy.rules().iter().find(of_class).map(|rule| Reference::parse(rule.id()))
                    }
                    ruled => ruled,
                };
                match (held.flatten(), ruled.flatten()) {
                    (Some(hold), _) => Some(TaskStatus::KeptBecause(KeepReason::Hold(hold))),
                    (None, Some(rule)) => Some(TaskStatus::KeptBecause(KeepReason::Rule(rule))),
                    (None, None) => None,
                }
            }
            (RequestKind::Delete, None) => match destroyed.max() {
                Some(entry) => Some(TaskStatus::Done { entry }),
                None if of_class().next().is_some() => None,
                None => Some(TaskStatus::NotHeld),
            },
            (_, Some(_)) => done,
            (_, None) => Some(TaskStatus::NotHeld),
        })
    }

    /// The entry of the newest correction of a class since an instant: a fact that was given anew, or a template that
    /// was enrolled anew after the old one was destroyed.
    fn corrected(
        &self,
        act: &mut Act<'_>,
        class: DataClass,
        since: Timestamp,
        holdings: &[Holding],
    ) -> Result<Option<u64>, Error> {
        if class == DataClass::Biometric {
            let corrected = DestructionReason::Correction.name();
            let replaced = |holding: &&Holding| match &holding.state {
                HoldingState::Destroyed { cause, at, .. } => {
                    *at >= since && Cause::parse(cause).reason == corrected
                }
                _ => false,
            };
            let gone: Vec<_> = holdings.iter().filter(replaced).map(|holding| holding.scope).collect();
            let anew = holdings.iter().filter(|holding| {
                let live = holding.class == class && holding.state == HoldingState::Live;
                live && holding.created_at >= since && gone.contains(&holding.scope)
            });
            return Ok(anew.filter_map(|holding| holding.created_entry).max());
        }
        let mut newest = None;
        for opened in act.documents(self.pseudonym, Kind::Fact)? {
            let fact = crate::facts::fact(&opened)?;
            if fact.field.class() == class && fact.at >= since {
                newest = newest.max(Some(fact.entry));
            }
        }
        Ok(newest)
    }

    pub(crate) fn opened(&self, act: &mut Act<'_>, id: RequestId) -> Result<(Opened, RightsRequest), Error> {
        let id = RecordId::from_bytes(*id.as_bytes());
        let row = act.document(self.pseudonym, Kind::Request, id)?.ok_or(Error::UnknownRecord)?;
        let request = RightsRequest::parse(&row.plain)?;
        Ok((row, request))
    }

    fn keep(
        &self,
        act: &mut Act<'_>,
        old: &Opened,
        request: &RightsRequest,
        by: ActorRole,
    ) -> Result<(), Error> {
        let kind = match request.status() {
            RequestStatus::Answered => EntryKind::RightsAnswered,
            RequestStatus::Refused => EntryKind::RightsRefused,
            _ => EntryKind::RightsProgressed,
        };
        let entry = self.log_request(act, kind, request, by)?;
        self.keep_as(act, old, request, entry)
    }

    /// Keeps a request as it now stands, under the entry that says so.
    pub(crate) fn keep_as(
        &self,
        act: &mut Act<'_>,
        old: &Opened,
        request: &RightsRequest,
        entry: u64,
    ) -> Result<(), Error> {
        let plain = request.to_bytes()?;
        let beside = beside(request, act.now);
        act.replace_document(&old.row, DataClass::RightsRequest, Kind::Request, entry, &plain, beside)?;
        if request.status().is_closed() { act.review(self.pseudonym) } else { Ok(()) }
    }

    pub(crate) fn request_payload(act: &Act<'_>, request: &RightsRequest, by: ActorRole) -> Payload {
        Payload::by(by, act.now)
            .id(RecordId::from_bytes(*request.id().as_bytes()))
            .due(Some(request.deadlines(act.now).answer_by()))
            .word("request", request.kind().name())
            .word("status", request.status().name())
    }

    fn log_request(
        &self,
        act: &mut Act<'_>,
        kind: EntryKind,
        request: &RightsRequest,
        by: ActorRole,
    ) -> Result<u64, Error> {
        let payload = Self::request_payload(act, request, by);
        Ok(act.record(kind, DataClass::RightsRequest, self.pseudonym, &payload)?.entry)
    }
}

impl Organisation<'_> {
    /// Which class of data lies where: what every request is carried out over.
    ///
    /// # Errors
    /// [`Error::Rights`] never for the classes of this version.
    pub fn rights_inventory(&self) -> Result<Inventory, Error> {
        let store = DataClass::ALL.map(|class| (class, Place::Store));
        let log = [
            DataClass::ConsentEvidence,
            DataClass::VerificationLog,
            DataClass::AuditLog,
            DataClass::DestructionEvidence,
        ];
        let recipients = self.core.ports.retention.recipients().iter().flat_map(|recipient| {
            recipient.classes().iter().map(|class| (*class, Place::Recipient(recipient.id().clone())))
        });
        let log = log.map(|class| (class, Place::Log));
        let keys = [(DataClass::Biometric, Place::Keys)];
        Ok(Inventory::new(store.into_iter().chain(log).chain(keys).chain(recipients))?)
    }

    /// The requests about which something is due: who asked is known only to whoever opens them.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn due_requests(&self, limit: u32) -> Result<Vec<RightsRequest>, Error> {
        self.core.act(&self.id, &[], |act| {
            let rows = act.rows.documents_due(act.organisation, Kind::Request.code(), act.now, limit)?;
            let mut requests = Vec::new();
            for row in rows {
                requests.push(RightsRequest::parse(&act.open_row(row)?.plain)?);
            }
            Ok(requests)
        })
    }
}

fn beside(request: &RightsRequest, now: Timestamp) -> Beside {
    Beside { field: None, next_at: request.next_at(now), closed_at: request.closed_at() }
}
