//! Retention: plan what is due, approve a plan, run it, certify what was destroyed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use vouchsafe::retention::{PlanItem, Policy, RetentionError};
use vouchsafe::{Destruction, Plan, Timestamp, VirtualClock};

use crate::folder::{Opened, Place};
use crate::{CliError, files};

pub(crate) mod certificate;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Plan what the policy says is due, and write the plan for review; changes nothing
    Plan(PlanArgs),
    /// Approve a plan that somebody looked at; the log records it
    Approve(Approve),
    /// Run an approved plan: destroy what is still due
    Run(Run),
    /// Plan and run in one step, within the breaker's share; also goes on with interrupted destructions
    Sweep(Sweep),
    /// Print the signed certificate of a destroyed holding
    Certify(certificate::Certify),
    /// Check a certificate offline, and whether it is about a person's enrolment
    CheckCertificate(certificate::Check),
}

#[derive(Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    place: Place,
    /// Where the plan is written; never over an existing file
    #[arg(long, value_name = "PLAN.json")]
    out: PathBuf,
    /// Plan as of another instant (RFC 3339), for drills; running asks the real clock again
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
}

#[derive(Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    place: Place,
    /// The plan
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// Where the approval is written; never over an existing file
    #[arg(long, value_name = "APPROVAL")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    place: Place,
    /// The plan
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// Its approval
    #[arg(long, value_name = "APPROVAL")]
    approval: PathBuf,
}

#[derive(Args)]
pub(crate) struct Sweep {
    #[command(flatten)]
    place: Place,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Plan(plan) => plan.run(out),
            Self::Approve(approve) => approve.run(out),
            Self::Run(run) => run.run(out),
            Self::Sweep(sweep) => {
                let opened = sweep.place.open()?;
                destroyed(out, opened.organisation()?.sweep()?)
            }
            Self::Certify(certify) => certify.run(out),
            Self::CheckCertificate(check) => check.run(out),
        }
    }
}

impl PlanArgs {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = match self.at {
            Some(at) => self.place.open_at(Arc::new(VirtualClock::starting_at(at)))?,
            None => self.place.open()?,
        };
        let plan = opened.organisation()?.plan_retention()?;
        files::write_new(&self.out, "the plan file", &plan.to_bytes()?)?;
        summary(out, &plan)?;
        samples(out, &plan, opened.policy())
    }
}

impl Approve {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let plan = read_plan(&self.plan)?;
        in_force(&opened, &plan)?;
        if self.out.exists() {
            // Asked before the log is written to; the file itself is made with the same demand.
            return Err(CliError::Exists("the approval file"));
        }
        let approval = opened.organisation()?.approve_plan(&plan)?;
        files::write_new(&self.out, "the approval file", approval.as_bytes())?;
        summary(out, &plan)?;
        writeln!(out, "approved; the log records it")?;
        Ok(())
    }
}

impl Run {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let plan = read_plan(&self.plan)?;
        let approval = files::read_text(&self.approval, "the approval file")?;
        destroyed(out, opened.organisation()?.run_plan(plan, &approval)?)
    }
}

fn read_plan(path: &Path) -> Result<Plan, CliError> {
    Ok(Plan::parse(&files::read(path, "the plan file")?)?)
}

fn in_force(opened: &Opened, plan: &Plan) -> Result<(), CliError> {
    if plan.policy() == opened.policy().digest() { Ok(()) } else { Err(RetentionError::PolicyChanged.into()) }
}

fn summary(out: &mut dyn Write, plan: &Plan) -> Result<(), CliError> {
    writeln!(out, "plan        {}", plan.digest()?)?;
    writeln!(out, "policy      {}", plan.policy())?;
    writeln!(out, "made at     {}", plan.made_at())?;
    writeln!(out, "considered  {}", plan.considered())?;
    writeln!(out, "due         {}", plan.items().len())?;
    for (class, count) in plan.counts() {
        writeln!(out, "  {:<20} {count}", class.name())?;
    }
    if let (Some(earliest), Some(latest)) = (plan.earliest(), plan.latest()) {
        writeln!(out, "earliest    {earliest}")?;
        writeln!(out, "latest      {latest}")?;
    }
    Ok(())
}

/// Explains the first item of each rule that decided.
fn samples(out: &mut dyn Write, plan: &Plan, policy: &Policy) -> Result<(), CliError> {
    let mut explained: Vec<&str> = Vec::new();
    for item in plan.items() {
        if explained.contains(&item.rule()) {
            continue;
        }
        explained.push(item.rule());
        writeln!(out, "for example leaf {}: {}", item.id(), explain(item, policy))?;
    }
    Ok(())
}

fn explain(item: &PlanItem, policy: &Policy) -> String {
    let (class, id, due) = (item.class().name(), item.rule(), item.due());
    let Some(rule) = policy.rule(id) else { return format!("{class}, due at {due} by {id}") };
    let after = match rule.period() {
        Some(period) if !period.is_at_once() => format!("{period} after"),
        _ => "when".to_owned(),
    };
    let (clause, trigger, says) = (rule.clause(), rule.trigger().words(), rule.says());
    format!("{class}, due at {due}, {after} {trigger}, by {id} ({clause}): {says}")
}

/// Prints what was destroyed.
pub(crate) fn destroyed(out: &mut dyn Write, destruction: Destruction) -> Result<(), CliError> {
    let certificates = match destruction {
        Destruction::Done(certificates) => certificates,
        Destruction::Pending(incomplete) => {
            let cause = incomplete.cause().to_string();
            return Err(CliError::Pending { cause });
        }
    };
    for certificate in &certificates {
        certificate::line(out, certificate)?;
    }
    writeln!(out, "destroyed={}", certificates.len())?;
    Ok(())
}
