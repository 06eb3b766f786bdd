use std::fmt::Write as _;

use jiff::SignedDuration;
use vouchsafe_types::Timestamp;

use crate::{Deadline, Facts, Hold, Policy, RetentionError};

impl Policy {
    /// Decides what has to happen to a record now, and why: its deadline, and the holds on it.
    ///
    /// `holds` are those that cover the person; the ones for another class or not in force are passed over.
    ///
    /// # Errors
    /// As [`Policy::resolve`].
    pub fn decide(&self, facts: &Facts, holds: &[Hold], now: Timestamp) -> Result<Decision, RetentionError> {
        let deadline = self.resolve(facts)?;
        let (mut held, mut not_honoured) = (Vec::new(), Vec::new());
        for hold in holds.iter().filter(|hold| hold.covers(facts.class()) && hold.in_force(now)) {
            let bars = self.honours().iter().filter(|row| row.covers(facts));
            match bars.into_iter().find(|row| !row.authorities().contains(&hold.authority())) {
                None => held.push(hold.clone()),
                Some(row) => not_honoured.push(NotHonoured {
                    hold: hold.clone(),
                    rule: row.id().to_owned(),
                    clause: row.clause().to_owned(),
                    honoured: row.authorities().iter().map(|authority| authority.words()).collect(),
                }),
            }
        }
        Ok(Decision { deadline, held, not_honoured, frozen: facts.is_frozen(), now })
    }
}

/// What has to happen to a record at one instant, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    deadline: Deadline,
    held: Vec<Hold>,
    not_honoured: Vec<NotHonoured>,
    frozen: bool,
    now: Timestamp,
}

/// What has to happen to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an executor has to handle each")]
pub enum Verdict {
    /// It has to be destroyed now.
    Due,
    /// It would have to be destroyed now, and is held back.
    Held {
        /// The earliest end of a hold; `None` while a hold or an open request has none.
        until: Option<Timestamp>,
    },
    /// It has to be destroyed at this instant.
    Later(Timestamp),
    /// Nothing has happened that starts a ceiling.
    Open,
}

impl Decision {
    /// When the record has to be destroyed, holds aside.
    pub const fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The instant it was decided for.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The holds in force that are honoured.
    pub fn held(&self) -> &[Hold] {
        &self.held
    }

    /// The holds in force that are not, and why.
    pub fn not_honoured(&self) -> &[NotHonoured] {
        &self.not_honoured
    }

    /// Whether an open rights request rests on the record.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// What has to happen.
    pub fn verdict(&self) -> Verdict {
        match self.deadline.due() {
            None => Verdict::Open,
            Some(due) if due > self.now => Verdict::Later(due),
            Some(_) if self.is_held() => Verdict::Held { until: self.until() },
            Some(_) => Verdict::Due,
        }
    }

    /// When to decide again at the latest, if nothing happens before; `None` when only an event changes anything.
    ///
    /// A hold that is placed or released, and a request that is answered, are events: decide again at once.
    pub fn review_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.verdict() {
            Verdict::Due => Some(now),
            Verdict::Held { until } => {
                Some(until.unwrap_or_else(|| now.checked_add(DAY).unwrap_or(Timestamp::MAX)))
            }
            Verdict::Later(due) => Some(due),
            Verdict::Open => None,
        }
    }

    /// One paragraph: the date, the rule that decided, the rules that lost, the holds, the calendar.
    pub fn explanation(&self) -> String {
        let mut text = self.deadline.grounds();
        for hold in &self.held {
            let _ = write!(text, " {} holds it back, {}", describe(hold), until(hold));
        }
        for refused in &self.not_honoured {
            let NotHonoured { hold, rule, clause, honoured } = refused;
            let honoured = honoured.join(" or ");
            let _ = write!(
                text,
                " {} is not honoured: {rule} ({clause}) lets only {honoured} hold such data back.",
                describe(hold)
            );
        }
        if self.frozen {
            text.push_str(" It is evidence of an open rights request, which holds it back.");
        }
        self.deadline.add_calendar(&mut text);
        text
    }

    fn is_held(&self) -> bool {
        self.frozen || !self.held.is_empty()
    }

    /// The first end, where every reason has one: looking again only then is not too late.
    fn until(&self) -> Option<Timestamp> {
        let ends: Option<Vec<_>> = self.held.iter().map(Hold::ends).collect();
        ends.filter(|_| !self.frozen)?.into_iter().min()
    }
}

fn describe(hold: &Hold) -> String {
    format!("Hold {} of matter {} by {}", hold.id(), hold.matter(), hold.authority().words())
}

fn until(hold: &Hold) -> String {
    hold.ends().map_or_else(|| "without a stated end.".to_owned(), |end| format!("until {end}."))
}

/// A hold in force that the law does not let hold the record back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHonoured {
    hold: Hold,
    rule: String,
    clause: String,
    honoured: Vec<&'static str>,
}

impl NotHonoured {
    /// The hold.
    pub const fn hold(&self) -> &Hold {
        &self.hold
    }

    /// The id of the row that says which authorities are honoured.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The sections it cites.
    pub fn clause(&self) -> &str {
        &self.clause
    }
}

/// How soon a hold without an end is looked at again.
const DAY: SignedDuration = SignedDuration::from_hours(24);
