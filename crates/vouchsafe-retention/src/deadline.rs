use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::Arc;

use vouchsafe_types::Timestamp;

use crate::{Facts, Force, Period, Policy, RetentionError, Rule, RuleKind, Trigger};

impl Policy {
    /// Decides when a record has to be destroyed, and why.
    ///
    /// Each ceiling waits for the latest floor of the same or a higher [`Force`]; the earliest of these instants
    /// counts. Rules whose trigger has not happened take no part.
    ///
    /// # Errors
    /// [`RetentionError::Gap`] when a rule that covers the record states no period, or no ceiling covers it;
    /// [`RetentionError::Calendar`] when a period ends beyond the year 9999.
    pub fn resolve(&self, facts: &Facts) -> Result<Deadline, RetentionError> {
        let covering: Vec<&Rule> = self.rules().iter().filter(|rule| rule.covers(facts)).collect();
        let gap = |rule| RetentionError::Gap { class: facts.class(), rule };
        if let Some(unstated) = covering.iter().find(|rule| rule.period.is_none()) {
            return Err(gap(Some(unstated.id.to_string())));
        }
        if !covering.iter().any(|rule| rule.kind == RuleKind::Ceiling) {
            return Err(gap(None));
        }
        let mut rulings = Vec::new();
        for rule in covering {
            rulings.extend(self.rule_on(rule, facts)?);
        }
        Ok(Deadline::decide(rulings, self.zone_label()))
    }

    /// What one rule demands; `None` while its trigger has not happened.
    fn rule_on(&self, rule: &Rule, facts: &Facts) -> Result<Option<Ruling>, RetentionError> {
        let (Some(since), Some(period)) = (facts.instant_of(rule.trigger), rule.period) else {
            return Ok(None);
        };
        let beyond = || RetentionError::Calendar { rule: rule.id.to_string() };
        let at = period.after(since, self.zone()).ok_or_else(beyond)?;
        Ok(Some(Ruling {
            rule: rule.id.clone(),
            clause: rule.clause.clone(),
            force: rule.force,
            kind: rule.kind,
            trigger: rule.trigger,
            specificity: rule.specificity(),
            period,
            since,
            at,
        }))
    }
}

/// When a record has to be destroyed, and which rules say so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Deadline {
    due: Option<Timestamp>,
    not_before: Option<Timestamp>,
    decided: Option<Ruling>,
    lost: Vec<Ruling>,
    zone: Arc<str>,
}

impl Deadline {
    fn decide(rulings: Vec<Ruling>, zone: Arc<str>) -> Self {
        let (mut ceilings, mut floors): (Vec<_>, Vec<_>) =
            rulings.into_iter().partition(|ruling| ruling.kind == RuleKind::Ceiling);
        ceilings.sort_by(|a, b| (a.at, a.standing()).cmp(&(b.at, b.standing())));
        floors.sort_by(|a, b| (Reverse(a.at), a.standing()).cmp(&(Reverse(b.at), b.standing())));
        let floor_of = |ceiling: &Ruling| floors.iter().find(|floor| floor.binds(ceiling));
        // Each ceiling, or the floor it waits for: the earliest of them decides.
        let first = ceilings.iter().map(|ceiling| {
            let floor = floor_of(ceiling);
            let waits = floor.filter(|floor| floor.at > ceiling.at);
            (waits.unwrap_or(ceiling), floor.map(|floor| floor.at))
        });
        let first = first.min_by(|(a, _), (b, _)| (a.at, a.standing()).cmp(&(b.at, b.standing())));
        let (decided, not_before) = match first {
            Some((ruling, not_before)) => (Some(ruling.clone()), not_before),
            None => (None, floors.first().map(|floor| floor.at)),
        };
        let postponed = decided.as_ref().is_some_and(|ruling| ruling.kind == RuleKind::Floor);
        let (mut lost, mut others) = if postponed { (floors, ceilings) } else { (ceilings, floors) };
        lost.append(&mut others);
        lost.retain(|ruling| decided.as_ref().is_none_or(|decided| decided.rule != ruling.rule));
        Self { due: decided.as_ref().map(|ruling| ruling.at), not_before, decided, lost, zone }
    }

    /// The instant by which the record has to be destroyed; `None` while no ceiling's trigger has happened.
    pub const fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The instant before which it must not be destroyed, from the latest floor.
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// The rule that decided: the earliest ceiling, or the floor that postponed it.
    pub const fn decided(&self) -> Option<&Ruling> {
        self.decided.as_ref()
    }

    /// The rules that took part and lost, those of the winner's kind first; the outer bound of WB 3 is among them.
    pub fn lost(&self) -> &[Ruling] {
        &self.lost
    }

    /// One paragraph: the date, the rule that decided, the rules that lost, the calendar.
    pub fn explanation(&self) -> String {
        let mut text = self.grounds();
        self.add_calendar(&mut text);
        text
    }

    pub(crate) fn grounds(&self) -> String {
        let mut text = match &self.decided {
            Some(ruling) => format!("Destruction is due at {}: {ruling}.", ruling.at),
            None => "No destruction is due: nothing has happened that starts a ceiling.".to_owned(),
        };
        if let Some(not_before) = self.not_before {
            let _ = write!(text, " It must not be destroyed before {not_before}.");
        }
        for (i, ruling) in self.lost.iter().enumerate() {
            let opening = if i == 0 { " Also considered: " } else { "; " };
            let _ = write!(text, "{opening}{ruling}, {}", ruling.at);
        }
        if !self.lost.is_empty() {
            text.push('.');
        }
        text
    }

    pub(crate) fn add_calendar(&self, text: &mut String) {
        let _ = write!(text, " Calendar: {}.", self.zone);
    }
}

/// What one rule demands of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    rule: Arc<str>,
    clause: Arc<str>,
    force: Force,
    kind: RuleKind,
    trigger: Trigger,
    specificity: u8,
    period: Period,
    since: Timestamp,
    at: Timestamp,
}

impl Ruling {
    /// The rule's id.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The sections it cites.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What binds the author of the rule.
    pub const fn force(&self) -> Force {
        self.force
    }

    /// Ceiling or floor.
    pub const fn kind(&self) -> RuleKind {
        self.kind
    }

    /// What started the period.
    pub const fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// When it started.
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// When it ends.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The period between.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Whether this floor may postpone the ceiling.
    const fn binds(&self, ceiling: &Self) -> bool {
        self.force.rank() >= ceiling.force.rank()
    }

    /// Among rulings of one instant: the more specific, then the stronger, then the one that sorts first.
    fn standing(&self) -> (Reverse<u8>, Reverse<u8>, &str) {
        (Reverse(self.specificity), Reverse(self.force.rank()), &self.rule)
    }
}

impl std::fmt::Display for Ruling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rule, clause, kind, trigger, period, since, .. } = self;
        let when = if period.is_at_once() { "when".to_owned() } else { format!("{period} after") };
        write!(f, "{rule} ({clause}) sets a {} of {when} {} ({since})", kind.name(), trigger.words())
    }
}
