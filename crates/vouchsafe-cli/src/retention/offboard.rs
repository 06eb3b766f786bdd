//! The end of a whole organisation: one plan, approved, run, certified.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vouchsafe::{OffboardingPlan, verify_offboarding};

use super::{APPROVED, Approve, read_approvals, read_approver};
use crate::folder::Place;
use crate::log::parse_key;
use crate::{CliError, files};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Plan it, and write the plan for review; changes nothing
    Plan(PlanArgs),
    /// Approve the plan with an approver's key; needs neither the folder nor a connection
    Approve(Approve),
    /// Run it: end every consent, destroy what nothing keeps, order recipients to delete; repeat it until it is done
    Run(Run),
    /// Check the certificate offline
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    place: Place,
    /// Where the plan is written; never over an existing file
    #[arg(long, value_name = "PLAN")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    place: Place,
    /// The plan
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Its approvals, one of each approver
    #[arg(long, value_name = "APPROVAL", required = true)]
    approval: Vec<PathBuf>,
    /// Where the certificate is written; never over an existing file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The certificate
    file: PathBuf,
    /// The log's verifier key, obtained from somewhere else than the certificate
    #[arg(long, value_name = "VKEY")]
    key: String,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Plan(plan) => plan.run(out),
            Self::Approve(args) => approve(args, out),
            Self::Run(run) => run.run(out),
            Self::Verify(verify) => {
                let note = files::read_text(&verify.file, CERTIFICATE)?;
                Ok(write!(out, "{}", verify_offboarding(&note, &parse_key(&verify.key)?)?)?)
            }
        }
    }
}

const CERTIFICATE: &str = "the certificate file";

impl PlanArgs {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let plan = self.place.open()?.organisation()?.plan_offboarding()?;
        files::write_new(&self.out, "the plan file", plan.text().as_bytes())?;
        tell(out, &plan)
    }
}

fn approve(approve: &Approve, out: &mut dyn Write) -> Result<(), CliError> {
    let plan = read_plan(&approve.plan)?;
    approve.write(&read_approver(&approve.key)?.approve_offboarding(&plan)?)?;
    tell(out, &plan)?;
    Ok(writeln!(out, "{APPROVED}")?)
}

impl Run {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        // What is destroyed cannot be certified into a name that is taken.
        if self.out.symlink_metadata().is_ok() {
            return Err(CliError::Exists(CERTIFICATE));
        }
        let (opened, plan) = (self.place.open()?, read_plan(&self.plan)?);
        let approvals = read_approvals(&self.approval)?;
        let approvals: Vec<&str> = approvals.iter().map(String::as_str).collect();
        let note = opened.organisation()?.offboard(&plan, &approvals)?;
        files::write_new(&self.out, CERTIFICATE, note.as_bytes())?;
        Ok(write!(out, "{note}")?)
    }
}

fn read_plan(path: &Path) -> Result<OffboardingPlan, CliError> {
    Ok(OffboardingPlan::parse(&files::read_text(path, "the plan file")?)?)
}

fn tell(out: &mut dyn Write, plan: &OffboardingPlan) -> Result<(), CliError> {
    write!(out, "{}", plan.text())?;
    writeln!(out, "digest {}", plan.digest())?;
    Ok(())
}
