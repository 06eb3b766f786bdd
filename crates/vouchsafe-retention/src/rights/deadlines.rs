use jiff::{SignedDuration, Timestamp};

use super::clock::Run;
use super::{RequestEvent, RequestStatus, RightsRequest};
use crate::Reference;

/// By when a request has to be confirmed and answered, the strictest of its clocks deciding each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Deadlines {
    confirm_by: Option<Timestamp>,
    answer_by: Timestamp,
    extended_by: Option<Timestamp>,
    decided_by: Option<Reference>,
    paused: bool,
}

impl Deadlines {
    /// The instant by which receipt has to be confirmed; `None` where no clock asks for it.
    pub const fn confirm_by(&self) -> Option<Timestamp> {
        self.confirm_by
    }

    /// The instant by which it has to be answered; with the extension once that was taken.
    pub const fn answer_by(&self) -> Timestamp {
        self.answer_by
    }

    /// The instant that an extension would give, or gave; `None` where a clock allows none.
    pub const fn extended_by(&self) -> Option<Timestamp> {
        self.extended_by
    }

    /// The clock that decides [`Self::answer_by`].
    pub const fn decided_by(&self) -> Option<&Reference> {
        self.decided_by.as_ref()
    }

    /// Whether every clock stands still, waiting for the person.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }
}

/// Something to do for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Action {
    kind: ActionKind,
    urgency: Urgency,
    due: Timestamp,
}

impl Action {
    /// What is to be done.
    pub const fn kind(self) -> ActionKind {
        self.kind
    }

    /// How urgently.
    pub const fn urgency(self) -> Urgency {
        self.urgency
    }

    /// By when.
    pub const fn due(self) -> Timestamp {
        self.due
    }
}

/// What is to be done for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ActionKind {
    /// Answer it.
    Answer,
    /// Ask the person once more to prove who they are, or give the request up.
    AskAgain,
    /// Tell the person that it arrived.
    Confirm,
}

impl ActionKind {
    /// The stable name used in alarms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::AskAgain => "ask_again",
            Self::Confirm => "confirm",
        }
    }
}

/// How urgent an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Urgency {
    /// Seven days or less are left.
    Soon,
    /// Two days or less are left.
    Pressing,
    /// The instant is there or past: an alarm.
    Overdue,
}

impl Urgency {
    /// The stable name used in alarms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Pressing => "pressing",
            Self::Soon => "soon",
        }
    }
}

impl RightsRequest {
    /// The deadlines as they stand at `now`. While clocks stand still their deadlines move with `now`.
    pub fn deadlines(&self, now: Timestamp) -> Deadlines {
        let pause = self.pause(now);
        let paused = |run: &Run, at: Timestamp| if run.pauses { later(at, pause) } else { at };
        let confirm_by = self.runs.iter().filter_map(|run| run.confirm_by).min();
        let end = |run: &Run| paused(run, if self.is_extended() { extended(run) } else { run.answer_by });
        let decided = self.runs.iter().min_by_key(|run| (end(run), &run.clock));
        let extended_by = self.runs.iter().map(|run| paused(run, extended(run))).min();
        let answer_by = decided.map_or(Timestamp::MIN, end);
        let extendable = self.is_extended() || extended_by.is_some_and(|at| at > answer_by);
        Deadlines {
            confirm_by,
            answer_by,
            extended_by: extended_by.filter(|_| extendable),
            decided_by: decided.map(|run| run.clock.clone()),
            paused: self.is_paused(),
        }
    }

    /// What has to be done at `now`: reminders seven and two days ahead, alarms when late. Nothing for a closed request.
    pub fn due_actions(&self, now: Timestamp) -> Vec<Action> {
        let urgency = |due: Timestamp| match due.duration_since(now) {
            left if left <= SignedDuration::ZERO => Some(Urgency::Overdue),
            left if left <= PRESSING => Some(Urgency::Pressing),
            left if left <= SOON => Some(Urgency::Soon),
            _ => None,
        };
        let dues = self.dues(now).into_iter();
        let actions =
            dues.filter_map(|(kind, due)| urgency(due).map(|urgency| Action { kind, urgency, due }));
        actions.collect()
    }

    /// The next instant after `now` at which [`Self::due_actions`] says something else; the day after, while something
    /// is overdue. `None` for a closed request. An index that wakes at it misses no reminder.
    pub fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let marks = |due: Timestamp| {
            let late = (due <= now).then(|| later(now, DAY));
            [Some(earlier(due, SOON)), Some(earlier(due, PRESSING)), Some(due), late].into_iter().flatten()
        };
        self.dues(now).into_iter().flat_map(|(_, due)| marks(due)).filter(|at| *at > now).min()
    }

    /// What is still to be done, and by when.
    fn dues(&self, now: Timestamp) -> Vec<(ActionKind, Timestamp)> {
        if self.status.is_closed() {
            return Vec::new();
        }
        let deadlines = self.deadlines(now);
        let confirm = deadlines.confirm_by.filter(|_| self.instant_of(RequestEvent::Confirm).is_none());
        let mut dues: Vec<_> = confirm.map(|at| (ActionKind::Confirm, at)).into_iter().collect();
        if !deadlines.paused {
            dues.push((ActionKind::Answer, deadlines.answer_by));
        }
        if let Some(asked) = self.pending_since() {
            dues.push((ActionKind::AskAgain, later(asked, PATIENCE)));
        }
        dues
    }

    fn is_extended(&self) -> bool {
        self.instant_of(RequestEvent::Extend).is_some()
    }

    fn is_paused(&self) -> bool {
        self.pending_since().is_some() && self.runs.iter().all(|run| run.pauses)
    }

    fn pending_since(&self) -> Option<Timestamp> {
        let waits = self.status == RequestStatus::IdentityPending;
        self.instant_of(RequestEvent::AskIdentity).filter(|_| waits)
    }

    /// For how long the person was waited for, up to `now`.
    fn pause(&self, now: Timestamp) -> SignedDuration {
        let Some(asked) = self.instant_of(RequestEvent::AskIdentity) else { return SignedDuration::ZERO };
        let ended = [RequestEvent::Verify, RequestEvent::Refuse, RequestEvent::Abandon];
        let ended = ended.into_iter().filter_map(|event| self.instant_of(event)).min();
        ended.unwrap_or(now).duration_since(asked).max(SignedDuration::ZERO)
    }
}

fn extended(run: &Run) -> Timestamp {
    run.extended_by.unwrap_or(run.answer_by)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Seven days ahead.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Two days ahead.
const PRESSING: SignedDuration = SignedDuration::from_hours(2 * 24);
/// For how long the person's proof of identity is waited for before somebody looks.
const PATIENCE: SignedDuration = SignedDuration::from_hours(30 * 24);
