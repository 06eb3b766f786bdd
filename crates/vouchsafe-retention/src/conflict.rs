use std::fmt::Write as _;

use crate::{Confidence, Policy, Rule, RuleKind, contradiction};

/// Where two sources do not say the same, and what is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    kind: ConflictKind,
    first: String,
    second: String,
    resolution: String,
}

/// What kind of conflict it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ConflictKind {
    /// Sources state different ages: the highest counts.
    Age,
    /// Two sources destroy the same data after different periods: the shortest that applies wins.
    Ceilings,
    /// A law keeps what another source destroys: the law wins.
    Precedence,
    /// A promise goes against arithmetic, a law or another promise.
    Promise,
    /// A source collects data and states no period: the organisation states one, or nothing is stored.
    Silence,
}

impl ConflictKind {
    /// Every kind, by name.
    pub const ALL: [Self; 5] = [Self::Age, Self::Ceilings, Self::Precedence, Self::Promise, Self::Silence];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Ceilings => "ceilings",
            Self::Precedence => "precedence",
            Self::Promise => "promise",
            Self::Silence => "silence",
        }
    }
}

impl Conflict {
    /// What kind of conflict it is.
    pub const fn kind(&self) -> ConflictKind {
        self.kind
    }

    /// What the one source says, with its citation.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// What the other source says, with its citation; for [`ConflictKind::Silence`], that it says nothing.
    pub fn second(&self) -> &str {
        &self.second
    }

    /// What is done.
    pub fn resolution(&self) -> &str {
        &self.resolution
    }
}

impl Policy {
    /// Every conflict among the packs, and how it is resolved; sorted by kind, then in the order of the packs.
    ///
    /// A contradiction that nothing resolves is not among them: it is refused when the packs are loaded.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = self.conflicts_of_age();
        found.extend(self.conflicts_of_ceilings());
        found.extend(contradiction::pairs(self.rules()).map(|(floor, ceiling)| Conflict {
            kind: ConflictKind::Precedence,
            first: bound(floor),
            second: bound(ceiling),
            resolution: format!("`{}` binds by law and wins.", floor.id()),
        }));
        found.extend(self.notes().iter().filter_map(|note| {
            let (against, how) = note.against()?;
            let first = format!("{} ({}, `{}`)", note.says(), note.clause(), note.id());
            let known =
                if note.confidence() == Confidence::Confirmed { "" } else { " The source is not confirmed." };
            let (second, resolution) = (against.to_owned(), format!("{how}{known}"));
            Some(Conflict { kind: ConflictKind::Promise, first, second, resolution })
        }));
        found.extend(self.gaps().iter().filter_map(|gap| {
            let rule = gap.rule()?;
            Some(Conflict {
                kind: ConflictKind::Silence,
                first: format!("{} ({}, `{}`)", rule.says(), rule.clause(), rule.id()),
                second: "no period is stated".to_owned(),
                resolution:
                    "The organisation states one in its pack; until then no such data has a deadline, and \
                             resolving one is refused."
                        .to_owned(),
            })
        }));
        found
    }

    /// [`Self::conflicts`] in Markdown.
    pub fn conflict_report(&self) -> String {
        let mut text = String::from(
            "# Conflicts\n\nGenerated from the packs. Contradictions that no precedence resolves are refused when packs \
             are loaded.\n\n| kind | one source | another | what is done |\n|---|---|---|---|\n",
        );
        for Conflict { kind, first, second, resolution } in self.conflicts() {
            let _ = writeln!(text, "| {} | {first} | {second} | {resolution} |", kind.name());
        }
        text
    }

    fn conflicts_of_age(&self) -> Vec<Conflict> {
        let Some(oldest) = self.ages().iter().max_by_key(|age| age.years()) else { return Vec::new() };
        let lower = self.ages().iter().filter(|age| age.years() < oldest.years());
        let stated = |years: u8, clause: &str, id: &str| format!("{years} years ({clause}, `{id}`)");
        let conflict = lower.map(|age| Conflict {
            kind: ConflictKind::Age,
            first: stated(age.years(), age.clause(), age.id()),
            second: stated(oldest.years(), oldest.clause(), oldest.id()),
            resolution: format!("Nobody under {} is enrolled.", self.minimum_age().unwrap_or(oldest.years())),
        });
        conflict.collect()
    }

    /// Longer ceilings in force, each with the shorter ones of other packs, those that decide nothing included.
    fn conflicts_of_ceilings(&self) -> impl Iterator<Item = Conflict> {
        let ceilings = || self.rules().iter().filter(|rule| rule.kind() == RuleKind::Ceiling);
        let shorter = move |longer: &Rule, rule: &Rule| {
            let exceeds = longer.period().zip(rule.period()).is_some_and(|(a, b)| a.may_exceed(b));
            exceeds
                && longer.pack() != rule.pack()
                && longer.trigger() == rule.trigger()
                && longer.overlaps(rule)
        };
        ceilings().filter(|longer| longer.is_enabled()).flat_map(move |longer| {
            ceilings().filter(move |rule| shorter(longer, rule)).map(move |rule| Conflict {
                kind: ConflictKind::Ceilings,
                first: bound(longer),
                second: bound(rule),
                resolution: shortest(rule),
            })
        })
    }
}

fn shortest(rule: &Rule) -> String {
    let id = rule.id();
    let place = rule
        .jurisdiction()
        .map(|place| format!(" for people of {}, and where no place is known", place.name()));
    let place = place.unwrap_or_default();
    match (rule.is_enabled(), rule.adoption()) {
        (true, None) => format!("The shorter `{id}` wins{place}."),
        (true, Some(adoption)) => format!("The shorter `{id}` wins{place}; adopted by {}.", adoption.by()),
        (false, _) => {
            format!(
                "The source of `{id}` is not confirmed: it decides nothing until an organisation adopts it."
            )
        }
    }
}

fn bound(rule: &Rule) -> String {
    let period = rule.period().map_or_else(|| "not stated".to_owned(), |period| period.to_string());
    let (kind, trigger) = (rule.kind().name(), rule.trigger().words());
    let when = if period == "at once" { "at once when" } else { "after" };
    let period = if period == "at once" { String::new() } else { format!("{period} ") };
    format!("{}: {kind}, {period}{when} {trigger} ({}, `{}`)", rule.class().name(), rule.clause(), rule.id())
}
