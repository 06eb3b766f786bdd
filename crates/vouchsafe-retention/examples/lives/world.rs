//! The virtual clock: what happens, and what the executor makes of it, through the crate's public API alone.

use vouchsafe_retention::{Facts, Hold, HoldId, ItemId, PersonalAct, Plan, Policy, RetentionError, Verdict};
use vouchsafe_types::{DataClass, Timestamp};

use crate::certificates::Certificates;
use crate::check::Checker;
use crate::people::{CLASSES, Case, DAY, NEVER, Person, Second};
use crate::{Failure, Result};

/// When the daily sweep runs.
const HOUR: Second = 2 * 3_600;
/// How many destructions share a transaction.
const BATCH: usize = 256;
/// Not in the index.
const NOWHERE: u32 = u32::MAX;

/// A policy and from when on it decides.
pub(crate) struct Era {
    pub(crate) from: Second,
    pub(crate) policy: Policy,
}

#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// By month of 30.4375 days and by trigger.
    pub(crate) months: Vec<[u64; 7]>,
    /// By day and class.
    pub(crate) stock: Vec<[u64; 4]>,
    /// By hours between the moment something may go, and its destruction.
    pub(crate) lateness: Vec<u64>,
    pub(crate) destroyed: u64,
    pub(crate) decisions: u64,
    pub(crate) batches: u64,
    pub(crate) breaker: u64,
    pub(crate) clocks: u64,
    pub(crate) largest: u64,
}

/// One organisation's people, and the executor over what is held of them.
pub(crate) struct World<'a> {
    pub(crate) eras: &'a [Era],
    pub(crate) start: Timestamp,
    pub(crate) people: Vec<Person>,
    pub(crate) counts: Counts,
    /// For each holding the sweep that destroyed it.
    pub(crate) destroyed: Vec<u32>,
    /// For each holding its place in the index.
    review: Vec<u32>,
    /// For each sweep, what has to be looked at; an entry counts only if `review` agrees.
    index: Vec<Vec<u32>>,
    live: [u64; 4],
}

impl<'a> World<'a> {
    pub(crate) fn new(people: Vec<Person>, eras: &'a [Era], start: Timestamp, days: u32) -> Self {
        let sweeps = days as usize;
        let holdings = people.len() * CLASSES.len();
        let counts = Counts {
            months: vec![[0; 7]; sweeps * 16 / 487 + 1],
            stock: Vec::with_capacity(sweeps),
            lateness: Vec::new(),
            destroyed: 0,
            decisions: 0,
            batches: 0,
            breaker: 0,
            clocks: 0,
            largest: 0,
        };
        let (destroyed, review) = (vec![NOWHERE; holdings], vec![NOWHERE; holdings]);
        Self { eras, start, people, counts, destroyed, review, index: vec![Vec::new(); sweeps], live: [0; 4] }
    }

    /// Runs every day; `checker` judges each destruction, `certificates` gets a signed statement of it.
    pub(crate) fn run(&mut self, checker: &mut Checker<'_>, certificates: &mut Certificates) -> Result<()> {
        let (mut era, mut before) = (0, None);
        for (sweep, mut told) in self.news().into_iter().enumerate() {
            let now = moment(sweep);
            told.sort_unstable();
            told.dedup();
            for (at, person) in told {
                self.change_era(&mut era, at)?;
                self.hear(person, at, era)?;
            }
            self.change_era(&mut era, now)?;
            if runs(sweep) {
                self.guard(era, before, now)?;
                self.sweep(sweep, era, before, checker, certificates)?;
                before = Some(now);
            } else if let Some(next) = sweep.checked_add(1).filter(|next| *next < self.index.len()) {
                let mut waiting = std::mem::take(&mut self.index[sweep]);
                waiting.retain(|holding| self.review[*holding as usize] == order(sweep));
                for holding in waiting {
                    self.review[holding as usize] = order(next);
                    self.index[next].push(holding);
                }
            }
            self.counts.stock.push(self.live);
        }
        Ok(())
    }

    /// For each sweep, what happens since the one before.
    fn news(&self) -> Vec<Vec<(Second, u32)>> {
        let mut news = vec![Vec::new(); self.index.len()];
        for (number, person) in (0..).zip(&self.people) {
            for at in person.news() {
                if let Some(told) = news.get_mut(first_sweep(at)) {
                    told.push((at, number));
                }
            }
        }
        news
    }

    /// A clock that stands far ahead, or behind, is refused before anything is looked at.
    fn guard(&mut self, era: usize, before: Option<Second>, now: Second) -> Result<()> {
        let guard = self.eras[era].policy.clock_guard();
        let newest = before.map(|at| self.instant(at));
        if let Some(before) = before.filter(|_| now / DAY % 700 == 350) {
            for wrong in [now + 45 * DAY, before - DAY] {
                match guard.check(newest, self.instant(wrong)) {
                    Err(RetentionError::ClockJumped { .. } | RetentionError::ClockSetBack { .. }) => {
                        self.counts.clocks += 1;
                    }
                    _ => return Err(Failure("a wrong clock passed the guard").into()),
                }
            }
        }
        Ok(guard.check(newest, self.instant(now))?)
    }

    /// A new policy decides from its day on: everything that is held gets a new place in the index.
    fn change_era(&mut self, era: &mut usize, now: Second) -> Result<()> {
        while self.eras.get(*era + 1).is_some_and(|next| next.from <= now) {
            *era += 1;
            let from = self.eras[*era].from;
            for holding in 0..self.review.len() {
                let is_held = self.people[holding / CLASSES.len()].enrolled < from;
                if is_held && self.destroyed[holding] == NOWHERE {
                    self.review_again(holding, from, *era)?;
                }
            }
        }
        Ok(())
    }

    /// Something happened to a person: what is held of them is decided again at once.
    fn hear(&mut self, person: u32, at: Second, era: usize) -> Result<()> {
        let first = person as usize * CLASSES.len();
        for class in 0..CLASSES.len() {
            if self.people[person as usize].enrolled == at {
                self.live[class] += 1;
            }
            if self.destroyed[first + class] == NOWHERE {
                self.review_again(first + class, at, era)?;
            }
        }
        Ok(())
    }

    fn review_again(&mut self, holding: usize, now: Second, era: usize) -> Result<()> {
        let (facts, holds) = self.record(holding, now)?;
        let at = self.instant(now);
        self.counts.decisions += 1;
        let decision = self.eras[era].policy.decide(&facts, &holds, at)?;
        self.enter(holding, decision.review_at(at));
        Ok(())
    }

    fn enter(&mut self, holding: usize, review_at: Option<Timestamp>) {
        let seconds = review_at.map(|at| at.as_second() - self.start.as_second());
        let place = seconds.and_then(|seconds| u32::try_from(seconds.max(0)).ok()).map(first_sweep);
        self.review[holding] = NOWHERE;
        if let Some(place) = place.filter(|place| *place < self.index.len()) {
            self.review[holding] = order(place);
            self.index[place].push(order(holding));
        }
    }

    fn sweep(
        &mut self,
        sweep: usize,
        era: usize,
        before: Option<Second>,
        checker: &mut Checker<'_>,
        certificates: &mut Certificates,
    ) -> Result<()> {
        let (now, policy) = (moment(sweep), &self.eras[era].policy);
        let mut waiting = std::mem::take(&mut self.index[sweep]);
        waiting.retain(|holding| self.review[*holding as usize] == order(sweep));
        waiting.sort_unstable();
        waiting.dedup();
        if waiting.is_empty() {
            return Ok(());
        }
        let record = |holding: &u32| {
            let (facts, holds) = self.record(*holding as usize, now)?;
            Ok((ItemId::parse(&holding.to_string())?, facts, holds))
        };
        let records = waiting.iter().map(record).collect::<Result<Vec<_>>>()?;
        self.counts.decisions += records.len() as u64;
        let plan = Plan::make_held(policy, records, self.live.iter().sum(), self.instant(now))?;
        let acknowledged = plan.digest()?;
        let released = match plan.clone().release(policy, policy.breaker(), None) {
            Err(RetentionError::Breaker { .. }) => {
                self.counts.breaker += 1;
                plan.release(policy, policy.breaker(), Some(acknowledged))?
            }
            other => other?,
        };
        for batch in released.plan().items().chunks(BATCH) {
            self.counts.batches += 1;
            for item in batch {
                let holding: usize = item.id().as_str().parse()?;
                let (facts, holds) = self.record(holding, now)?;
                self.counts.decisions += 1;
                if policy.decide(&facts, &holds, self.instant(now))?.verdict() != Verdict::Due {
                    return Err(Failure("what was due in the plan is not due in its transaction").into());
                }
                let due = u32::try_from((item.due().as_second() - self.start.as_second()).max(0))?;
                let free =
                    checker.judge(&self.people[holding / CLASSES.len()], holding, now, before, item.rule());
                certificates.add(order(holding), now, due, item.rule())?;
                self.note(holding, sweep, free.unwrap_or(due), checker.trigger(item.rule()));
            }
        }
        self.counts.largest = self.counts.largest.max(released.plan().items().len() as u64);
        for holding in waiting {
            if self.destroyed[holding as usize] == NOWHERE {
                self.review_again(holding as usize, now, era)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, holding: usize, sweep: usize, free: Second, trigger: usize) {
        self.destroyed[holding] = order(sweep);
        self.live[holding % CLASSES.len()] -= 1;
        self.counts.destroyed += 1;
        self.counts.months[sweep * 16 / 487][trigger] += 1;
        let hours = (moment(sweep).saturating_sub(free) / 3_600) as usize;
        if self.counts.lateness.len() <= hours {
            self.counts.lateness.resize(hours + 1, 0);
        }
        self.counts.lateness[hours] += 1;
    }

    /// What the executor knows of a record.
    fn record(&self, holding: usize, now: Second) -> Result<(Facts, Vec<Hold>)> {
        let person = &self.people[holding / CLASSES.len()];
        let class = CLASSES[holding % CLASSES.len()];
        let modality = Some(person.modality).filter(|_| class == DataClass::Biometric);
        let at = |second| self.instant(second);
        let mut facts = Facts::new(class, modality, person.role)?
            .created(at(person.enrolled))
            .acted(PersonalAct::Verified, at(person.last_act(now)));
        for (happened, note) in [
            (person.withdrawn, Facts::withdrawn as fn(Facts, Timestamp) -> Facts),
            (person.deleted, Facts::account_deleted),
            (person.minor, Facts::learned_minor),
            (person.purpose_met, Facts::purpose_met),
            (person.disabled, Facts::method_disabled),
        ] {
            if happened <= now {
                facts = note(facts, at(happened));
            }
        }
        let lived = person.homes.iter().filter(|(from, _)| *from <= now);
        let facts = lived.fold(facts, |facts, (_, home)| facts.residing(*home));
        let known = (0u8..).zip(&*person.cases).filter(|(_, case)| case.placed <= now);
        let holds = known.map(|(i, case)| self.hold(i, case, now)).collect::<Result<_>>()?;
        Ok((facts, holds))
    }

    fn hold(&self, number: u8, case: &Case, now: Second) -> Result<Hold> {
        let (id, placed) = (HoldId::from_bytes([number; 16]), self.instant(case.placed));
        let mut hold =
            Hold::place(id, &format!("case-{number}"), case.authority, placed, ["key-a", "key-b"])?;
        if let Some(class) = case.class {
            hold = hold.of_class(class);
        }
        if case.expires != NEVER {
            hold = hold.expiring(self.instant(case.expires))?;
        }
        Ok(if case.released <= now { hold.released(self.instant(case.released))? } else { hold })
    }

    fn instant(&self, second: Second) -> Timestamp {
        Timestamp::from_second(self.start.as_second() + i64::from(second)).unwrap_or(Timestamp::MAX)
    }
}

/// When a sweep runs.
pub(crate) fn moment(sweep: usize) -> Second {
    order(sweep) * DAY + HOUR
}

/// Whether the sweep of a day runs: every 400 days two fall out.
pub(crate) fn runs(sweep: usize) -> bool {
    !matches!(sweep % 400, 200 | 201)
}

/// The first sweep at or after a moment, whether it runs or not.
fn first_sweep(at: Second) -> usize {
    (at.saturating_sub(HOUR) as usize).div_ceil(DAY as usize)
}

fn order(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NOWHERE)
}
