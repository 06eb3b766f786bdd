use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use vouchsafe::Timestamp;

use super::deed::{Step, Word};

/// Where a person's consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the model matches every state on purpose")]
pub enum Status {
    /// They never acted.
    Never,
    /// Given or renewed.
    Open,
    /// Withdrawn.
    Ended,
}

/// Where a person's newest template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the model matches every state on purpose")]
pub enum Template {
    /// Nothing was ever enrolled.
    Absent,
    /// It opens, for this variant of the face.
    Live(u64),
    /// It is refused; it is being destroyed, or is destroyed.
    Fenced,
    /// It is destroyed.
    Gone,
}

/// How many entries of the log there must be about a person, of the kinds that are kept for years.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "the drill compares every part on purpose")]
pub struct Leaves {
    /// Notices shown.
    pub served: u32,
    /// Consents given.
    pub given: u32,
    /// Consents renewed.
    pub renewed: u32,
    /// Consents withdrawn.
    pub withdrawn: u32,
    /// Templates enrolled.
    pub enrolled: u32,
    /// Restrictions.
    pub marked: u32,
    /// Restrictions lifted.
    pub unmarked: u32,
}

/// One person as they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "the drill compares every part on purpose")]
pub struct Person {
    /// Where consent stands.
    pub status: Status,
    /// The number of the newest act of consent.
    pub sequence: u64,
    /// Whether processing is restricted.
    pub restricted: bool,
    /// The newest template.
    pub template: Template,
    /// When they last acted.
    pub acted: Timestamp,
    /// Whether a sweep is under way that has not met them for certain.
    pub awaits_sweep: bool,
    /// Their entries.
    pub leaves: Leaves,
}

impl Person {
    /// Somebody who never acted.
    pub fn stranger() -> Self {
        Self {
            status: Status::Never,
            sequence: 0,
            restricted: false,
            template: Template::Absent,
            acted: Timestamp::MIN,
            awaits_sweep: false,
            leaves: Leaves::default(),
        }
    }

    /// Whether the gate makes a permit.
    pub fn is_open(&self) -> bool {
        self.status == Status::Open && !self.restricted
    }

    /// Until when the template is kept: a year after the last act, of all the rules the strictest where nobody says where
    /// people live.
    pub fn due(&self) -> Option<Timestamp> {
        let year = self.acted.to_zoned_datetime(TimeZone::UTC).checked_add(1.year()).ok()?;
        matches!(self.template, Template::Live(_)).then(|| year.timestamp())
    }

    /// As a sweep that is under way leaves them, if it has something to do.
    pub fn swept(&self, now: Timestamp) -> Option<Self> {
        let due = self.awaits_sweep && self.due().is_some_and(|due| due <= now);
        due.then_some(Self { template: Template::Fenced, awaits_sweep: false, ..*self })
    }

    /// After a call that answered this, with what the client's earlier calls saw; `None` if it cannot have answered it.
    ///
    /// `seen` is the number of the line at the client's showing or permit.
    pub fn after(&self, step: Step, word: &Word, seen: u64, now: Timestamp) -> Option<(Self, u64)> {
        let holds = self.is_open() && self.sequence == seen;
        let after = match (step, word) {
            (Step::Serve, Word::Served) => return Some((self.served(now), self.sequence)),
            (Step::Give, Word::Given) if self.status != Status::Open => self.consented(now),
            (Step::Give, Word::Renewed) if self.status == Status::Open => self.consented(now),
            (Step::Give, Word::Stale) if self.status == Status::Ended && self.sequence != seen => *self,
            (Step::Give, Word::Late) if self.sequence != seen => *self,
            (Step::Permit, Word::Permitted(sequence)) if self.is_open() && *sequence == self.sequence => {
                return Some((*self, self.sequence));
            }
            (Step::Permit, Word::Closed) if !self.is_open() => *self,
            (Step::Enrol(_) | Step::Verify(_), Word::Closed) if !holds => *self,
            (Step::Enrol(variant), word) if holds => self.enrolled(variant, word, now)?,
            (Step::Verify(variant), word) if holds => self.verified(variant, word, now)?,
            (Step::Withdraw, Word::Done | Word::Pending) if self.status == Status::Open => self.withdrawn(),
            (Step::Withdraw, Word::Nothing) if self.status != Status::Open => *self,
            (Step::Erase, Word::Done | Word::Pending) if self.status == Status::Open => self.withdrawn(),
            (Step::Erase, Word::Done | Word::Pending) => *self,
            (Step::Restrict, Word::Marked) => {
                let marked = self.leaves.marked + 1;
                Self { restricted: true, leaves: Leaves { marked, ..self.leaves }, ..*self }
            }
            (Step::Lift, Word::Lifted) => {
                let unmarked = self.leaves.unmarked + u32::from(self.restricted);
                Self { restricted: false, leaves: Leaves { unmarked, ..self.leaves }, ..*self }
            }
            _ => return None,
        };
        Some((after, seen))
    }

    /// After a call of which nobody knows what it answered, if it took place.
    pub fn after_any(&self, step: Step, seen: u64, now: Timestamp) -> Vec<(Self, u64)> {
        let words: &[Word] = match step {
            Step::Serve => &[Word::Served],
            Step::Give => &[Word::Given, Word::Renewed],
            Step::Permit => return vec![(*self, self.sequence)],
            Step::Enrol(_) => &[Word::Enrolled],
            Step::Verify(_) => &[Word::Accepted],
            Step::Withdraw | Step::Erase => &[Word::Pending],
            Step::Restrict => &[Word::Marked],
            Step::Lift => &[Word::Lifted],
        };
        let after = words.iter().filter_map(|word| self.after(step, word, seen, now));
        after.chain([(*self, seen)]).collect()
    }

    fn served(&self, now: Timestamp) -> Self {
        // Being shown something is no act of one's own; it only makes a stranger known.
        let known = self.acted != Timestamp::MIN;
        let leaves = Leaves { served: self.leaves.served + 1, ..self.leaves };
        Self { acted: if known { self.acted } else { now }, leaves, ..*self }
    }

    fn consented(&self, now: Timestamp) -> Self {
        let Leaves { given, renewed, .. } = self.leaves;
        let leaves = match self.status {
            Status::Open => Leaves { renewed: renewed + 1, ..self.leaves },
            _ => Leaves { given: given + 1, ..self.leaves },
        };
        Self { status: Status::Open, sequence: self.sequence + 1, acted: now, leaves, ..*self }
    }

    fn enrolled(&self, variant: u64, word: &Word, now: Timestamp) -> Option<Self> {
        match (self.template, word) {
            (Template::Live(_), Word::Taken) | (Template::Fenced, Word::Gone) => Some(*self),
            (Template::Absent | Template::Fenced | Template::Gone, Word::Enrolled) => {
                let leaves = Leaves { enrolled: self.leaves.enrolled + 1, ..self.leaves };
                Some(Self { template: Template::Live(variant), acted: now, leaves, ..*self })
            }
            _ => None,
        }
    }

    fn verified(&self, variant: u64, word: &Word, now: Timestamp) -> Option<Self> {
        match (self.template, word) {
            (Template::Live(own), Word::Accepted) if own == variant => Some(Self { acted: now, ..*self }),
            (Template::Live(own), Word::Unlike) if own != variant => Some(*self),
            (Template::Absent, Word::Absent) | (Template::Fenced | Template::Gone, Word::Gone) => Some(*self),
            _ => None,
        }
    }

    fn withdrawn(&self) -> Self {
        let leaves = Leaves { withdrawn: self.leaves.withdrawn + 1, ..self.leaves };
        let template = match self.template {
            Template::Live(_) => Template::Fenced,
            template => template,
        };
        Self { status: Status::Ended, sequence: self.sequence + 1, template, leaves, ..*self }
    }
}
