//! A naive model: it walks through a life day by day with a calendar of its own, and shares no code with the
//! resolver.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use vouchsafe_retention::{Facts, PersonalAct, Policy, RetentionError};
use vouchsafe_types::{DataClass, Modality, Role, Timestamp};

/// Year, month, day.
type Day = (i32, u32, u32);

const TRIGGERS: [&str; 7] = [
    "creation",
    "last_interaction",
    "purpose_met",
    "withdrawal",
    "account_deletion",
    "method_disabled",
    "learned_minor",
];

#[derive(Debug, Clone)]
struct Clause {
    trigger: usize,
    period: (u32, u32, u32),
    face_only: bool,
    end_user_only: bool,
}

impl Clause {
    /// A floor on creation (trigger 0), a ceiling on anything else.
    fn is_floor(&self) -> bool {
        self.trigger == 0
    }

    fn toml(&self, id: &str) -> String {
        let kind = if self.is_floor() { "floor" } else { "ceiling" };
        let modality = if self.face_only { "modality = \"face\"\n" } else { "" };
        let role = if self.end_user_only { "role = \"end_user\"\n" } else { "" };
        let (y, m, d) = self.period;
        format!(
            "[[rule]]\nid = \"{id}\"\nclass = \"biometric\"\n{modality}{role}trigger = \"{}\"\nkind = \"{kind}\"\n\
             period = \"{y} years {m} months {d} days\"\nclause = \"T\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n",
            TRIGGERS[self.trigger]
        )
    }
}

fn length_of(year: i32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn next((year, month, day): Day) -> Day {
    match (month, day) {
        (12, 31) => (year + 1, 1, 1),
        _ if day == length_of(year, month) => (year, month + 1, 1),
        _ => (year, month, day + 1),
    }
}

/// The day a period ends: months are counted on fingers, days by walking.
fn end(start: Day, (years, months, days): (u32, u32, u32)) -> Day {
    let (mut year, mut month, day) = start;
    year += years as i32;
    for _ in 0..months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let mut reached = (year, month, day.min(length_of(year, month)));
    for _ in 0..days {
        reached = next(reached);
    }
    reached
}

/// The day of destruction and the number of the clause that decides; walks until the end of 2060.
fn walk(clauses: &[Clause], happened: &[Option<Day>; 7], face: bool, end_user: bool) -> Option<(Day, usize)> {
    let covers = |clause: &Clause| (face || !clause.face_only) && (end_user || !clause.end_user_only);
    let bounds: Vec<_> = (0..clauses.len())
        .filter(|&i| covers(&clauses[i]))
        .filter_map(|i| happened[clauses[i].trigger].map(|start| (end(start, clauses[i].period), i)))
        .collect();
    let mut today = (2019, 1, 1);
    let mut expired = false;
    while today.0 < 2061 {
        let mut ending_today: Vec<_> =
            bounds.iter().filter(|(day, _)| *day == today).map(|&(_, i)| i).collect();
        let was_expired = expired;
        expired |= ending_today.iter().any(|&i| !clauses[i].is_floor());
        let kept = bounds.iter().any(|(day, i)| clauses[*i].is_floor() && *day > today);
        if expired && !kept {
            // A floor decides only for a ceiling that ended before it.
            ending_today.retain(|&i| was_expired || !clauses[i].is_floor());
            let named =
                |&i: &usize| usize::from(clauses[i].face_only) + usize::from(clauses[i].end_user_only);
            let most = ending_today.iter().map(named).max().unwrap();
            return ending_today.into_iter().find(|i| named(i) == most).map(|i| (today, i));
        }
        today = next(today);
    }
    None
}

fn instant((year, month, day): Day) -> Timestamp {
    format!("{year:04}-{month:02}-{day:02}T00:00:00Z").parse().unwrap()
}

fn facts(happened: &[Option<Day>; 7], face: bool, end_user: bool) -> Facts {
    let modality = if face { Modality::Face } else { Modality::Voice };
    let role = if end_user { Role::EndUser } else { Role::Administrator };
    let facts = Facts::new(DataClass::Biometric, Some(modality), role).unwrap();
    happened.iter().enumerate().fold(facts, |facts, (trigger, day)| match (trigger, day.map(instant)) {
        (_, None) => facts,
        (0, Some(at)) => facts.created(at),
        (1, Some(at)) => facts.acted(PersonalAct::Verified, at),
        (2, Some(at)) => facts.purpose_met(at),
        (3, Some(at)) => facts.withdrawn(at),
        (4, Some(at)) => facts.account_deleted(at),
        (5, Some(at)) => facts.method_disabled(at),
        (_, Some(at)) => facts.learned_minor(at),
    })
}

fn clause() -> impl Strategy<Value = Clause> {
    // Short periods of few values, so that ties are common.
    let period = prop_oneof![
        Just((0, 0, 0)),
        (0u32..4, Just(0), Just(0)),
        (Just(0), 0u32..40, Just(0)),
        (Just(0), Just(0), 0u32..100),
        (0u32..8, 0u32..14, 0u32..40),
    ];
    (0usize..7, period, any::<bool>(), any::<bool>()).prop_map(
        |(trigger, period, face_only, end_user_only)| Clause { trigger, period, face_only, end_user_only },
    )
}

fn day() -> impl Strategy<Value = Day> {
    prop_oneof![
        4 => (2019i32..2032, 1u32..13, 1u32..32).prop_map(|(y, m, d)| (y, m, d.min(length_of(y, m)))),
        1 => Just((2024, 2, 29)),
        1 => Just((2025, 1, 31)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: WB-4-face-user
    #[test]
    fn the_resolver_agrees_with_a_day_by_day_walk(
        clauses in vec(clause(), 1..7),
        happened in [option::of(day()), option::of(day()), option::of(day()), option::of(day()),
                     option::of(day()), option::of(day()), option::of(day())],
        face in any::<bool>(),
        end_user in any::<bool>(),
    ) {
        let rules: String = clauses.iter().zip(0..).map(|(clause, i): (_, usize)| clause.toml(&format!("r{i}"))).collect();
        let pack = format!("format = 1\nid = \"t\"\nversion = \"1\"\ntitle = \"T\"\nkind = \"organisation\"\n{rules}");
        let policy = Policy::from_packs(&[&pack]).unwrap();
        let expected = walk(&clauses, &happened, face, end_user);
        match policy.resolve(&facts(&happened, face, end_user)) {
            Ok(deadline) => {
                let decided = deadline.decided().map(|ruling| (ruling.at(), ruling.rule().to_owned()));
                let decided = decided.filter(|_| deadline.due().is_some());
                prop_assert_eq!(decided, expected.map(|(day, i)| (instant(day), format!("r{i}"))));
            }
            Err(error) => {
                prop_assert_eq!(error, RetentionError::Gap { class: DataClass::Biometric, rule: None });
                prop_assert_eq!(expected, None);
            }
        }
    }
}
