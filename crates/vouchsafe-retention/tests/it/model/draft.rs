//! A policy before it is text: written as packs for the crate, and as plain clauses for the naive rules.

use std::cell::RefCell;
use std::collections::BTreeMap;

use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use super::calendar::{Moment, Span, end, next};
use super::naive::{Clause, Honour};

pub(crate) const TRIGGERS: [&str; 7] = [
    "creation",
    "last_interaction",
    "purpose_met",
    "withdrawal",
    "account_deletion",
    "method_disabled",
    "learned_minor",
];

pub(crate) const AUTHORITIES: [&str; 5] =
    ["court_order", "litigation_notice", "regulator", "subpoena", "warrant"];

const FORCES: [&str; 4] = ["notice", "statute", "library", "organisation"];

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) rules: Vec<RuleDraft>,
    pub(crate) honours: Vec<HonourDraft>,
}

#[derive(Debug, Clone)]
pub(crate) struct RuleDraft {
    pub(crate) id: String,
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) role: Option<Role>,
    pub(crate) place: Option<Jurisdiction>,
    pub(crate) trigger: &'static str,
    pub(crate) is_floor: bool,
    pub(crate) force: usize,
    pub(crate) period: Option<Span>,
    /// What the organisation sets a configurable rule to.
    pub(crate) setting: Option<Span>,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Confirmed,
    Unconfirmed,
    Adopted,
}

#[derive(Debug, Clone)]
pub(crate) struct HonourDraft {
    pub(crate) class: DataClass,
    pub(crate) place: Option<Jurisdiction>,
    pub(crate) authorities: Vec<&'static str>,
    pub(crate) is_confirmed: bool,
}

/// What the naive rules read.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) honours: Vec<Honour>,
}

impl Draft {
    /// One pack for each force, and one of the organisation's for settings and adoptions.
    pub(crate) fn packs(&self) -> Vec<String> {
        let mut packs: Vec<_> = FORCES.iter().map(|force| head(force, force)).collect();
        for rule in &self.rules {
            packs[rule.force].push_str(&rule.toml());
        }
        for (i, honour) in self.honours.iter().enumerate() {
            packs[1].push_str(&honour.toml(i));
        }
        let mut own = head("own", "organisation");
        for rule in &self.rules {
            if let Some(setting) = rule.setting {
                own += &format!("[[setting]]\nrule = \"{}\"\nperiod = \"{}\"\n", rule.id, words(setting));
            }
            if rule.source == Source::Adopted {
                own += &format!("[[adopt]]\nrule = \"{}\"\nby = \"counsel\"\non = \"2019-01-01\"\n", rule.id);
            }
        }
        packs.push(own);
        packs
    }

    pub(crate) fn plain(&self) -> Rules {
        let enabled = self.rules.iter().filter(|rule| rule.source != Source::Unconfirmed);
        let confirmed = self.honours.iter().filter(|row| row.is_confirmed);
        Rules {
            clauses: enabled.map(RuleDraft::clause).collect(),
            honours: confirmed
                .map(|row| Honour {
                    class: row.class,
                    place: row.place,
                    authorities: row.authorities.clone(),
                })
                .collect(),
        }
    }

    /// The floors that may keep what a ceiling of the same trigger wants gone, with no law above it.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let clauses = self.plain().clauses;
        let ceilings: Vec<_> = clauses.iter().filter(|clause| !clause.is_floor).collect();
        let against = |floor: &&Clause| ceilings.iter().any(|ceiling| contradict(floor, ceiling));
        clauses.iter().filter(|c| c.is_floor).filter(against).map(|floor| floor.id.clone()).collect()
    }

    pub(crate) fn without(&self, ids: &[String]) -> Self {
        let rules = self.rules.iter().filter(|rule| !ids.contains(&rule.id)).cloned().collect();
        Self { rules, honours: self.honours.clone() }
    }
}

impl RuleDraft {
    fn clause(&self) -> Clause {
        Clause {
            id: self.id.clone(),
            class: self.class,
            modality: self.modality,
            role: self.role,
            place: self.place,
            trigger: self.trigger,
            is_floor: self.is_floor,
            is_statute: FORCES[self.force] == "statute",
            period: self.setting.or(self.period),
        }
    }

    fn toml(&self) -> String {
        let mut text = format!("[[rule]]\nid = \"{}\"\nclass = \"{}\"\n", self.id, self.class.name());
        if let Some(modality) = self.modality {
            text += &format!("modality = \"{}\"\n", modality.name());
        }
        if let Some(role) = self.role {
            text += &format!("role = \"{}\"\n", role.name());
        }
        if let Some(place) = self.place {
            text += &format!("jurisdiction = \"{}\"\n", place.name());
        }
        if self.setting.is_some() && self.period.is_some() {
            text += "least = \"at once\"\nmost = \"40 years\"\n";
        }
        let kind = if self.is_floor { "floor" } else { "ceiling" };
        let period = self.period.map_or_else(|| "not stated".to_owned(), words);
        let confidence = if self.source == Source::Confirmed { "confirmed" } else { "unconfirmed" };
        text + &format!(
            "trigger = \"{}\"\nkind = \"{kind}\"\nperiod = \"{period}\"\nclause = \"T\"\nsays = \"S.\"\n\
             confidence = \"{confidence}\"\n",
            self.trigger
        )
    }
}

impl HonourDraft {
    fn toml(&self, number: usize) -> String {
        let place =
            self.place.map_or_else(String::new, |place| format!("jurisdiction = \"{}\"\n", place.name()));
        let confidence = if self.is_confirmed { "confirmed" } else { "unconfirmed" };
        format!(
            "[[honour]]\nid = \"h{number}\"\nclass = \"{}\"\n{place}authorities = \"{}\"\nclause = \"T\"\n\
             says = \"S.\"\nconfidence = \"{confidence}\"\n",
            self.class.name(),
            self.authorities.join(", ")
        )
    }
}

fn head(id: &str, force: &str) -> String {
    format!("format = 1\nid = \"{id}\"\nversion = \"1\"\ntitle = \"T\"\nkind = \"{force}\"\n")
}

fn words((years, months, days): Span) -> String {
    if (years, months, days) == (0, 0, 0) {
        return "at once".to_owned();
    }
    let parts = [(years, "years"), (months, "months"), (days, "days")];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

fn contradict(floor: &Clause, ceiling: &Clause) -> bool {
    let modality =
        floor.modality.is_none() || ceiling.modality.is_none() || floor.modality == ceiling.modality;
    let role = floor.role.is_none() || ceiling.role.is_none() || floor.role == ceiling.role;
    let place = match (floor.place, ceiling.place) {
        (Some(a), Some(b)) => {
            let inside = |law: &str, home: &str| law == home || (law == "us" && home.starts_with("us-"));
            inside(a.name(), b.name()) || inside(b.name(), a.name())
        }
        _ => true,
    };
    let meet = floor.class == ceiling.class && floor.trigger == ceiling.trigger && modality && role && place;
    let precedence = floor.is_statute && !ceiling.is_statute;
    match (floor.period, ceiling.period) {
        (Some(least), Some(most)) => meet && !precedence && may_exceed(least, most),
        _ => false,
    }
}

/// Whether from some day on the first ends after the second; every day of four years is tried, once for each pair.
fn may_exceed(a: Span, b: Span) -> bool {
    let tried = || {
        let days = std::iter::successors(Some((2023, 1, 1)), |day| Some(next(*day))).take(1461);
        let ends = |day, span| -> Moment { end((day, 0), span) };
        days.into_iter().any(|day| ends(day, a) > ends(day, b))
    };
    let known = TRIED.with_borrow(|known| known.get(&(a, b)).copied());
    known.unwrap_or_else(|| {
        let exceeds = tried();
        TRIED.with_borrow_mut(|known| known.insert((a, b), exceeds));
        exceeds
    })
}

thread_local! {
    static TRIED: RefCell<BTreeMap<(Span, Span), bool>> = const { RefCell::new(BTreeMap::new()) };
}
