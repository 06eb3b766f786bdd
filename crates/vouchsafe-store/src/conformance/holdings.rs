use std::collections::BTreeMap;

use vouchsafe_types::DataClass;

use super::life::holding;
use super::*;
use crate::{Holding, HoldingState};

/// Two organisations with two persons and no holding.
fn scene<'a>(fresh: Fresh<'a>) -> Box<dyn Stage + 'a> {
    let stage = fresh();
    let store = stage.store();
    for organisation in [&acme(), &other()] {
        add(store, organisation);
        for number in [1, 2] {
            change(store, organisation, |rows| rows.touch_subject(organisation, person(number), at(0), 0))
                .unwrap();
        }
    }
    stage
}

fn due(store: &dyn Store, organisation: &OrganisationId, before: i64, page: u32) -> Vec<(i64, u64)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let next = ask(store, organisation, |rows| rows.holdings_due(organisation, at(before), after, page))
            .unwrap();
        let Some(last) = next.last() else { return found };
        assert!(next.len() <= page as usize && found.len() < 100, "a page repeats the one before");
        after = last.review_at.map(|at| (at, last.leaf));
        found.extend(next.iter().map(|held| (held.review_at.unwrap().as_second(), held.leaf.get())));
    }
}

pub(super) fn what_is_due_comes_in_the_order_of_its_instant_and_leaf_to_the_last_one(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let reviews = [Some(50), Some(-7), None, Some(50), Some(51), Some(10), Some(50)];
    change(store, &acme(), |rows| {
        (0..).zip(reviews).try_for_each(|(number, review_at)| {
            rows.insert_holding(&acme(), &holding(number, DataClass::Usage, 1, review_at))
        })
    })
    .unwrap();
    change(store, &other(), |rows| {
        rows.insert_holding(&other(), &holding(0, DataClass::Usage, 1, Some(20)))
    })
    .unwrap();
    let expected = [(-7, 1), (10, 5), (50, 0), (50, 3), (50, 6)];
    for page in 1..=6 {
        assert_eq!(due(store, &acme(), 50, page), expected, "pages of {page}");
    }
    assert_eq!(due(store, &acme(), 49, 9), expected[..2]);
    assert_eq!(due(store, &other(), 50, 9), [(20, 0)]);
    let late = |before| ask(store, &acme(), |rows| rows.late_count(&acme(), at(before))).unwrap();
    assert_eq!([late(-8), late(49), late(50), late(51)], [0, 2, 5, 6]);
    let oldest = |organisation| ask(store, &organisation, |rows| rows.oldest_review(&organisation)).unwrap();
    assert_eq!((oldest(acme()), oldest(other())), (Some(at(-7)), Some(at(20))));
    assert_eq!(ask(store, &acme(), |rows| rows.holdings_due(&acme(), at(50), None, 0)).unwrap(), []);

    change(store, &acme(), |rows| {
        rows.condemn(&acme(), leaf(1), "rule", at(60))?;
        rows.set_review(&acme(), leaf(5), None)?;
        rows.set_review(&acme(), leaf(2), Some(at(49)))
    })
    .unwrap();
    assert_eq!(due(store, &acme(), 50, 2), [(49, 2), (50, 0), (50, 3), (50, 6)]);
    assert_eq!((oldest(acme()), late(50)), (Some(at(49)), 4));
    assert_eq!(
        ask(store, &OrganisationId::parse("none").unwrap(), |rows| rows
            .oldest_review(&OrganisationId::parse("none").unwrap())),
        Ok(None)
    );
}

pub(super) fn only_a_live_holding_is_looked_at_again(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    change(store, &acme(), |rows| {
        for number in 0..3 {
            rows.insert_holding(&acme(), &holding(number, DataClass::Usage, 1, Some(9)))?;
        }
        rows.condemn(&acme(), leaf(1), "rule", at(1))?;
        rows.condemn(&acme(), leaf(2), "rule", at(1))?;
        rows.mark_destroyed(&acme(), leaf(2), at(2), 0)
    })
    .unwrap();
    change(store, &other(), |rows| rows.insert_holding(&other(), &holding(7, DataClass::Usage, 1, Some(9))))
        .unwrap();
    for number in [1, 2, 7, 99] {
        let refused = change(store, &acme(), |rows| rows.set_review(&acme(), leaf(number), Some(at(1))));
        assert_eq!(refused, Err(StoreError::Conflict), "leaf {number}");
    }
    for number in [1, 2] {
        let held = ask(store, &acme(), |rows| rows.holding(&acme(), leaf(number))).unwrap().unwrap();
        assert_eq!(held.review_at, None);
    }
    let held = ask(store, &other(), |rows| rows.holding(&other(), leaf(7))).unwrap();
    assert_eq!(held, Some(holding(7, DataClass::Usage, 1, Some(9))));
}

pub(super) fn a_tally_that_lost_count_is_damage_and_nothing_is_condemned(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    change(store, &acme(), |rows| rows.insert_holding(&acme(), &holding(0, DataClass::Usage, 1, None)))
        .unwrap();
    stage.alter("UPDATE holding_tally SET live = 0");
    let condemned = change(store, &acme(), |rows| rows.condemn(&acme(), leaf(0), "rule", at(1)));
    assert_eq!(condemned, Err(StoreError::Damaged));
    let held = ask(store, &acme(), |rows| rows.holding(&acme(), leaf(0))).unwrap().unwrap();
    assert_eq!(held.state, HoldingState::Live);
}

/// Against a map: 2,000 random steps in two organisations, with everything asked along the way.
pub(super) fn random_lives_of_holdings_agree_with_a_model(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let mut random = 0x5eed_u64;
    let mut next = move |below: u8| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random.to_be_bytes()[0] % below
    };
    let mut model: [BTreeMap<u8, Holding>; 2] = [BTreeMap::new(), BTreeMap::new()];
    let organisations = [acme(), other()];
    for step in 0..2_000 {
        let which = usize::from(next(2));
        let (organisation, model) = (&organisations[which], &mut model[which]);
        let number = next(60);
        let review = (next(4) > 0).then(|| i64::from(next(30)));
        let held = model.get(&number).cloned();
        let live = held.as_ref().is_some_and(|held| held.state == HoldingState::Live);
        let (done, expected) = match next(4) {
            0 | 1 => {
                let class = DataClass::ALL[1 + usize::from(next(3))];
                let new = holding(number, class, 1 + next(2), review);
                let done = change(store, organisation, |rows| rows.insert_holding(organisation, &new));
                if held.is_none() {
                    model.insert(number, new);
                }
                (done, held.is_none())
            }
            2 => {
                let done = change(store, organisation, |rows| {
                    rows.set_review(organisation, leaf(number), review.map(at))
                });
                if let Some(held) = model.get_mut(&number).filter(|_| live) {
                    held.review_at = review.map(at);
                }
                (done, live)
            }
            _ => {
                let done = change(store, organisation, |rows| {
                    rows.condemn(organisation, leaf(number), "rule", at(step))
                });
                if let Some(held) = model.get_mut(&number).filter(|_| live) {
                    held.state = HoldingState::Condemned { cause: "rule".to_owned(), at: at(step) };
                    held.review_at = None;
                }
                (done, live)
            }
        };
        assert_eq!(done, if expected { Ok(()) } else { Err(StoreError::Conflict) }, "step {step}");
        if step % 20 == 0 {
            agree(store, organisation, model, i64::from(next(32)));
        }
    }
}

fn agree(store: &dyn Store, organisation: &OrganisationId, model: &BTreeMap<u8, Holding>, before: i64) {
    let live = || model.values().filter(|held| held.state == HoldingState::Live);
    let mut expected: Vec<_> = live()
        .filter_map(|held| Some((held.review_at?.as_second(), held.leaf.get())))
        .filter(|(second, _)| *second <= before)
        .collect();
    expected.sort_unstable();
    assert_eq!(due(store, organisation, before, 3), expected);
    let mut tally: BTreeMap<u8, u64> = BTreeMap::new();
    live().for_each(|held| *tally.entry(held.class.code()).or_default() += 1);
    let asked: Result<(), StoreError> = ask(store, organisation, |rows| {
        assert_eq!(rows.late_count(organisation, at(before))?, expected.len() as u64);
        assert_eq!(rows.live_count(organisation)?, live().count() as u64);
        let counted = rows.tallies(organisation)?;
        let counted = counted.iter().filter(|row| row.live > 0).map(|row| (row.class.code(), row.live));
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), tally);
        assert_eq!(rows.oldest_review(organisation)?, live().filter_map(|held| held.review_at).min());
        for number in [1, 2] {
            let held: Vec<_> =
                model.values().filter(|held| held.subject == person(number)).cloned().collect();
            assert_eq!(rows.holdings_of(organisation, person(number))?, held);
        }
        Ok(())
    });
    asked.unwrap();
}

