//! Laws and places against a naive walk: on which day does somebody first have to destroy, and nobody of the same force
//! has to keep.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::{option, sample};
use vouchsafe_retention::{Facts, Policy, RetentionError};
use vouchsafe_types::{DataClass, Jurisdiction, Role, Timestamp};

const PLACES: [Jurisdiction; 5] =
    [Jurisdiction::Us, Jurisdiction::UsTx, Jurisdiction::UsIl, Jurisdiction::Eu, Jurisdiction::Elsewhere];

#[derive(Debug, Clone)]
struct Clause {
    statute: bool,
    floor: bool,
    on_creation: bool,
    place: Option<Jurisdiction>,
    days: u32,
    confirmed: bool,
}

impl Clause {
    fn toml(&self, id: usize) -> String {
        let kind = if self.floor { "floor" } else { "ceiling" };
        let trigger = if self.on_creation { "creation" } else { "account_deletion" };
        let place =
            self.place.map_or_else(String::new, |place| format!("jurisdiction = \"{}\"\n", place.name()));
        let confidence = if self.confirmed { "confirmed" } else { "unconfirmed" };
        format!(
            "[[rule]]\nid = \"r{id}\"\nclass = \"support\"\n{place}trigger = \"{trigger}\"\nkind = \"{kind}\"\n\
             period = \"{} days\"\nclause = \"T\"\nsays = \"S.\"\nconfidence = \"{confidence}\"\n",
            self.days
        )
    }

    fn applies(&self, places: &[Jurisdiction]) -> bool {
        let within = |law: Jurisdiction, place: Jurisdiction| {
            law == place
                || law == Jurisdiction::Us && [Jurisdiction::UsTx, Jurisdiction::UsIl].contains(&place)
        };
        let here = |law| places.is_empty() || places.iter().any(|place| within(law, *place));
        self.confirmed && self.place.is_none_or(here)
    }
}

fn clause() -> impl Strategy<Value = Clause> {
    let place = option::of(sample::select(&PLACES[..4]));
    (any::<bool>(), any::<bool>(), any::<bool>(), place, 0u32..6, prop::bool::weighted(0.8)).prop_map(
        |(statute, floor, on_creation, place, days, confirmed)| Clause {
            statute,
            floor,
            on_creation,
            place,
            days,
            confirmed,
        },
    )
}

fn day(number: u32) -> Timestamp {
    format!("2026-03-{:02}T00:00:00Z", number + 1).parse().unwrap()
}

fn walk(clauses: &[Clause], places: &[Jurisdiction], deleted: Option<u32>) -> Option<u32> {
    let ends: Vec<_> = clauses.iter().filter(|clause| clause.applies(places)).collect();
    let end = |clause: &Clause| {
        if clause.on_creation { Some(clause.days) } else { deleted.map(|d| d + clause.days) }
    };
    (0..30).find(|&today| {
        let expired = ends.iter().filter(|c| !c.floor && end(c).is_some_and(|end| end <= today));
        let kept = |ceiling: &Clause| {
            let binds = |floor: &&&Clause| floor.floor && (floor.statute || !ceiling.statute);
            ends.iter().filter(binds).any(|floor| end(floor).is_some_and(|end| end > today))
        };
        expired.into_iter().any(|ceiling| !kept(ceiling))
    })
}

/// Whether the packs should not have been loaded: a floor that outlasts a ceiling that it does not outrank.
fn contradict(clauses: &[Clause]) -> bool {
    let apart = |a: Jurisdiction, b: Jurisdiction| {
        a != b && a != Jurisdiction::Us && b != Jurisdiction::Us
            || [a, b].contains(&Jurisdiction::Us) && [a, b].contains(&Jurisdiction::Eu)
    };
    let confirmed = || clauses.iter().filter(|clause| clause.confirmed);
    confirmed().filter(|floor| floor.floor).any(|floor| {
        confirmed().filter(|ceiling| !ceiling.floor).any(|ceiling| {
            let met = floor.place.zip(ceiling.place).is_none_or(|(a, b)| !apart(a, b));
            let precedence = floor.statute && !ceiling.statute;
            met && floor.on_creation == ceiling.on_creation && floor.days > ceiling.days && !precedence
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: WB-4-face-user
    #[test]
    fn the_resolver_agrees_with_a_walk_on_forces_and_places(
        clauses in vec(clause(), 1..6),
        places in btree_set(sample::select(&PLACES[1..]), 0..3),
        deleted in option::of(0u32..6),
    ) {
        let pack = |statute: bool| {
            let kind = if statute { "statute" } else { "notice" };
            let rules = clauses.iter().zip(0..).filter(|(clause, _)| clause.statute == statute);
            let rules: String = rules.map(|(clause, id)| clause.toml(id)).collect();
            format!("format = 1\nid = \"{kind}\"\nversion = \"1\"\ntitle = \"T\"\nkind = \"{kind}\"\n{rules}")
        };
        let places: Vec<_> = places.into_iter().collect();
        let policy = match Policy::from_packs(&[&pack(true), &pack(false)]) {
            Ok(policy) => policy,
            Err(error) => {
                prop_assert!(matches!(error, RetentionError::Contradiction(_)), "{error}");
                prop_assert!(contradict(&clauses));
                return Ok(());
            }
        };
        prop_assert!(!contradict(&clauses));
        let facts = Facts::new(DataClass::Support, None, Role::EndUser).unwrap().created(day(0));
        let facts = places.iter().fold(facts, |facts, place| facts.residing(*place));
        let facts = deleted.into_iter().fold(facts, |facts, number| facts.account_deleted(day(number)));
        let expected = walk(&clauses, &places, deleted).map(day);
        match policy.resolve(&facts) {
            Ok(deadline) => {
                prop_assert_eq!(deadline.due(), expected, "{}", deadline.explanation());
                prop_assert_eq!(deadline.decided().map(|ruling| ruling.at()), expected);
            }
            Err(error) => {
                prop_assert_eq!(error, RetentionError::Gap { class: DataClass::Support, rule: None });
                prop_assert_eq!(expected, None);
            }
        }
    }
}
