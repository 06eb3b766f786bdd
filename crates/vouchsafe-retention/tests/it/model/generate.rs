//! Random lives. Moments come from a small pool and periods from a short list, so that ties, month ends,
//! 29 February and periods of no length are common.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use super::calendar::{Day, Moment, Span, end, length_of};
use super::draft::{AUTHORITIES, Draft, HonourDraft, RuleDraft, Source, TRIGGERS};
use super::life::{Case, Clock, Happening, Life, What};

const SPANS: [Span; 20] = [
    (0, 0, 0),
    (0, 0, 0),
    (0, 0, 1),
    (0, 0, 28),
    (0, 0, 29),
    (0, 0, 30),
    (0, 0, 31),
    (0, 1, 0),
    (0, 1, 1),
    (0, 2, 0),
    (0, 6, 0),
    (0, 11, 30),
    (0, 12, 0),
    (0, 0, 365),
    (1, 0, 0),
    (1, 1, 1),
    (0, 24, 0),
    (3, 0, 0),
    (4, 0, 0),
    (7, 0, 0),
];

const LAWS: [Jurisdiction; 5] =
    [Jurisdiction::Us, Jurisdiction::UsIl, Jurisdiction::UsTx, Jurisdiction::Eu, Jurisdiction::CaQc];

const HOMES: [Jurisdiction; 6] = [
    Jurisdiction::Us,
    Jurisdiction::UsIl,
    Jurisdiction::UsTx,
    Jurisdiction::Eu,
    Jurisdiction::UsCo,
    Jurisdiction::Elsewhere,
];

/// A moment of the pool, and how long after it.
#[derive(Debug, Clone, Copy)]
struct When(usize, Span);

impl When {
    fn on(self, pool: &[Moment]) -> Moment {
        end(pool[self.0 % pool.len()], self.1)
    }
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![7 => select(SPANS.as_slice()), 1 => (0u32..5, 0u32..14, 0u32..40)]
}

fn day() -> impl Strategy<Value = Day> {
    prop_oneof![
        5 => (2020i32..2031, 1u32..13, 1u32..32).prop_map(|(y, m, d)| (y, m, d.min(length_of(y, m)))),
        1 => Just((2024, 2, 29)),
        1 => Just((2023, 2, 28)),
        2 => (2022i32..2028, 1u32..13).prop_map(|(y, m)| (y, m, length_of(y, m))),
    ]
}

fn moment() -> impl Strategy<Value = Moment> {
    (day(), prop_oneof![6 => Just(0u32), 1 => Just(7_200), 1 => Just(43_200), 1 => Just(86_399)])
}

fn when() -> impl Strategy<Value = When> {
    (0usize..6, prop_oneof![3 => Just((0, 0, 0)), 2 => span()]).prop_map(|(i, span)| When(i, span))
}

fn rule() -> impl Strategy<Value = RuleDraft> {
    let whose = (option::weighted(0.3, any::<bool>()), option::weighted(0.3, any::<bool>()));
    let place = option::weighted(0.4, select(LAWS.as_slice()));
    let period = prop_oneof![120 => span().prop_map(Some), 1 => Just(None)];
    let source = prop_oneof![
        8 => Just(Source::Confirmed), 1 => Just(Source::Unconfirmed), 1 => Just(Source::Adopted)
    ];
    let bound = (prop::bool::weighted(0.25), 0usize..4, period, option::weighted(0.05, span()), source);
    (0u8..3, prop::bool::weighted(0.05), whose, place, select(TRIGGERS.as_slice()), bound).prop_map(
        |(letter, strange, (face, user), place, trigger, (is_floor, force, period, setting, source))| {
            RuleDraft {
                id: char::from(b'a' + letter).to_string(),
                class: if strange { DataClass::Account } else { DataClass::Biometric },
                modality: face.map(|face| if face { Modality::Face } else { Modality::Voice }),
                role: user.map(|user| if user { Role::EndUser } else { Role::Administrator }),
                place,
                trigger,
                is_floor,
                force,
                period,
                setting,
                source,
            }
        },
    )
}

fn honour() -> impl Strategy<Value = HonourDraft> {
    let place = option::weighted(0.5, select(LAWS.as_slice()));
    let authorities = prop::sample::subsequence(AUTHORITIES.to_vec(), 1..4);
    (place, authorities, prop::bool::weighted(0.85)).prop_map(|(place, authorities, is_confirmed)| {
        HonourDraft { class: DataClass::Biometric, place, authorities, is_confirmed }
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    (vec(rule(), 1..9), vec(honour(), 0..3)).prop_map(|(rules, honours)| Draft { rules, honours })
}

type Event = (When, Option<Span>, What);

fn event() -> impl Strategy<Value = Event> {
    let what = prop_oneof![
        3 => select(TRIGGERS.as_slice()).prop_map(What::Trigger),
        2 => Just(What::Trigger("last_interaction")),
        1 => select(HOMES.as_slice()).prop_map(What::Moved),
    ];
    (when(), option::weighted(0.15, span()), what)
}

type Raw = (When, usize, bool, Option<Span>, Option<Span>, bool);

fn case() -> impl Strategy<Value = Raw> {
    let span = || option::weighted(0.75, span());
    (when(), 0usize..5, prop::bool::weighted(0.3), span(), span(), prop::bool::weighted(0.3))
}

fn clock() -> impl Strategy<Value = (u32, Vec<(When, u32)>)> {
    let leap = prop_oneof![1 => Just(0u32), 2 => 2u32..40, 1 => 40u32..400];
    (select([0u32, 0, 7_200, 86_399].as_slice()), vec((when(), leap), 0..4))
}

/// Any life.
pub(crate) fn life() -> impl Strategy<Value = Life> {
    let class = prop_oneof![
        4 => Just(DataClass::Biometric), 1 => Just(DataClass::RightsRequest), 1 => Just(DataClass::AuditLog)
    ];
    let record = (select([0i8, 0, 9, -7].as_slice()), class, any::<bool>(), any::<bool>());
    let events =
        (vec(event(), 2..12), vec(case(), 0..3), option::weighted(0.1, (when(), option::of(span()))));
    let policies = (draft(), vec((when(), draft()), 0..3));
    (vec(moment(), 2..6), record, events, policies, clock()).prop_map(
        |(pool, (east, class, face, user), (events, cases, request), (first, later), (second, leaps))| {
            let pool = pool.as_slice();
            let biometric = class == DataClass::Biometric;
            let modality = if face { Modality::Face } else { Modality::Voice };
            let modality = Some(modality).filter(|_| biometric);
            let draft = |draft: Draft| about(draft, class);
            let policies = later.into_iter().map(|(at, later)| (at.on(pool), draft(later)));
            Life {
                east,
                class,
                modality,
                role: if user { Role::EndUser } else { Role::Administrator },
                happenings: events.into_iter().map(|event| happening(event, pool)).collect(),
                cases: cases.into_iter().map(|raw| trial(raw, class, pool)).collect(),
                requests: request
                    .filter(|_| class == DataClass::RightsRequest)
                    .map(|(from, span)| (from.on(pool), span.map(|span| end(from.on(pool), span))))
                    .into_iter()
                    .collect(),
                policies: std::iter::once(((2020, 1, 1), 0)).zip([draft(first)]).chain(policies).collect(),
                clock: Clock {
                    second,
                    leaps: leaps.into_iter().map(|(at, leap)| (at.on(pool).0, leap)).collect(),
                },
            }
        },
    )
}

fn happening((at, delay, what): Event, pool: &[Moment]) -> Happening {
    let at = at.on(pool);
    Happening { what, at, known: end(at, delay.unwrap_or_default()) }
}

fn trial(
    (at, authority, narrow, expires, released, is_foretold): Raw,
    class: DataClass,
    pool: &[Moment],
) -> Case {
    let placed = at.on(pool);
    Case {
        authority: AUTHORITIES[authority],
        class: match (narrow, is_foretold) {
            (false, _) => None,
            (true, true) => Some(DataClass::Account),
            (true, false) => Some(class),
        },
        placed,
        expires: expires.map(|span| end(placed, span)).filter(|expires| *expires > placed),
        released: released.map(|span| end(placed, span)),
        is_foretold,
    }
}

/// The draft about one class; ids get a number, so that they differ and sort by their letter first.
fn about(draft: Draft, class: DataClass) -> Draft {
    let rules = draft.rules.into_iter().enumerate().map(|(i, rule)| {
        let of_class = rule.class == DataClass::Biometric;
        let class = if of_class { class } else { DataClass::Account };
        let modality = rule.modality.filter(|_| class == DataClass::Biometric);
        let setting = rule.setting;
        RuleDraft { id: format!("{}{i}", rule.id), class, modality, setting, ..rule }
    });
    let honours = draft.honours.into_iter().map(|row| HonourDraft { class, ..row });
    Draft { rules: rules.collect(), honours: honours.collect() }
}
