//! The rules of retention as a reader of the documentation would apply them by hand, one moment at a time.

use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use super::calendar::{Moment, Span, end};

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) id: String,
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) role: Option<Role>,
    pub(crate) place: Option<Jurisdiction>,
    pub(crate) trigger: &'static str,
    pub(crate) is_floor: bool,
    pub(crate) is_statute: bool,
    /// `None` where its source states none.
    pub(crate) period: Option<Span>,
}

/// Whose holds are honoured over one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Honour {
    pub(crate) class: DataClass,
    pub(crate) place: Option<Jurisdiction>,
    pub(crate) authorities: Vec<&'static str>,
}

/// One matter that asks for a record to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matter {
    pub(crate) name: String,
    pub(crate) authority: &'static str,
    pub(crate) class: Option<DataClass>,
    pub(crate) placed: Moment,
    pub(crate) ends: Vec<Moment>,
}

/// A record, and what is known of it at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) role: Role,
    pub(crate) places: Vec<Jurisdiction>,
    /// By trigger; of several instants the one that counts.
    pub(crate) happened: Vec<(&'static str, Moment)>,
    pub(crate) frozen: bool,
}

/// What the rules make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A period is missing, or no ceiling covers the record.
    Gap,
    /// No ceiling's period has started.
    Open,
    /// To be destroyed at this moment, because of this rule.
    Due(Moment, String),
}

impl Known {
    /// Notes that something happened: the last interaction counts, of anything else the first.
    pub(crate) fn note(&mut self, trigger: &'static str, at: Moment) {
        match self.happened.iter_mut().find(|(known, _)| *known == trigger) {
            Some((_, known)) if trigger == "last_interaction" => *known = at.max(*known),
            Some((_, known)) => *known = at.min(*known),
            None => self.happened.push((trigger, at)),
        }
    }

    /// Whether a law of `place` reaches the record; with no residence stated, every law does.
    fn is_under(&self, place: Option<Jurisdiction>) -> bool {
        let reaches = |law: &str, home: &str| law == home || (law == "us" && home.starts_with("us-"));
        match place {
            None => true,
            Some(_) if self.places.is_empty() => true,
            Some(law) => self.places.iter().any(|home| reaches(law.name(), home.name())),
        }
    }

    fn is_covered_by(&self, clause: &Clause) -> bool {
        clause.class == self.class
            && (clause.modality.is_none() || clause.modality == self.modality)
            && (clause.role.is_none() || clause.role == Some(self.role))
            && self.is_under(clause.place)
    }

    /// The running periods of the rules that cover the record: when each ends.
    pub(crate) fn periods<'a>(&self, clauses: &'a [Clause]) -> Option<Vec<(&'a Clause, Moment)>> {
        let covering: Vec<_> = clauses.iter().filter(|clause| self.is_covered_by(clause)).collect();
        if covering.iter().all(|clause| clause.is_floor) {
            return None;
        }
        let mut running = Vec::new();
        for clause in covering {
            let period = clause.period?;
            for (trigger, start) in &self.happened {
                if *trigger == clause.trigger {
                    running.push((clause, end(*start, period)));
                }
            }
        }
        Some(running)
    }

    /// The matters that keep the record at `now`, and those that ask for it in vain, by name.
    pub(crate) fn held(
        &self,
        honours: &[Honour],
        matters: &[Matter],
        now: Moment,
    ) -> (Vec<String>, Vec<String>) {
        let (mut held, mut refused) = (Vec::new(), Vec::new());
        for matter in matters {
            let about = matter.class.is_none() || matter.class == Some(self.class);
            let runs = matter.placed <= now && matter.ends.iter().all(|end| now < *end);
            if !about || !runs {
                continue;
            }
            let vain = honours.iter().any(|row| {
                row.class == self.class
                    && self.is_under(row.place)
                    && !row.authorities.contains(&matter.authority)
            });
            if vain { refused.push(matter.name.clone()) } else { held.push(matter.name.clone()) }
        }
        held.sort();
        refused.sort();
        (held, refused)
    }
}

/// Whether a ceiling lets go at `now`: it has passed, and so has every floor that it does not outrank.
fn lets_go(periods: &[(&Clause, Moment)], ceiling: &(&Clause, Moment), now: Moment) -> bool {
    let outranked = |floor: &Clause| ceiling.0.is_statute && !floor.is_statute;
    let kept = |(floor, until): &(&Clause, Moment)| floor.is_floor && !outranked(floor) && now < *until;
    !ceiling.0.is_floor && ceiling.1 <= now && !periods.iter().any(kept)
}

/// Whether some ceiling lets go at `now`.
pub(crate) fn is_ripe(periods: &[(&Clause, Moment)], now: Moment) -> bool {
    periods.iter().any(|ceiling| lets_go(periods, ceiling, now))
}

/// When a record is due and which rule decides, by trying the end of every period in turn.
pub(crate) fn fate(periods: Option<&[(&Clause, Moment)]>) -> Fate {
    let Some(periods) = periods else { return Fate::Gap };
    let mut ends: Vec<_> = periods.iter().map(|(_, until)| *until).collect();
    ends.sort_unstable();
    let Some(due) = ends.into_iter().find(|now| is_ripe(periods, *now)) else { return Fate::Open };
    let mut named = Vec::new();
    for ceiling in periods.iter().filter(|ceiling| lets_go(periods, ceiling, due)) {
        if ceiling.1 == due {
            named.push(ceiling.0);
            continue;
        }
        for (floor, until) in periods {
            if floor.is_floor && *until == due && (floor.is_statute || !ceiling.0.is_statute) {
                named.push(floor);
            }
        }
    }
    let names = |clause: &Clause| {
        usize::from(clause.modality.is_some())
            + usize::from(clause.role.is_some())
            + usize::from(clause.place.is_some())
    };
    named.sort_by(|a, b| {
        names(b).cmp(&names(a)).then(b.is_statute.cmp(&a.is_statute)).then_with(|| a.id.cmp(&b.id))
    });
    named.first().map_or(Fate::Open, |clause| Fate::Due(due, clause.id.clone()))
}

/// Until when the rule that decided is kept back by floors that it does not outrank; `None` for a floor.
pub(crate) fn not_before(periods: &[(&Clause, Moment)], id: &str) -> Option<Moment> {
    let ceiling = periods.iter().find(|(clause, _)| clause.id == id && !clause.is_floor)?.0;
    let floors =
        periods.iter().filter(|(floor, _)| floor.is_floor && (floor.is_statute || !ceiling.is_statute));
    floors.map(|(_, until)| *until).max()
}
