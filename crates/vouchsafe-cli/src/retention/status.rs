//! Whether the organisation keeps to its policy, and putting another one in force.

use std::io::Write;

use clap::Args;
use jiff::SignedDuration;
use vouchsafe::RetentionStatus;
use vouchsafe::retention::Stage;
use vouchsafe::types::Digest;

use crate::folder::{Opened, Place};
use crate::{CliError, words};

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,
    /// After how many hours without being looked at a holding is late: how often the sweep runs, and some
    #[arg(long, value_name = "HOURS", default_value_t = 36, value_parser = clap::value_parser!(u16).range(1..))]
    margin: u16,
    /// Print gauges in the text format of Prometheus instead
    #[arg(long)]
    metrics: bool,
    /// Write an entry of the log when something is late
    #[arg(long)]
    watch: bool,
}

#[derive(Args)]
pub(crate) struct Activate {
    #[command(flatten)]
    place: Place,
    /// The digest of the policy, as `policy diff` printed it
    #[arg(value_name = "DIGEST", value_parser = words::digest)]
    digest: Digest,
}

impl Status {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let margin = SignedDuration::from_hours(self.margin.into());
        let status = if self.watch {
            organisation.watch_retention(margin)?
        } else {
            organisation.retention_status(margin)?
        };
        if self.metrics {
            write!(out, "{}", status.to_metrics(opened.id()))?;
        } else {
            tell(out, &opened, &status)?;
            for job in organisation.jobs()?.iter().filter(|job| job.finished_at.is_none()) {
                writeln!(
                    out,
                    "job        {}, begun {}, taken up {} times",
                    job.kind.name(),
                    job.created_at,
                    job.attempts
                )?;
            }
        }
        if status.late > 0 { Err(CliError::Late(status.late)) } else { Ok(()) }
    }
}

fn tell(out: &mut dyn Write, opened: &Opened, status: &RetentionStatus) -> Result<(), CliError> {
    let in_force = status.policy.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
    let at = |at: Option<vouchsafe::Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let policy = opened.policy();
    let needed = |stage| policy.approvals().needed(stage);
    writeln!(out, "in force   {in_force}")?;
    if !status.is_current {
        writeln!(out, "opened     {}, which is another one: nothing is swept under it", policy.digest())?;
    }
    writeln!(
        out,
        "approvals  {} scheduled, {} offboarding",
        needed(Stage::Scheduled),
        needed(Stage::Offboarding)
    )?;
    writeln!(out, "swept at   {}", at(status.swept_at))?;
    writeln!(out, "next look  {}", at(status.next_at))?;
    writeln!(out, "live       {}", status.live)?;
    writeln!(out, "condemned  {}", status.condemned)?;
    writeln!(out, "late       {}", status.late)?;
    if status.late > 0 {
        writeln!(out, "oldest     {} hours late", status.lateness.as_hours())?;
    }
    Ok(())
}

impl Activate {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        if opened.policy().digest() != self.digest {
            return Err(CliError::OtherPolicy);
        }
        writeln!(out, "in force  {}", opened.organisation()?.activate_policy()?)?;
        writeln!(out, "the service has to be opened with the same packs, or it sweeps nothing")?;
        Ok(())
    }
}
