use std::collections::{BTreeMap, BTreeSet};

use vouchsafe::Timestamp;

use super::deed::{Deed, Said, Step, Word};
use super::person::{Person, Template};

/// A deed that is over, and what it answered; `None` where nobody heard it.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "plain data of a drill")]
pub struct Job {
    /// The deed.
    pub deed: Deed,
    /// The answers of its calls.
    pub said: Option<Vec<Said>>,
}

/// Answers that fit no order of the calls.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Misfit {
    /// Somebody was accepted for whom no consent can have been in force.
    pub accepted_without_consent: bool,
    /// What was said, and what may have been.
    pub says: String,
}

/// How a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the model matches every end on purpose")]
pub enum SweepEnd {
    /// All that was due is destroyed.
    Done,
    /// All that was due is fenced.
    Pending,
    /// Nobody knows how far it came.
    Unknown,
}

/// At least and at most so many.
pub(super) type Range = (u64, u64);

/// How many entries of the kinds there must be that are forgotten after weeks.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Totals {
    /// Permits refused.
    pub permits_refused: Range,
    /// Enrolments refused.
    pub enrolments_refused: Range,
    /// Templates opened, and verifications refused.
    pub verifications: Range,
}

/// What must be true after everything that was answered: of each person all that may be.
#[derive(Debug, Clone)]
pub struct Model {
    people: Vec<BTreeSet<Person>>,
    now: Timestamp,
    /// The totals.
    totals: Totals,
}

/// The calls of one or two clients on one person, as they may have come to pass until now.
type Front = BTreeSet<(Person, [u64; 2])>;

impl Model {
    /// Strangers.
    pub fn new(people: u32, now: Timestamp) -> Self {
        let stranger = BTreeSet::from([Person::stranger()]);
        Self { people: (0..people).map(|_| stranger.clone()).collect(), now, totals: Totals::default() }
    }

    /// How many people there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.people.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// All that a person may be; nothing after a [`Misfit`].
    pub fn may_be(&self, person: u32) -> &BTreeSet<Person> {
        static NOBODY: BTreeSet<Person> = BTreeSet::new();
        usize::try_from(person).ok().and_then(|person| self.people.get(person)).unwrap_or(&NOBODY)
    }

    /// The totals of the log.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The instant to which the clock was last moved.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The clock was moved.
    pub const fn moved_to(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Whether some template's time is over within an hour of an instant, when nobody can tell.
    pub fn is_near_a_deadline(&self, at: Timestamp) -> bool {
        let near = |due: Timestamp| (due.as_second() - at.as_second()).abs() < 2 * 3600;
        self.people.iter().flatten().filter_map(Person::due).any(near)
    }

    /// A sweep begins.
    pub fn sweep_begins(&mut self) {
        for people in &mut self.people {
            *people = people.iter().map(|person| Person { awaits_sweep: true, ..*person }).collect();
        }
    }

    /// A sweep is over, as far as this person goes.
    pub fn sweep_ends(&mut self, person: u32, end: SweepEnd) {
        let now = self.now;
        let Some(people) = usize::try_from(person).ok().and_then(|person| self.people.get_mut(person)) else {
            return;
        };
        let mut ended = BTreeSet::new();
        for person in people.iter() {
            let unswept = Person { awaits_sweep: false, ..*person };
            match (person.swept(now), end) {
                (Some(swept), SweepEnd::Done) => ended.insert(Person { template: Template::Gone, ..swept }),
                (Some(swept), SweepEnd::Pending) => ended.insert(swept),
                (Some(swept), SweepEnd::Unknown) => ended.insert(swept) | ended.insert(unswept),
                (None, _) => ended.insert(unswept),
            };
        }
        *people = ended;
    }

    /// Nothing runs, and nothing that is condemned is left.
    pub fn all_is_destroyed(&mut self) {
        for people in &mut self.people {
            *people = people.iter().map(destroyed).collect();
        }
    }

    /// One or two clients are done with a person.
    ///
    /// # Errors
    /// The answers fit no order of the calls.
    pub fn settle(&mut self, number: u32, jobs: &[Job]) -> Result<(), Misfit> {
        jobs.iter().for_each(|job| self.count(job));
        let before = self.may_be(number).clone();
        if before.is_empty() {
            return Ok(());
        }
        let (first, second) = (script(jobs.first()), script(jobs.get(1)));
        let mut fronts: BTreeMap<(usize, usize), Front> = BTreeMap::new();
        fronts.insert((0, 0), before.iter().map(|person| (*person, [0, 0])).collect());
        let (mut after, mut was_open) = (BTreeSet::new(), false);
        for total in 0..=first.len() + second.len() {
            for done in 0..=total.min(first.len()) {
                let place = (done, total - done);
                let Some(front) = fronts.remove(&place) else { continue };
                let front = self.with_sweeps(front);
                was_open |= front.iter().any(|(person, _)| person.is_open());
                if first.may_end_at(place.0) && second.may_end_at(place.1) {
                    after.extend(front.iter().map(|(person, _)| *person));
                }
                let steps = [
                    (first.step(&front, 0, place.0, self.now), (place.0 + 1, place.1)),
                    (second.step(&front, 1, place.1, self.now), (place.0, place.1 + 1)),
                ];
                for (stepped, next) in steps {
                    if !stepped.is_empty() {
                        fronts.entry(next).or_default().extend(stepped);
                    }
                }
            }
        }
        if is_certain(jobs) {
            after = after.iter().map(destroyed).collect();
        }
        let misfit = after.is_empty().then(|| Misfit {
            accepted_without_consent: !was_open && jobs.iter().any(is_accepted),
            says: format!("person {number}: {} of {before:?}", told(jobs)),
        });
        if let Some(people) = usize::try_from(number).ok().and_then(|number| self.people.get_mut(number)) {
            *people = after;
        }
        misfit.map_or(Ok(()), Err)
    }

    /// A sweep may come at any point.
    fn with_sweeps(&self, mut front: Front) -> Front {
        let swept: Vec<_> =
            front.iter().filter_map(|(person, seen)| Some((person.swept(self.now)?, *seen))).collect();
        front.extend(swept);
        front
    }

    fn count(&mut self, job: &Job) {
        let Totals { permits_refused, enrolments_refused, verifications } = &mut self.totals;
        for (place, step) in job.deed.steps().into_iter().enumerate() {
            let said = job.said.as_ref().map(|said| said.get(place).map(|said| &said.word));
            let (certain, possible) = match said {
                Some(Some(Word::Failed(_, why))) if says_nothing_is_stored(why) => (0, 0),
                None | Some(Some(Word::Failed(..))) => (0, 1),
                Some(None) => continue,
                Some(Some(word)) => {
                    let counts = match step {
                        Step::Permit => *word == Word::Closed,
                        Step::Enrol(_) => *word != Word::Enrolled,
                        _ => true,
                    };
                    (u64::from(counts), u64::from(counts))
                }
            };
            let range = match step {
                Step::Permit => &mut *permits_refused,
                Step::Enrol(_) => &mut *enrolments_refused,
                Step::Verify(_) => &mut *verifications,
                _ => continue,
            };
            *range = (range.0 + certain, range.1 + possible);
        }
    }
}

fn destroyed(person: &Person) -> Person {
    match person.template {
        Template::Fenced => Person { template: Template::Gone, ..*person },
        _ => *person,
    }
}

/// The calls of one client, with what they answered.
struct Script<'a> {
    steps: Vec<Step>,
    said: Option<&'a [Said]>,
}

fn script(job: Option<&Job>) -> Script<'_> {
    match job {
        None => Script { steps: Vec::new(), said: Some(&[]) },
        Some(job) => Script { steps: job.deed.steps(), said: job.said.as_deref() },
    }
}

impl Script<'_> {
    fn len(&self) -> usize {
        self.said.map_or(self.steps.len(), |said| said.len().min(self.steps.len()))
    }

    /// Whether the client may have made so many calls and no more: all that it answered, or any number of them if nobody
    /// heard it.
    fn may_end_at(&self, place: usize) -> bool {
        self.said.is_none() || place == self.len()
    }

    fn step(&self, front: &Front, client: usize, at: usize, now: Timestamp) -> Front {
        let Some(step) = self.steps.get(at).copied().filter(|_| at < self.len()) else {
            return Front::new();
        };
        let word = self.said.and_then(|said| said.get(at)).map(|said| &said.word);
        let mut stepped = Front::new();
        for (person, seen) in front {
            let own = seen.get(client).copied().unwrap_or_default();
            let after = match word {
                Some(Word::Failed(_, why)) if says_nothing_is_stored(why) => vec![(*person, own)],
                None | Some(Word::Failed(..)) => person.after_any(step, own, now),
                Some(word) => person.after(step, word, own, now).into_iter().collect(),
            };
            for (person, own) in after {
                let mut seen = *seen;
                seen.iter_mut().skip(client).take(1).for_each(|seen| *seen = own);
                stepped.insert((person, seen));
            }
        }
        stepped
    }
}

/// Whether an error is one of those of which the store and the facade say that nothing was stored.
fn says_nothing_is_stored(why: &str) -> bool {
    matches!(why, "Store(Io)" | "Store(Locked)")
}

/// Whether what these fenced is destroyed for certain.
fn is_certain(jobs: &[Job]) -> bool {
    let last = |job: &Job| match (job.deed, job.said.as_deref()) {
        (Deed::Withdraw(_) | Deed::Erase(_), Some([said])) => Some(said.word.clone()),
        (_, None) => Some(Word::Pending),
        _ => None,
    };
    let words: Vec<Word> = jobs.iter().filter_map(last).collect();
    words.contains(&Word::Done) && words.iter().all(|word| matches!(word, Word::Done | Word::Nothing))
}

fn is_accepted(job: &Job) -> bool {
    job.said.iter().flatten().any(|said| said.word == Word::Accepted)
}

fn told(jobs: &[Job]) -> String {
    let told = |job: &Job| match &job.said {
        None => format!("{} cut", job.deed),
        Some(said) => {
            let said: Vec<_> = said.iter().map(Said::to_string).collect();
            format!("{} = {}", job.deed, said.join(" "))
        }
    };
    jobs.iter().map(told).collect::<Vec<_>>().join(" beside ")
}

#[cfg(test)]
mod tests;
