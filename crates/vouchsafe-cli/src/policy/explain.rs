//! One decision, with its reasons.

use std::io::Write;

use clap::Args;
use vouchsafe::retention::{Authority, Facts, Hold, HoldId, PersonalAct, Trigger, Verdict};
use vouchsafe::types::{DataClass, Jurisdiction};
use vouchsafe::{Modality, Role, Timestamp};

use super::Running;
use crate::{CliError, words};

#[derive(Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    running: Running,
    /// The class of the record, for example biometric
    #[arg(long, value_parser = words::class)]
    class: DataClass,
    /// What was measured, of biometric data
    #[arg(long, value_parser = words::modality)]
    modality: Option<Modality>,
    /// In which capacity the person is known
    #[arg(long, value_parser = words::role, default_value = "end_user")]
    role: Role,
    /// Where the person lives or lived; none: every law of the policy applies
    #[arg(long = "lives-in", value_name = "PLACE", value_parser = words::place)]
    lives_in: Vec<Jurisdiction>,
    /// What happened when, for example last-interaction=2026-01-01
    #[arg(long = "event", value_name = "TRIGGER=WHEN", value_parser = event)]
    events: Vec<(Trigger, Timestamp)>,
    /// A legal hold in force, by its authority and matter, for example warrant:il-2026-104
    #[arg(long = "hold", value_name = "AUTHORITY:MATTER", value_parser = hold)]
    holds: Vec<(Authority, String)>,
    /// An open rights request rests on the record
    #[arg(long)]
    open_request: bool,
    /// The instant (RFC 3339) or day for which it is decided
    #[arg(long, value_name = "WHEN", value_parser = words::instant)]
    now: Timestamp,
}

fn event(text: &str) -> Result<(Trigger, Timestamp), String> {
    let (trigger, at) = words::pair(text, '=', "TRIGGER=WHEN")?;
    Ok((words::trigger(trigger)?, words::instant(at)?))
}

fn hold(text: &str) -> Result<(Authority, String), String> {
    let (authority, matter) = words::pair(text, ':', "AUTHORITY:MATTER")?;
    Ok((words::authority(authority)?, matter.to_owned()))
}

impl Explain {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let policy = self.running.load()?;
        let facts = Facts::new(self.class, self.modality, self.role)?;
        let facts = self.lives_in.iter().fold(facts, |facts, place| facts.residing(*place));
        let facts = self.events.iter().fold(facts, |facts, (trigger, at)| happened(facts, *trigger, *at));
        let facts = if self.open_request { facts.frozen() } else { facts };
        let decision = policy.decide(&facts, &self.holds()?, self.now)?;
        writeln!(out, "verdict  {}", verdict(decision.verdict()))?;
        writeln!(out, "{}", decision.explanation())?;
        Ok(())
    }

    fn holds(&self) -> Result<Vec<Hold>, CliError> {
        let numbered = self.holds.iter().zip(1_u128..);
        let placed = numbered.map(|((authority, matter), number)| {
            let id = HoldId::from_bytes(number.to_be_bytes());
            Ok(Hold::place(id, matter, *authority, self.now, ["one", "two"])?)
        });
        placed.collect()
    }
}

/// The facts after something happened; an interaction is one of the person's own.
pub(crate) fn happened(facts: Facts, trigger: Trigger, at: Timestamp) -> Facts {
    match trigger {
        Trigger::AccountDeletion => facts.account_deleted(at),
        Trigger::Creation => facts.created(at),
        Trigger::LearnedMinor => facts.learned_minor(at),
        Trigger::MethodDisabled => facts.method_disabled(at),
        Trigger::PurposeMet => facts.purpose_met(at),
        Trigger::Withdrawal => facts.withdrawn(at),
        // `words::trigger` knows no others than these seven.
        _ => facts.acted(PersonalAct::Verified, at),
    }
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Due => "due".to_owned(),
        Verdict::Held { until: Some(until) } => format!("held until {until} at the earliest"),
        Verdict::Held { until: None } => "held without a stated end".to_owned(),
        Verdict::Later(at) => format!("later, at {at}"),
        Verdict::Open => "open: nothing that starts a period has happened".to_owned(),
    }
}
