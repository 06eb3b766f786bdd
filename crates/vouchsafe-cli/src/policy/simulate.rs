//! What becomes of the records of one life, until everything is gone.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::Timestamp;
use vouchsafe::retention::{Decision, Facts, PersonalAct, Policy, Trigger, Verdict};
use vouchsafe::types::DataClass;

use super::Running;
use super::explain::happened;
use super::life::{Event, Life, Record, What};
use crate::CliError;

#[derive(Args)]
pub(crate) struct Simulate {
    /// The life, as TOML (see `vouchsafe policy simulate --help`)
    #[arg(value_name = "LIFE.toml")]
    life: PathBuf,
    #[command(flatten)]
    running: Running,
}

/// What became of a record: when it was destroyed, or why it never is.
struct Fate {
    record: Record,
    destroyed_at: Option<Timestamp>,
    decision: Decision,
}

/// Something that changes the facts of one record.
#[derive(Clone)]
enum Change {
    Made(Timestamp),
    Happened(What),
}

impl Simulate {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let (policy, life) = (self.running.load()?, Life::read(&self.life)?);
        let fates = fates(&policy, &life)?;
        let event = |event: &Event| (event.at, format!("event      {}", event.what.words()));
        let mut lines: Vec<(Timestamp, String)> = life.events.iter().map(event).collect();
        lines.extend(fates.iter().filter_map(|fate| Some((fate.destroyed_at?, fate.line("destroyed")))));
        // Stable: what happens at an instant stands before what it destroys.
        lines.sort_by_key(|(at, _)| *at);
        for (at, line) in &lines {
            writeln!(out, "{at}  {line}")?;
        }
        let left: Vec<_> = fates.iter().filter(|fate| fate.destroyed_at.is_none()).collect();
        for fate in &left {
            writeln!(out, "{}", fate.line("left"))?;
        }
        writeln!(out, "records={} left={}", fates.len(), left.len())?;
        Ok(())
    }
}

impl Fate {
    fn line(&self, word: &str) -> String {
        let Record { class, modality, at } = self.record;
        let modality = modality.map(|modality| format!(" ({})", modality.name())).unwrap_or_default();
        format!("{word:<10} {}{modality}, made at {at}. {}", class.name(), self.decision.explanation())
    }
}

fn fates(policy: &Policy, life: &Life) -> Result<Vec<Fate>, CliError> {
    let is_template = |record: &&Record| record.class == DataClass::Biometric;
    let (templates, others): (Vec<&Record>, Vec<&Record>) = life.records.iter().partition(is_template);
    let mut fates = Vec::new();
    for record in templates {
        fates.push(fate(policy, life, *record, &[(record.at, Change::Made(record.at))])?);
    }
    let gone: Vec<_> = fates.iter().map(|fate| fate.destroyed_at).collect();
    for record in others {
        let made = if record.class == DataClass::ConsentEvidence {
            evidence_ages(life, record, &gone)
        } else {
            Some((record.at, Change::Made(record.at)))
        };
        fates.push(fate(policy, life, *record, made.as_slice())?);
    }
    if !life.records.iter().any(|record| record.class == DataClass::DestructionEvidence) {
        for at in gone.into_iter().flatten() {
            let record = Record { class: DataClass::DestructionEvidence, modality: None, at };
            fates.push(fate(policy, life, record, &[(at, Change::Made(at))])?);
        }
    }
    Ok(fates)
}

/// When consent evidence begins to age, and from when: it outlives every template, and counts from the newest act of
/// consent. `None` while a template is never destroyed.
fn evidence_ages(life: &Life, record: &Record, gone: &[Option<Timestamp>]) -> Option<(Timestamp, Change)> {
    let gone: Option<Vec<Timestamp>> = gone.iter().copied().collect();
    let begins = gone?.into_iter().max().map_or(record.at, |last| last.max(record.at));
    let consents = life.events.iter().filter(|event| {
        event.at <= begins
            && matches!(
                event.what,
                What::Act(PersonalAct::ConsentGiven) | What::Happened(Trigger::Withdrawal)
            )
    });
    let newest = consents.map(|event| event.at).max().map_or(record.at, |at| at.max(record.at));
    Some((begins, Change::Made(newest)))
}

fn fate(
    policy: &Policy,
    life: &Life,
    record: Record,
    made: &[(Timestamp, Change)],
) -> Result<Fate, CliError> {
    let facts = Facts::new(record.class, record.modality, life.role)?;
    let mut facts = life.places.iter().fold(facts, |facts, place| facts.residing(*place));
    let events = life.events.iter().map(|event| (event.at, Change::Happened(event.what)));
    let mut changes: Vec<_> = made.iter().map(|(at, change)| (*at, change.clone())).chain(events).collect();
    changes.sort_by_key(|(at, _)| *at);
    let (mut changes, mut now) = (changes.into_iter().peekable(), record.at);
    loop {
        while let Some((at, change)) = changes.next_if(|(at, _)| *at <= now) {
            facts = change.apply(facts, at, record.at);
        }
        let decision = policy.decide(&facts, &life.holds, now)?;
        let again = match decision.verdict() {
            Verdict::Due => return Ok(Fate { record, destroyed_at: Some(now), decision }),
            Verdict::Later(at) => Some(at),
            Verdict::Held { until } => until,
            Verdict::Open => None,
        };
        let change = changes.peek().map(|(at, _)| *at);
        match again.into_iter().chain(change).min() {
            Some(next) => now = next,
            None => return Ok(Fate { record, destroyed_at: None, decision }),
        }
    }
}

impl Change {
    fn apply(&self, facts: Facts, at: Timestamp, made: Timestamp) -> Facts {
        match self {
            Self::Made(at) => facts.created(*at),
            Self::Happened(What::Act(act)) => facts.acted(*act, at),
            Self::Happened(What::Moved(place)) => facts.residing(*place),
            // What happened before the record was made does not concern it.
            Self::Happened(What::Happened(trigger)) if at >= made => happened(facts, *trigger, at),
            Self::Happened(What::Happened(_)) => facts,
        }
    }
}
