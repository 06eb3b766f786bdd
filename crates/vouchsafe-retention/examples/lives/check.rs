//! Judges every destruction by the naive rules of the model test, read from the policy's public list of rules.

use std::collections::BTreeMap;

use vouchsafe_retention::{Rule, RuleKind, Trigger};
use vouchsafe_types::DataClass;

use crate::calendar::{Day, Moment, Span, next};
use crate::naive::{Clause, Fate, Honour, Known, Matter, fate, is_ripe};
use crate::people::{CLASSES, DAY, NEVER, Person, Second};
use crate::world::{Era, World, moment, runs};
use crate::{Failure, Result};

/// One person in so many is walked day by day after the end.
const SAMPLE: u32 = 999;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdicts {
    /// Not at the first sweep that could have destroyed it, or not at all.
    pub(crate) late: u64,
    /// Before a ceiling lets go, or before a floor that holds it.
    pub(crate) early: u64,
    /// While a valid hold was on it.
    pub(crate) held: u64,
    /// By another rule than the naive one.
    pub(crate) misattributed: u64,
    /// Holdings walked day by day, and those that were destroyed on another day.
    pub(crate) walked: u64,
    pub(crate) astray: u64,
}

/// What one era says, in the naive rules' words, by class.
struct Rules {
    from: Second,
    clauses: [Vec<Clause>; 4],
    honours: Vec<Honour>,
}

pub(crate) struct Checker<'a> {
    eras: Vec<Rules>,
    triggers: BTreeMap<&'a str, usize>,
    days: Vec<Day>,
    pub(crate) verdicts: Verdicts,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(eras: &'a [Era], first: Day) -> Result<Self> {
        let enabled = |era: &'a Era| era.policy.rules().iter().filter(|rule| rule.is_enabled());
        let of_class = |era, class| -> Result<Vec<Clause>> {
            enabled(era).filter(|rule| rule.class() == class).map(clause).collect()
        };
        let rules = |era: &'a Era| -> Result<Rules> {
            let [a, b, c, d] = CLASSES.map(|class| of_class(era, class));
            let honour = |row: &vouchsafe_retention::Honour| Honour {
                class: row.class(),
                place: row.jurisdiction(),
                authorities: row.authorities().iter().map(|authority| authority.name()).collect(),
            };
            let honours = era.policy.honours().iter().filter(|row| row.is_enabled()).map(honour).collect();
            Ok(Rules { from: era.from, clauses: [a?, b?, c?, d?], honours })
        };
        let place = |trigger| Trigger::ALL.iter().position(|known| *known == trigger).unwrap_or(0);
        Ok(Self {
            eras: eras.iter().map(rules).collect::<Result<_>>()?,
            triggers: eras.iter().flat_map(enabled).map(|rule| (rule.id(), place(rule.trigger()))).collect(),
            days: std::iter::successors(Some(first), |day| Some(next(*day))).take(60 * 366).collect(),
            verdicts: Verdicts::default(),
        })
    }

    /// The trigger of a rule, by its place in `Trigger::ALL`.
    pub(crate) fn trigger(&self, rule: &str) -> usize {
        self.triggers.get(rule).copied().unwrap_or(0)
    }

    /// Judges a destruction at `now`, after a sweep at `before`; the moment since which it could be destroyed.
    pub(crate) fn judge(
        &mut self,
        person: &Person,
        holding: usize,
        now: Second,
        before: Option<Second>,
        rule: &str,
    ) -> Option<Second> {
        let class = holding % CLASSES.len();
        let rules = self.era(now);
        let known = self.known(person, class, now);
        let periods = known.periods(&rules.clauses[class]);
        let (early, due, misattributed) = match (fate(periods.as_deref()), &periods) {
            (Fate::Due(due, decided), Some(periods)) => {
                (!is_ripe(periods, self.wall(now)), self.second(due), decided != rule)
            }
            _ => (true, NEVER, true),
        };
        let held = self.is_held(person, class, now);
        let late =
            before.is_some_and(|before| before >= person.enrolled && self.is_free(person, class, before));
        self.verdicts.misattributed += u64::from(misattributed);
        self.verdicts.early += u64::from(early);
        self.verdicts.held += u64::from(held);
        self.verdicts.late += u64::from(late);
        self.free_since(person, class, due, now)
    }

    /// Walks the sample, and looks for what should be gone at the end.
    pub(crate) fn finish(&mut self, world: &World<'_>, sweeps: usize) {
        let last = (0..sweeps).rev().find(|sweep| runs(*sweep)).unwrap_or(0);
        for (number, person) in world.people.iter().enumerate() {
            for class in 0..CLASSES.len() {
                let done = world.destroyed[number * CLASSES.len() + class] as usize;
                let remains = done >= sweeps && person.enrolled <= moment(last);
                self.verdicts.late += u64::from(remains && self.is_free(person, class, moment(last)));
                if person.number % SAMPLE == 0 {
                    let mut due =
                        (0..sweeps).filter(|sweep| runs(*sweep) && person.enrolled <= moment(*sweep));
                    let due = due.find(|sweep| self.is_free(person, class, moment(*sweep)));
                    self.verdicts.walked += 1;
                    self.verdicts.astray += u64::from(due != Some(done).filter(|done| *done < sweeps));
                }
            }
        }
    }

    /// Since when it could be destroyed, of the moments that could free it.
    fn free_since(&self, person: &Person, class: usize, due: Second, now: Second) -> Option<Second> {
        let mut moments = vec![due];
        moments.extend(person.cases.iter().map(|case| case.expires).chain(person.news()));
        moments.extend(self.eras.iter().map(|era| era.from));
        moments.retain(|at| *at >= due && *at <= now);
        moments.sort_unstable();
        moments.into_iter().rev().take_while(|at| self.is_free(person, class, *at)).last()
    }

    /// Whether it may and has to be destroyed, with what is known at a moment.
    fn is_free(&self, person: &Person, class: usize, now: Second) -> bool {
        let known = self.known(person, class, now);
        let periods = known.periods(&self.era(now).clauses[class]);
        periods.is_some_and(|periods| is_ripe(&periods, self.wall(now))) && !self.is_held(person, class, now)
    }

    fn is_held(&self, person: &Person, class: usize, now: Second) -> bool {
        if person.cases.is_empty() {
            return false;
        }
        let known = self.known(person, class, now);
        let matter = |case: &crate::people::Case| Matter {
            name: String::new(),
            authority: case.authority.name(),
            class: case.class,
            placed: self.wall(case.placed),
            ends: [case.expires, case.released]
                .into_iter()
                .filter(|at| *at <= now)
                .map(|at| self.wall(at))
                .collect(),
        };
        let matters: Vec<_> = person.cases.iter().map(matter).collect();
        !known.held(&self.era(now).honours, &matters, self.wall(now)).0.is_empty()
    }

    fn known(&self, person: &Person, class: usize, now: Second) -> Known {
        let class = CLASSES[class];
        let happened = [
            ("creation", person.enrolled),
            ("last_interaction", person.last_act(now)),
            ("withdrawal", person.withdrawn),
            ("account_deletion", person.deleted),
            ("learned_minor", person.minor),
            ("purpose_met", person.purpose_met),
            ("method_disabled", person.disabled),
        ];
        let happened = happened.into_iter().filter(|(_, at)| *at <= now);
        Known {
            class,
            modality: Some(person.modality).filter(|_| class == DataClass::Biometric),
            role: person.role,
            places: person.homes.iter().filter(|(from, _)| *from <= now).map(|(_, home)| *home).collect(),
            happened: happened.map(|(trigger, at)| (trigger, self.wall(at))).collect(),
            frozen: false,
        }
    }

    fn era(&self, now: Second) -> &Rules {
        let begun = self.eras.iter().rev().find(|era| era.from <= now);
        begun.unwrap_or(&self.eras[0])
    }

    fn wall(&self, at: Second) -> Moment {
        (self.days.get((at / DAY) as usize).copied().unwrap_or((9_999, 1, 1)), at % DAY)
    }

    fn second(&self, (day, second): Moment) -> Second {
        let day = self.days.binary_search(&day).ok().and_then(|day| u32::try_from(day).ok());
        day.and_then(|day| day.checked_mul(DAY)).map_or(NEVER, |day| day + second)
    }
}

fn clause(rule: &Rule) -> Result<Clause> {
    Ok(Clause {
        id: rule.id().to_owned(),
        class: rule.class(),
        modality: rule.modality(),
        role: rule.role(),
        place: rule.jurisdiction(),
        trigger: rule.trigger().name(),
        is_floor: rule.kind() == RuleKind::Floor,
        is_statute: rule.force().name() == "statute",
        period: rule.period().map(|period| span(&period.to_string())).transpose()?,
    })
}

fn span(text: &str) -> Result<Span> {
    let mut span = (0, 0, 0);
    if text == "at once" {
        return Ok(span);
    }
    let words: Vec<_> = text.split(' ').collect();
    for pair in words.chunks(2) {
        match *pair {
            [number, "year" | "years"] => span.0 = number.parse()?,
            [number, "month" | "months"] => span.1 = number.parse()?,
            [number, "day" | "days"] => span.2 = number.parse()?,
            _ => return Err(Failure("a period has an unknown form").into()),
        }
    }
    Ok(span)
}
