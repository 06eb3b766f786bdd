//! What changes between two policies, before the second is activated.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::retention::Policy;

use super::check::bound;
use super::load;
use crate::CliError;
use crate::folder::Place;
use crate::parts::Parts;

#[derive(Args)]
pub(crate) struct Diff {
    /// A pack of the policy as it is, behind those that ship
    #[arg(long, value_name = "PACK.toml", num_args = 1..)]
    old: Vec<PathBuf>,
    /// A pack of the policy as it becomes, behind those that ship
    #[arg(long, value_name = "PACK.toml", num_args = 1..)]
    new: Vec<PathBuf>,
    /// Without the packs that ship
    #[arg(long)]
    alone: bool,
    /// The folder whose records are counted; the old policy has to be the one in force there
    #[arg(long, value_name = "FOLDER", requires = "org", conflicts_with = "alone")]
    dir: Option<PathBuf>,
    /// The organisation
    #[arg(long, value_name = "ID", requires = "dir")]
    org: Option<String>,
    #[command(flatten)]
    parts: Parts,
}

impl Diff {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let (old, new) = (load(&self.old, self.alone)?, load(&self.new, self.alone)?);
        writeln!(out, "old  {}", old.digest())?;
        writeln!(out, "new  {}", new.digest())?;
        rules(out, &old, &new)?;
        let Some((dir, org)) = self.dir.clone().zip(self.org.clone()) else { return Ok(()) };
        let place = Place::new(dir, org, self.parts.clone()).with_packs(self.old.clone());
        let opened = place.open()?;
        let shifts = opened.organisation()?.compare_policy(&new)?;
        writeln!(
            out,
            "{:<22}{:>11}{:>11}{:>11}{:>11}{:>11}",
            "class", "held", "earlier", "later", "due now", "gaps"
        )?;
        for (class, shift) in &shifts {
            let numbers = [shift.considered, shift.earlier, shift.later, shift.newly_due, shift.gaps];
            let numbers: String = numbers.iter().map(|number| format!("{number:>11}")).collect();
            writeln!(out, "{:<22}{numbers}", class.name())?;
        }
        let sum = |of: fn(&vouchsafe::retention::Shift) -> u64| shifts.values().map(of).sum::<u64>();
        let (earlier, later) = (sum(|shift| shift.earlier), sum(|shift| shift.later));
        let (due, gaps) = (sum(|shift| shift.newly_due), sum(|shift| shift.gaps));
        writeln!(out, "earlier={earlier} later={later} newly-due={due} gaps={gaps}, legal holds aside")?;
        Ok(())
    }
}

fn rules(out: &mut dyn Write, old: &Policy, new: &Policy) -> Result<(), CliError> {
    let changes = old.diff(new);
    for change in &changes {
        for (mark, rule) in [('-', change.before()), ('+', change.after())] {
            if let Some(rule) = rule {
                let state = if rule.is_enabled() { "" } else { ", decides nothing" };
                writeln!(out, "{mark} {}{state}", bound(rule))?;
            }
        }
    }
    writeln!(out, "rules-changed={}", changes.len())?;
    Ok(())
}
