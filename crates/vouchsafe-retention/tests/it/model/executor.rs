//! A small executor over the crate: an index by `review_at`, as the facade keeps it.

use jiff::tz::{TimeZone, offset};
use vouchsafe_retention::{
    Authority, Decision, Facts, Hold, HoldId, NotHonoured, PersonalAct, Policy, RetentionError, RuleKind,
    Trigger, Verdict,
};
use vouchsafe_types::Timestamp;

use super::calendar::Moment;
use super::draft::Draft;
use super::life::{Destruction, Life, What};
use super::naive::Fate;

/// One answer of the crate, in the model's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) now: Moment,
    pub(crate) fate: Fate,
    /// Where a ceiling decides.
    pub(crate) not_before: Option<Moment>,
    pub(crate) held: Vec<String>,
    pub(crate) refused: Vec<String>,
    pub(crate) verdict: &'static str,
}

/// Loads a draft in the life's zone.
pub(crate) fn load(draft: &Draft, east: i8) -> Result<Policy, RetentionError> {
    let packs = draft.packs();
    let packs: Vec<_> = packs.iter().map(String::as_str).collect();
    Policy::from_packs(&packs)?.in_zone(&format!("east{east}"), TimeZone::fixed(offset(east)))
}

/// What the executor keeps of one record.
struct Executor<'a> {
    life: &'a Life,
    policies: &'a [Policy],
    facts: Facts,
    policy: usize,
    review_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Case,
    Happening(usize),
    Policy(usize),
    Request,
}

/// Lives through the life: the destruction, and everything the crate said on the way to `watch`.
pub(crate) fn run(life: &Life, policies: &[Policy], watch: &mut dyn FnMut(Seen)) -> Destruction {
    let facts = Facts::new(life.class, life.modality, life.role).unwrap();
    let mut executor = Executor { life, policies, facts, policy: 0, review_at: None };
    let mut changes = changes(life).into_iter().peekable();
    let mut due_at = None;
    for look in life.looks() {
        while let Some((at, change)) = changes.next_if(|(at, _)| *at <= look) {
            let mut counts = executor.apply(change);
            while let Some((_, change)) = changes.next_if(|(also, _)| *also == at) {
                counts |= executor.apply(change);
            }
            if counts {
                executor.decide(at, watch);
            }
            due_at = executor.review_at.map(|at| moment(at, life.east));
        }
        if due_at.is_some_and(|at| at <= look) {
            let decision = executor.decide(look, watch)?;
            if decision.verdict() == Verdict::Due {
                return Some((look, decision.deadline().decided()?.rule().to_owned()));
            }
            due_at = executor.review_at.map(|at| moment(at, life.east));
        }
    }
    None
}

impl Executor<'_> {
    /// Takes note; whether a period started, or something else may bring the review forward.
    fn apply(&mut self, change: Change) -> bool {
        let Change::Happening(i) = change else {
            if let Change::Policy(i) = change {
                self.policy = i;
            }
            return true;
        };
        let happening = &self.life.happenings[i];
        let at = instant(happening.at, self.life.east);
        let is_new = self.facts.instant_of(Trigger::LastInteraction).is_none();
        let facts = self.facts.clone();
        self.facts = match happening.what {
            What::Moved(place) => facts.residing(place),
            What::Trigger("creation") => facts.created(at),
            What::Trigger("purpose_met") => facts.purpose_met(at),
            What::Trigger("withdrawal") => facts.withdrawn(at),
            What::Trigger("account_deletion") => facts.account_deleted(at),
            What::Trigger("method_disabled") => facts.method_disabled(at),
            What::Trigger("learned_minor") => facts.learned_minor(at),
            What::Trigger(_) => facts.acted(PersonalAct::Verified, at),
        };
        happening.what != What::Trigger("last_interaction") || is_new
    }

    /// Asks the crate, and enters when to ask again; without a stated period there is no deadline.
    fn decide(&mut self, now: Moment, watch: &mut dyn FnMut(Seen)) -> Option<Decision> {
        let at = instant(now, self.life.east);
        let frozen = self.life.is_frozen(now);
        let facts = if frozen { self.facts.clone().frozen() } else { self.facts.clone() };
        let holds = holds(self.life, now);
        let decided = self.policies[self.policy].decide(&facts, &holds, at);
        self.review_at = decided.as_ref().ok().and_then(|decision| decision.review_at(at));
        match decided {
            Ok(decision) => {
                watch(seen(&decision, now, self.life.east));
                Some(decision)
            }
            Err(error) => {
                assert!(matches!(error, RetentionError::Gap { .. }), "{error}");
                let (held, refused) = (Vec::new(), Vec::new());
                watch(Seen { now, fate: Fate::Gap, not_before: None, held, refused, verdict: "gap" });
                None
            }
        }
    }
}

fn seen(decision: &Decision, now: Moment, east: i8) -> Seen {
    let deadline = decision.deadline();
    let ruling = deadline.decided().filter(|_| deadline.due().is_some());
    let names = |holds: &mut dyn Iterator<Item = &Hold>| {
        let mut names: Vec<_> = holds.map(|hold| hold.matter().to_owned()).collect();
        names.sort();
        names
    };
    Seen {
        now,
        fate: ruling
            .map_or(Fate::Open, |ruling| Fate::Due(moment(ruling.at(), east), ruling.rule().to_owned())),
        not_before: ruling
            .filter(|ruling| ruling.kind() == RuleKind::Ceiling)
            .and_then(|_| deadline.not_before().map(|at| moment(at, east))),
        held: names(&mut decision.held().iter()),
        refused: names(&mut decision.not_honoured().iter().map(NotHonoured::hold)),
        verdict: match decision.verdict() {
            Verdict::Due => "due",
            Verdict::Held { .. } => "held",
            Verdict::Later(_) => "later",
            Verdict::Open => "open",
        },
    }
}

/// Everything the executor hears of, in order; at one moment policies come last.
fn changes(life: &Life) -> Vec<(Moment, Change)> {
    let mut changes: Vec<_> = life
        .happenings
        .iter()
        .enumerate()
        .map(|(i, happening)| (happening.known, Change::Happening(i)))
        .collect();
    for case in &life.cases {
        let known = if case.is_foretold { Life::BEGINNING } else { case.placed };
        changes.push((known, Change::Case));
        changes.extend(case.released.filter(|_| !case.is_foretold).map(|at| (at, Change::Case)));
    }
    for (from, until) in &life.requests {
        changes.push((*from, Change::Request));
        changes.extend(until.map(|until| (until, Change::Request)));
    }
    changes.extend(life.policies.iter().enumerate().skip(1).map(|(i, (from, _))| (*from, Change::Policy(i))));
    changes.sort_by_key(|(at, _)| *at);
    changes
}

fn holds(life: &Life, now: Moment) -> Vec<Hold> {
    let known = life.cases.iter().enumerate().filter(|(_, case)| case.is_known(now));
    let hold = |(i, case): (usize, &super::life::Case)| {
        let authority = Authority::parse(case.authority).unwrap();
        let (id, matter) = (HoldId::from_bytes([u8::try_from(i).unwrap(); 16]), format!("case-{i}"));
        let placed = instant(case.placed, life.east);
        let mut hold = Hold::place(id, &matter, authority, placed, ["a", "b"]).unwrap();
        if let Some(class) = case.class {
            hold = hold.of_class(class);
        }
        if let Some(expires) = case.expires {
            hold = hold.expiring(instant(expires, life.east)).unwrap();
        }
        match case.release_known(now) {
            Some(released) => hold.released(instant(released, life.east)).unwrap(),
            None => hold,
        }
    };
    known.map(hold).collect()
}

/// The instant of a moment on the wall of a zone.
fn instant(((year, month, day), second): Moment, east: i8) -> Timestamp {
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let sign = if east < 0 { '-' } else { '+' };
    let text =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:00", east.abs());
    text.parse().unwrap()
}

/// What the wall of the zone shows at an instant.
fn moment(at: Timestamp, east: i8) -> Moment {
    let text = Timestamp::from_second(at.as_second() + i64::from(east) * 3600).unwrap().to_string();
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap();
    let day = (text[0..4].parse().unwrap(), number(5, 7), number(8, 10));
    (day, number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19))
}
