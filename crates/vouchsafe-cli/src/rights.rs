//! Requests by right, from their arrival to their answer.

use std::io::Write;

use clap::{Args, Subcommand};
use vouchsafe::Subject;
use vouchsafe::ledger::ActorRole;
use vouchsafe::retention::rights::{
    ExtensionReason, RefusalGround, RequestId, RequestKind, RightsError, RightsRequest, Urgency,
};
use vouchsafe::{Error, Timestamp};

use crate::folder::Place;
use crate::{CliError, words};

pub(crate) mod export;
pub(crate) mod identity;
pub(crate) mod show;
pub(crate) mod task;

/// How many requests about which something is due are listed at once.
const MOST: u32 = 1000;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Take a request that arrived; its clocks run from now
    Request(Request),
    /// List the requests of a person that the register still holds
    List(List),
    /// Show a request: where it stands, by when it has to be answered, what became of each class in each place
    Show(One),
    /// Record that the person was asked to prove who they are: clocks that allow it stand still
    #[command(visible_alias = "pause")]
    AskIdentity(Step),
    /// Record how the asker was shown to be the person: clocks go on
    #[command(visible_alias = "resume")]
    Verify(identity::Verify),
    /// Record that the person was told that the request arrived
    Confirm(Step),
    /// Take more time, once, and tell the person why
    Extend(Extend),
    /// Begin the work: a task for every class and place that the request concerns; refused for an unverified person
    Start(Step),
    /// Carry it out as far as this service can
    CarryOut(Step),
    /// Record what became of one task that somebody carried out by hand, a correction for example
    Task(task::Settle),
    /// Hand the person the copy of their data, encrypted to them or in the session
    Export(export::Export),
    /// Answer it; refused while anything is without an answer
    Answer(Step),
    /// Refuse it, on a ground that the law accepts
    Refuse(Refuse),
    /// Close it: the person took it back, or was not heard of
    Abandon(Step),
    /// List what is due about any request; 1 when something is overdue
    Due(Due),
}

#[derive(Args)]
pub(crate) struct Request {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
    /// What is asked: correct, delete, export, know, object, opt_out_of_sale, restrict, withdraw
    #[arg(value_parser = words::request_kind)]
    kind: RequestKind,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
}

#[derive(Args)]
pub(crate) struct Due {
    #[command(flatten)]
    place: Place,
}

/// One request of one person.
#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
    /// The request's id
    #[arg(value_parser = words::request_id)]
    id: RequestId,
}

#[derive(Args)]
pub(crate) struct Step {
    #[command(flatten)]
    one: One,
    /// In which role
    #[arg(long = "as", value_name = "ROLE", default_value = "administrator", value_parser = words::actor)]
    role: ActorRole,
}

#[derive(Args)]
pub(crate) struct Extend {
    #[command(flatten)]
    step: Step,
    /// Why: complexity, number_of_requests
    #[arg(long, value_parser = words::reason)]
    reason: ExtensionReason,
}

#[derive(Args)]
pub(crate) struct Refuse {
    #[command(flatten)]
    step: Step,
    /// Why: identity_not_verified, manifestly_unfounded, excessive, legal_duty, legal_hold, rights_of_others
    #[arg(long, value_parser = words::ground)]
    ground: RefusalGround,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Request(request) => request.run(out),
            Self::List(list) => list.run(out),
            Self::Show(one) => one.with(out, |person, id| person.rights_request(id)),
            Self::AskIdentity(step) => step.advance(out, RightsRequest::ask_identity),
            Self::Verify(verify) => verify.run(out),
            Self::Confirm(step) => step.advance(out, RightsRequest::confirm),
            Self::Extend(extend) => extend.step.advance(out, |request, at| request.extend(extend.reason, at)),
            Self::Start(step) => step.one.with(out, |person, id| person.start_request(id, step.role)),
            Self::CarryOut(step) => step.one.with(out, |person, id| person.carry_out_request(id, step.role)),
            Self::Task(settle) => settle.run(out),
            Self::Export(export) => export.run(out),
            Self::Answer(step) => step.one.with(out, |person, id| person.answer_request(id, step.role)),
            Self::Refuse(refuse) => refuse.step.advance(out, |request, at| request.refuse(refuse.ground, at)),
            Self::Abandon(step) => step.advance(out, RightsRequest::abandon),
            Self::Due(due) => due.run(out),
        }
    }
}

impl Request {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open_in_force()?;
        let organisation = opened.organisation()?;
        Ok(writeln!(out, "{}", organisation.subject(&self.subject)?.request(self.kind)?)?)
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open_in_force()?;
        let requests = opened.organisation()?.subject(&self.subject)?.rights_requests()?;
        for request in &requests {
            let by = request.deadlines(opened.now()).answer_by();
            let (id, kind, status) = (request.id(), request.kind(), request.status());
            writeln!(out, "{id}  {kind}, {status}, received {}, answer by {by}", request.received_at())?;
        }
        Ok(writeln!(out, "requests={}", requests.len())?)
    }
}

impl One {
    /// Does something with the request, and shows how it stands then.
    fn with(
        &self,
        out: &mut dyn Write,
        act: impl FnOnce(&Subject<'_>, RequestId) -> Result<RightsRequest, Error>,
    ) -> Result<(), CliError> {
        let opened = self.place.open_in_force()?;
        let request = act(&opened.organisation()?.subject(&self.subject)?, self.id)?;
        show::show(out, &request, opened.now())
    }
}

impl Step {
    fn advance(
        &self,
        out: &mut dyn Write,
        step: impl FnOnce(&mut RightsRequest, Timestamp) -> Result<(), RightsError>,
    ) -> Result<(), CliError> {
        self.one.with(out, |person, id| person.advance_request(id, self.role, step))
    }
}

impl Due {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open_in_force()?;
        let requests = opened.organisation()?.due_requests(MOST)?;
        let mut overdue = 0;
        for request in &requests {
            for action in request.due_actions(opened.now()) {
                overdue += usize::from(action.urgency() == Urgency::Overdue);
                let (what, urgency) = (action.kind().name(), action.urgency().name());
                let (id, kind) = (request.id(), request.kind());
                writeln!(out, "{id}  {kind}: {what} by {}, {urgency}", action.due())?;
            }
        }
        writeln!(out, "due={}", requests.len())?;
        if overdue > 0 { Err(CliError::LateRequests(overdue)) } else { Ok(()) }
    }
}
