use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Span, ZonedDateTime};
use vouchsafe_types::{Jurisdiction, Timestamp};

use super::{RequestKind, RightsError};
use crate::reader::Reader;
use crate::{Confidence, Period, Policy, Problem, Reference, RetentionError};

/// A length of time in a clock: calendar or business days.
///
/// Business days are Monday to Friday. Holidays are not modelled: a deadline is then earlier than the law demands,
/// never later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interval {
    /// 1 to 366 business days.
    BusinessDays(u16),
    /// A calendar period.
    Calendar(Period),
}

impl Interval {
    /// Reads `10 business days` or a [`Period`]; `None` for anything else, no time at all among it.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(number) = text.strip_suffix(" business days") else {
            return Period::parse(text).filter(|period| !period.is_at_once()).map(Self::Calendar);
        };
        let plain = number.bytes().all(|b| b.is_ascii_digit());
        number.parse().ok().filter(|days| plain && (1..=366).contains(days)).map(Self::BusinessDays)
    }

    /// The instant this long after `start`, at the same time of day; `None` beyond the calendar's range.
    pub(crate) fn after(self, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Calendar(period) => period.after(start, zone),
            Self::BusinessDays(days) => business_days(start.to_zoned_datetime(zone.clone()), days),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BusinessDays(days) => write!(f, "{days} business days"),
            Self::Calendar(period) => period.fmt(f),
        }
    }
}

fn business_days(start: ZonedDateTime, days: u16) -> Option<Timestamp> {
    let mut left = days;
    let mut passed = 0;
    let mut day = start.clone();
    while left > 0 {
        passed += 1;
        // From the start each time, so that a time of day that a change of clocks moves comes back the day after.
        day = start.checked_add(Span::new().try_days(passed).ok()?).ok()?;
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    Some(day.timestamp())
}

/// By when requests have to be confirmed and answered under one law: a row of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    pub(super) id: Reference,
    pub(super) jurisdiction: Option<Jurisdiction>,
    pub(super) requests: BTreeSet<RequestKind>,
    pub(super) confirm: Option<Interval>,
    pub(super) answer: Interval,
    pub(super) extension: Option<Interval>,
    pub(super) pauses: bool,
    pub(super) clause: String,
    pub(super) says: String,
    pub(super) confidence: Confidence,
}

impl Clock {
    /// Its name, unique in a policy.
    pub const fn id(&self) -> &Reference {
        &self.id
    }

    /// The only place it is for; `None` for the places that no other clock is for.
    pub const fn jurisdiction(&self) -> Option<Jurisdiction> {
        self.jurisdiction
    }

    /// The kinds of request it is for.
    pub const fn requests(&self) -> &BTreeSet<RequestKind> {
        &self.requests
    }

    /// Within which time receipt is confirmed; `None` where the law asks for no confirmation.
    pub const fn confirm(&self) -> Option<Interval> {
        self.confirm
    }

    /// Within which time the request is answered.
    pub const fn answer(&self) -> Interval {
        self.answer
    }

    /// How much more time may be taken, once; `None` for none.
    pub const fn extension(&self) -> Option<Interval> {
        self.extension
    }

    /// Whether it stands still while the person is asked to prove who they are.
    pub const fn pauses(&self) -> bool {
        self.pauses
    }

    /// The sections of the source.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What they say, in our own words.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// Whether the source is confirmed; a clock whose source is not decides nothing.
    pub const fn confidence(&self) -> Confidence {
        self.confidence
    }

    fn is_for(&self, kind: RequestKind) -> bool {
        self.confidence == Confidence::Confirmed && self.requests.contains(&kind)
    }

    pub(crate) fn read(mut table: Reader) -> Result<Self, RetentionError> {
        let clock = Self {
            id: table.reference("id")?,
            jurisdiction: table.jurisdiction()?,
            requests: requests(&mut table)?,
            confirm: interval(&mut table, "confirm")?,
            answer: interval(&mut table, "answer")?.ok_or_else(|| table.fault(Problem::Period))?,
            extension: interval(&mut table, "extension")?,
            pauses: table.has("pause") && table.named("pause", &[("identity", true), ("none", false)])?,
            clause: table.take("clause")?,
            says: table.take("says")?,
            confidence: table.confidence()?,
        };
        table.finish()?;
        Ok(clock)
    }
}

fn requests(table: &mut Reader) -> Result<BTreeSet<RequestKind>, RetentionError> {
    let text = table.take("requests")?;
    if text == "all" {
        return Ok(RequestKind::ALL.into());
    }
    let kinds: Option<BTreeSet<_>> = text.split(", ").map(RequestKind::parse).collect();
    kinds.ok_or_else(|| table.fault(Problem::UnknownValue("requests")))
}

/// An interval; `None` where the field is absent, empty or `none`.
fn interval(table: &mut Reader, field: &'static str) -> Result<Option<Interval>, RetentionError> {
    if table.drop_if_empty(field) || !table.has(field) {
        return Ok(None);
    }
    let text = table.take(field)?;
    if text == "none" {
        return Ok(None);
    }
    Interval::parse(&text).map(Some).ok_or_else(|| table.fault(Problem::Period))
}

/// One clock as it runs for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) clock: Reference,
    pub(super) confirm_by: Option<Timestamp>,
    pub(super) answer_by: Timestamp,
    pub(super) extended_by: Option<Timestamp>,
    pub(super) pauses: bool,
}

impl Run {
    fn start(clock: &Clock, at: Timestamp, zone: &TimeZone) -> Result<Self, RightsError> {
        let beyond = || RightsError::Calendar(clock.id.to_string());
        let after = |interval: Interval, start: Timestamp| interval.after(start, zone).ok_or_else(beyond);
        let answer_by = after(clock.answer, at)?;
        Ok(Self {
            clock: clock.id.clone(),
            confirm_by: clock.confirm.map(|interval| after(interval, at)).transpose()?,
            answer_by,
            extended_by: clock.extension.map(|interval| after(interval, answer_by)).transpose()?,
            pauses: clock.pauses,
        })
    }
}

impl Policy {
    /// The clocks of the packs, in their order; those that decide nothing included.
    pub fn clocks(&self) -> &[Clock] {
        &self.tables().clocks
    }

    /// The clocks that run for a request of somebody who lives in `places`.
    ///
    /// A place is under every clock whose jurisdiction contains it, or else under the clocks without one. Where no place
    /// is stated, every clock runs: the strictest decides.
    ///
    /// # Errors
    /// [`RightsError::NoClock`] when a place, or nobody's place, is under no clock.
    pub fn clocks_for(
        &self,
        kind: RequestKind,
        places: &BTreeSet<Jurisdiction>,
    ) -> Result<Vec<&Clock>, RightsError> {
        let enabled = || self.clocks().iter().filter(|clock| clock.is_for(kind));
        if places.is_empty() {
            let all: Vec<_> = enabled().collect();
            return if all.is_empty() { Err(RightsError::NoClock { kind, place: None }) } else { Ok(all) };
        }
        let mut running: BTreeSet<&Reference> = BTreeSet::new();
        for &place in places {
            let own = |clock: &&Clock| clock.jurisdiction.is_some_and(|outer| outer.contains(place));
            let mut ids: Vec<_> = enabled().filter(own).map(Clock::id).collect();
            if ids.is_empty() {
                ids.extend(enabled().filter(|clock| clock.jurisdiction.is_none()).map(Clock::id));
            }
            if ids.is_empty() {
                return Err(RightsError::NoClock { kind, place: Some(place) });
            }
            running.extend(ids);
        }
        Ok(enabled().filter(|clock| running.contains(&clock.id)).collect())
    }

    pub(super) fn runs_for(
        &self,
        kind: RequestKind,
        places: &BTreeSet<Jurisdiction>,
        at: Timestamp,
    ) -> Result<Vec<Run>, RightsError> {
        self.clocks_for(kind, places)?.into_iter().map(|clock| Run::start(clock, at, self.zone())).collect()
    }
}
