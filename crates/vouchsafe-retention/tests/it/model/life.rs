//! One life: what happens, when it becomes known, under which policies, and when somebody looks.

use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use super::calendar::{Day, Moment, end, next};
use super::draft::{Draft, Rules};
use super::naive::{Fate, Known, Matter, fate, is_ripe};

const FIRST: Day = (2020, 1, 1);
const LAST: Day = (2042, 12, 31);

#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// The offset of the policy's zone, in hours.
    pub(crate) east: i8,
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) role: Role,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) cases: Vec<Case>,
    pub(crate) requests: Vec<(Moment, Option<Moment>)>,
    /// From when on each decides; the first does from the beginning.
    pub(crate) policies: Vec<(Moment, Draft)>,
    pub(crate) clock: Clock,
}

#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) what: What,
    pub(crate) at: Moment,
    /// When the executor hears of it.
    pub(crate) known: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Moved(Jurisdiction),
    Trigger(&'static str),
}

/// A hold; where it is foretold, its beginning and release are known before they come.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) authority: &'static str,
    pub(crate) class: Option<DataClass>,
    pub(crate) placed: Moment,
    pub(crate) expires: Option<Moment>,
    pub(crate) released: Option<Moment>,
    pub(crate) is_foretold: bool,
}

/// The executor's clock: once a day, but for days on which it leaps ahead, or shows the same instant twice.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) second: u32,
    pub(crate) leaps: Vec<(Day, u32)>,
}

/// The destruction, and the rule that decided.
pub(crate) type Destruction = Option<(Moment, String)>;

impl Case {
    pub(crate) fn is_known(&self, now: Moment) -> bool {
        self.is_foretold || self.placed <= now
    }

    pub(crate) fn release_known(&self, now: Moment) -> Option<Moment> {
        self.released.filter(|released| self.is_foretold || *released <= now)
    }
}

impl Life {
    /// Every look, in order.
    pub(crate) fn looks(&self) -> impl Iterator<Item = Moment> {
        let second = self.clock.second;
        let leap = |today: Day| self.clock.leaps.iter().find(|(day, _)| *day == today).map(|(_, leap)| *leap);
        let days = std::iter::successors(Some(FIRST), move |today| match leap(*today) {
            Some(leap @ 1..) => Some(end((*today, 0), (0, 0, leap)).0),
            _ => Some(next(*today)),
        });
        let days = days.take_while(|today| *today <= LAST);
        days.flat_map(move |today| {
            std::iter::repeat_n((today, second), 1 + usize::from(leap(today) == Some(0)))
        })
    }

    /// Before anything happens.
    pub(crate) const BEGINNING: Moment = (FIRST, 0);

    pub(crate) fn policy_at(&self, now: Moment) -> usize {
        let begun = |(i, (from, _)): &(usize, &(Moment, Draft))| *i == 0 || *from <= now;
        self.policies
            .iter()
            .enumerate()
            .filter(begun)
            .max_by_key(|(i, (from, _))| (*i > 0, *from, *i))
            .unwrap()
            .0
    }

    pub(crate) fn known_at(&self, now: Moment) -> Known {
        let mut known = Known {
            class: self.class,
            modality: self.modality,
            role: self.role,
            places: Vec::new(),
            happened: Vec::new(),
            frozen: self.is_frozen(now),
        };
        for happening in self.happenings.iter().filter(|happening| happening.known <= now) {
            match happening.what {
                What::Moved(place) => known.places.push(place),
                What::Trigger(trigger) => known.note(trigger, happening.at),
            }
        }
        known
    }

    pub(crate) fn is_frozen(&self, now: Moment) -> bool {
        self.requests.iter().any(|(from, until)| *from <= now && until.is_none_or(|until| now < until))
    }

    pub(crate) fn matters_at(&self, now: Moment) -> Vec<Matter> {
        let known = self.cases.iter().enumerate().filter(|(_, case)| case.is_known(now));
        let matter = |(i, case): (usize, &Case)| Matter {
            name: format!("case-{i}"),
            authority: case.authority,
            class: case.class,
            placed: case.placed,
            ends: [case.expires, case.release_known(now)].into_iter().flatten().collect(),
        };
        known.map(matter).collect()
    }

    /// Every moment at which the record's state may change.
    fn changes(&self) -> Vec<Moment> {
        let mut changes: Vec<_> = self.happenings.iter().map(|happening| happening.known).collect();
        changes.extend(self.policies.iter().map(|(from, _)| *from));
        changes.extend(self.requests.iter().flat_map(|(from, until)| [Some(*from), *until]).flatten());
        for case in &self.cases {
            changes.extend([Some(case.placed), case.expires, case.released].into_iter().flatten());
        }
        changes.sort_unstable();
        changes
    }

    /// Walks through the life look by look.
    pub(crate) fn walk(&self, rules: &[Rules]) -> Destruction {
        let changes = self.changes();
        let mut done = usize::MAX;
        let (mut known, mut matters, mut periods) = (self.known_at(Self::BEGINNING), Vec::new(), None);
        let mut rule = &rules[0];
        for now in self.looks() {
            let upto = changes.partition_point(|change| *change <= now);
            if upto != done {
                done = upto;
                rule = &rules[self.policy_at(now)];
                (known, matters) = (self.known_at(now), self.matters_at(now));
                periods = known.periods(&rule.clauses);
            }
            let ripe = periods.as_ref().is_some_and(|periods| is_ripe(periods, now));
            if ripe && !known.frozen && known.held(&rule.honours, &matters, now).0.is_empty() {
                let Fate::Due(_, id) = fate(periods.as_deref()) else { return None };
                return Some((now, id));
            }
        }
        None
    }
}
