//! The encoding of requests, version 1.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vouchsafe_types::{DataClass, Jurisdiction, Timestamp};

use super::clock::Run;
use super::request::Detail;
use super::{
    ExtensionReason, IdentityProof, Inventory, KeepReason, Place, RefusalGround, RequestEvent, RequestId,
    RequestKind, RightsError, RightsRequest, Step, Task, TaskStatus,
};
use crate::{RecipientId, Reference};

const VERSION: u32 = 1;
/// The longest encoding, in bytes.
const MAX_LEN: usize = 2 << 20;
/// More clocks than packs have places and kinds for.
const MAX_RUNS: usize = 64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestV1 {
    version: u32,
    id: String,
    kind: String,
    places: Vec<String>,
    received_at: String,
    clocks: Vec<RunV1>,
    steps: Vec<StepV1>,
    tasks: Vec<TaskV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunV1 {
    clock: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    confirm_by: Option<String>,
    answer_by: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    extended_by: Option<String>,
    pauses: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepV1 {
    event: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    proof: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    checked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ground: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskV1 {
    class: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    recipient: Option<String>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    hold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ground: Option<String>,
}

impl RightsRequest {
    /// The one encoding of the request: JSON in UTF-8 without white space, `version` 1 first; names as [`RequestKind`],
    /// [`RequestEvent`] and the others give them, instants in RFC 3339 and UTC, places and tasks sorted. A request is
    /// what its steps made of it, so the status is not written.
    ///
    /// # Errors
    /// [`RightsError::Malformed`] when the encoder fails, which it has no reason to.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RightsError> {
        serde_json::to_vec(&self.to_wire()).map_err(|_| RightsError::Malformed)
    }

    /// Reads a request back by taking its steps once more.
    ///
    /// # Errors
    /// [`RightsError::Malformed`] for anything but the one encoding of a request of this version that could have come
    /// about; [`RightsError::Limit`] for more than 2 MiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, RightsError> {
        if bytes.len() > MAX_LEN {
            return Err(RightsError::Limit);
        }
        let wire: RequestV1 = serde_json::from_slice(bytes).map_err(|_| RightsError::Malformed)?;
        let request = Self::from_wire(&wire).ok_or(RightsError::Malformed)?;
        let canonical = wire.version == VERSION && request.to_bytes()? == bytes;
        if canonical { Ok(request) } else { Err(RightsError::Malformed) }
    }

    fn to_wire(&self) -> RequestV1 {
        RequestV1 {
            version: VERSION,
            id: self.id.to_string(),
            kind: self.kind.name().to_owned(),
            places: self.places.iter().map(|place| place.name().to_owned()).collect(),
            received_at: self.received_at.to_string(),
            clocks: self.runs.iter().map(RunV1::of).collect(),
            steps: self.steps.iter().map(StepV1::of).collect(),
            tasks: self.tasks.iter().map(|(pair, task)| TaskV1::of(pair, task)).collect(),
        }
    }

    fn from_wire(wire: &RequestV1) -> Option<Self> {
        if wire.tasks.len() > Inventory::MAX_LEN || !(1..=MAX_RUNS).contains(&wire.clocks.len()) {
            return None;
        }
        let kind = RequestKind::parse(&wire.kind)?;
        let places = wire.places.iter().map(|name| Jurisdiction::parse(name).ok());
        let places: BTreeSet<_> = places.collect::<Option<_>>()?;
        let runs = wire.clocks.iter().map(RunV1::read).collect::<Option<_>>()?;
        let received_at = instant(&wire.received_at)?;
        let mut request = Self::received(RequestId::parse(&wire.id)?, kind, places, received_at, runs);
        for step in &wire.steps {
            let (event, at, detail) = step.read()?;
            request.apply(event, at, detail).ok()?;
        }
        let tasks = wire.tasks.iter().map(TaskV1::read).collect::<Option<BTreeMap<_, _>>>()?;
        tasks.iter().all(|(pair, task)| request.could_hold(pair, task)).then_some(())?;
        request.tasks = tasks;
        Some(request)
    }

    /// Whether a task fits the kind and the steps.
    fn could_hold(&self, (class, _): &(DataClass, Place), task: &Task) -> bool {
        let Some(started) = self.instant_of(RequestEvent::Start) else { return false };
        let in_time =
            task.at.is_none_or(|at| at >= started && self.closed_at().is_none_or(|closed| at <= closed));
        let settled = task.at.is_some() == (task.status != TaskStatus::Pending);
        let answered = self.instant_of(RequestEvent::Answer).is_none() || settled && task.at.is_some();
        let ground = match task.status {
            TaskStatus::Refused(ground) => {
                ground.applies_to(self.kind) && ground != RefusalGround::IdentityNotVerified
            }
            _ => true,
        };
        self.kind.concerns(*class) && in_time && settled && answered && ground
    }
}

impl RunV1 {
    fn of(run: &Run) -> Self {
        Self {
            clock: run.clock.to_string(),
            confirm_by: run.confirm_by.map(|at| at.to_string()),
            answer_by: run.answer_by.to_string(),
            extended_by: run.extended_by.map(|at| at.to_string()),
            pauses: run.pauses,
        }
    }

    fn read(&self) -> Option<Run> {
        Some(Run {
            clock: Reference::parse(&self.clock)?,
            confirm_by: optional(self.confirm_by.as_deref(), instant)?,
            answer_by: instant(&self.answer_by)?,
            extended_by: optional(self.extended_by.as_deref(), instant)?,
            pauses: self.pauses,
        })
    }
}

impl StepV1 {
    fn of(step: &Step) -> Self {
        Self {
            event: step.event.name().to_owned(),
            at: step.at.to_string(),
            proof: step.proof().map(|proof| proof.name().to_owned()),
            checked_by: step.proof().and_then(IdentityProof::checked_by).map(Reference::to_string),
            reason: step.reason().map(|reason| reason.name().to_owned()),
            ground: step.ground().map(|ground| ground.name().to_owned()),
        }
    }

    fn read(&self) -> Option<(RequestEvent, Timestamp, Detail)> {
        let event = RequestEvent::parse(&self.event)?;
        let checked_by = optional(self.checked_by.as_deref(), Reference::parse)?;
        let detail = match (event, self.proof.as_deref(), self.reason.as_deref(), self.ground.as_deref()) {
            (RequestEvent::Verify, Some(proof), None, None) => {
                Detail::Identity(IdentityProof::read(proof, checked_by)?)
            }
            (RequestEvent::Extend, None, Some(reason), None) => {
                Detail::Extension(ExtensionReason::parse(reason)?)
            }
            (RequestEvent::Refuse, None, None, Some(ground)) => {
                Detail::Refusal(RefusalGround::parse(ground)?)
            }
            (RequestEvent::Extend | RequestEvent::Refuse | RequestEvent::Verify, ..) => return None,
            (_, None, None, None) => Detail::Nothing,
            _ => return None,
        };
        Some((event, instant(&self.at)?, detail))
    }
}

impl TaskV1 {
    fn of((class, place): &(DataClass, Place), task: &Task) -> Self {
        let (mut entry, mut hold, mut rule, mut because) = (None, None, None, None);
        match task.status() {
            TaskStatus::Done { entry: number } => entry = Some(*number),
            TaskStatus::KeptBecause(KeepReason::Hold(id)) => hold = Some(id.to_string()),
            TaskStatus::KeptBecause(KeepReason::Rule(id)) => rule = Some(id.to_string()),
            TaskStatus::NotHeld | TaskStatus::Pending => {}
            TaskStatus::Refused(ground) => because = Some(ground.name().to_owned()),
        }
        Self {
            class: class.name().to_owned(),
            place: place.name().to_owned(),
            recipient: place.recipient().map(RecipientId::to_string),
            status: task.status().name().to_owned(),
            at: task.at().map(|at| at.to_string()),
            entry,
            hold,
            rule,
            ground: because,
        }
    }

    fn read(&self) -> Option<((DataClass, Place), Task)> {
        let place = Place::read(&self.place, optional(self.recipient.as_deref(), RecipientId::parse)?)?;
        let carried = (self.entry, self.hold.as_deref(), self.rule.as_deref(), self.ground.as_deref());
        let status = match (self.status.as_str(), carried) {
            ("done", (Some(entry), None, None, None)) => TaskStatus::Done { entry },
            ("kept", (None, Some(hold), None, None)) => {
                TaskStatus::KeptBecause(KeepReason::Hold(Reference::parse(hold)?))
            }
            ("kept", (None, None, Some(rule), None)) => {
                TaskStatus::KeptBecause(KeepReason::Rule(Reference::parse(rule)?))
            }
            ("not_held", (None, None, None, None)) => TaskStatus::NotHeld,
            ("pending", (None, None, None, None)) => TaskStatus::Pending,
            ("refused", (None, None, None, Some(ground))) => {
                TaskStatus::Refused(RefusalGround::parse(ground)?)
            }
            _ => return None,
        };
        let class = DataClass::parse(&self.class).ok()?;
        Some(((class, place), Task { status, at: optional(self.at.as_deref(), instant)? }))
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Absent is fine, unreadable is not.
fn optional<T>(text: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => read(text).map(Some),
    }
}
