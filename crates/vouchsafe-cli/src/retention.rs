//! Retention: plan what is due, approve a plan, run it, certify what was destroyed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use vouchsafe::keys::OsEntropy;
use vouchsafe::retention::{PlanItem, Policy};
use vouchsafe::types::{Digest, Secret, SecretBytes};
use vouchsafe::{Approver, Destruction, Pace, Plan, Timestamp, VirtualClock};

use crate::folder::Place;
use crate::log::parse_key;
use crate::{CliError, files};

pub(crate) mod certificate;
pub(crate) mod offboard;
pub(crate) mod status;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Plan what the policy says is due, and write the plan for review; changes nothing
    Plan(PlanArgs),
    /// Make the key of somebody who may approve destruction
    NewApprover(NewApprover),
    /// Let the service know an approver's key; by default it knows none
    TrustApprover(TrustApprover),
    /// Approve a plan with an approver's key; needs neither the folder nor a connection
    Approve(Approve),
    /// Run an approved plan: destroy what is still due
    Run(Run),
    /// Plan and run in one step, within the breaker's share; also goes on with interrupted destructions
    Sweep(Sweep),
    /// Print the signed certificate of a destroyed holding
    Certify(certificate::Certify),
    /// Check a certificate offline, and whether it is about a person's enrolment
    CheckCertificate(certificate::Check),
    /// Say whether the organisation keeps to its policy now; 1 when something is late
    Status(status::Status),
    /// Put the policy of these packs in force; compare it with the one in force first (`policy diff`)
    Activate(status::Activate),
    /// End a whole organisation: plan, approve, run, verify
    #[command(subcommand)]
    Offboard(offboard::Command),
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
pub(crate) struct NewApprover {
    /// Who it is: a name without spaces, for example dpo.example
    name: String,
    /// Where the secret key is written, for its owner alone; never over an existing file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct TrustApprover {
    #[command(flatten)]
    place: Place,
    /// The key that `new-approver` printed
    #[arg(value_name = "KEY")]
    key: String,
}

/// What an approval takes, whatever kind of plan it is.
#[derive(Args)]
pub(crate) struct Approve {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// The approver's secret key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
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
    /// Its approvals, one of each approver
    #[arg(long, value_name = "APPROVAL", required = true)]
    approval: Vec<PathBuf>,
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
            Self::NewApprover(new) => new.run(out),
            Self::TrustApprover(trust) => trust.run(out),
            Self::Approve(approve) => approve.run(out),
            Self::Run(run) => run.run(out),
            Self::Sweep(sweep) => {
                let opened = sweep.place.open()?;
                destroyed(out, opened.organisation()?.sweep()?)
            }
            Self::Certify(certify) => certify.run(out),
            Self::CheckCertificate(check) => check.run(out),
            Self::Status(status) => status.run(out),
            Self::Activate(activate) => activate.run(out),
            Self::Offboard(command) => command.run(out),
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
        let mut signature = self.out.clone().into_os_string();
        signature.push(".signature");
        let signed = opened.organisation()?.sign_plan(&plan)?;
        files::write_new(Path::new(&signature), "the plan's signature", signed.as_bytes())?;
        summary(out, &plan)?;
        samples(out, &plan, opened.policy())
    }
}

impl NewApprover {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let seed = Secret::random(&OsEntropy::new()).map_err(vouchsafe::Error::from)?;
        let approver = Approver::from_seed(&self.name, &seed)?;
        let text = SecretBytes::new(format!("{} {}\n", self.name, hex(seed.expose_secret())).into_bytes());
        files::write_new(&self.out, "the approver's key file", text.expose_secret())?;
        writeln!(out, "{}", approver.key())?;
        Ok(())
    }
}

impl TrustApprover {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let key = parse_key(&self.key)?;
        drop(self.place.open()?);
        let name = key.name().to_owned();
        self.place.append_approver(&key)?;
        writeln!(out, "{name} may approve destruction from the next start of the service on")?;
        Ok(())
    }
}

impl Approve {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let plan = read_plan(&self.plan)?;
        self.write(&read_approver(&self.key)?.approve(&plan)?)?;
        summary(out, &plan)?;
        Ok(writeln!(out, "{APPROVED}")?)
    }

    pub(crate) fn write(&self, approval: &str) -> Result<(), CliError> {
        files::write_new(&self.out, APPROVAL, approval.as_bytes())
    }
}

pub(crate) const APPROVED: &str = "approved; the log records it when the plan is run";
const APPROVAL: &str = "the approval file";

pub(crate) fn read_approvals(paths: &[PathBuf]) -> Result<Vec<String>, CliError> {
    paths.iter().map(|path| files::read_text(path, APPROVAL)).collect()
}

impl Run {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let plan = read_plan(&self.plan)?;
        let approvals = read_approvals(&self.approval)?;
        let approvals: Vec<&str> = approvals.iter().map(String::as_str).collect();
        destroyed(out, opened.organisation()?.run_plan(plan, &approvals, Pace::default())?)
    }
}

pub(crate) fn read_approver(path: &Path) -> Result<Approver, CliError> {
    const MALFORMED: CliError = CliError::Malformed("the approver's key file");
    let text = SecretBytes::new(files::read(path, "the approver's key file")?);
    let text = std::str::from_utf8(text.expose_secret()).map_err(|_| MALFORMED)?;
    let (name, seed) = text.trim_end().split_once(' ').ok_or(MALFORMED)?;
    let digest = Digest::parse(seed).map_err(|_| MALFORMED)?;
    Ok(Approver::from_seed(name, &Secret::init_with(|seed| seed.copy_from_slice(digest.as_bytes())))?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_plan(path: &Path) -> Result<Plan, CliError> {
    Ok(Plan::parse(&files::read(path, "the plan file")?)?)
}

fn summary(out: &mut dyn Write, plan: &Plan) -> Result<(), CliError> {
    writeln!(out, "plan        {}", plan.digest()?)?;
    writeln!(out, "policy      {}", plan.policy())?;
    writeln!(out, "made at     {}", plan.made_at())?;
    writeln!(out, "considered  {}", plan.considered())?;
    writeln!(out, "due         {}", plan.items().len())?;
    writeln!(out, "approvals   {}", plan.approvals_needed())?;
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
            if let Some(until) = incomplete.elsewhere_until() {
                writeln!(out, "destroyed=0 elsewhere_until={until}")?;
                return Ok(());
            }
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
