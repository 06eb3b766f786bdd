//! The retention policy: check packs, explain decisions, compare policies, and write what is made from them.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use vouchsafe::retention::{Policy, pack_schema};

use crate::{CliError, files};

pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod documents;
pub(crate) mod explain;
pub(crate) mod inventory;
pub(crate) mod life;
pub(crate) mod simulate;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Load packs and say what they decide, what they do not, and which conflicts were resolved how
    Check(check::Check),
    /// Sign a pack with the key of somebody who may (`retention new-approver` makes one)
    Sign(check::Sign),
    /// Say in one paragraph what the policy decides of one record, and which rules lost
    Explain(explain::Explain),
    /// Say what changes between two policies; with a folder, how many records it destroys earlier or later
    Diff(diff::Diff),
    /// Walk through one life until everything is gone
    #[command(after_long_help = life::HELP)]
    Simulate(simulate::Simulate),
    /// Print the retention matrix: a table for each class, a row for each rule
    Matrix(Running),
    /// Write the notice for people
    Notice(documents::Edited),
    /// Write the public policy of 740 ILCS 14/15(a)
    BiometricPolicy(documents::Edited),
    /// Write the template of a data protection impact assessment
    ImpactAssessment(documents::Edited),
    /// Write the template of a breach notice
    BreachNotice(documents::Written),
    /// Say where a notice promises something else than what runs; 1 when there are findings
    Lint(documents::Lint),
    /// Print every stored column with its class, purpose, rules and region; 1 when a class has no end
    Inventory(inventory::Inventory),
    /// Print the JSON Schema of packs, for editors
    Schema,
}

/// The running policy.
#[derive(Args)]
pub(crate) struct Running {
    /// A pack of the organisation's own, behind those that ship; repeat it for several
    #[arg(long = "pack", value_name = "PACK.toml")]
    packs: Vec<PathBuf>,
    /// Without the packs that ship
    #[arg(long)]
    alone: bool,
}

impl Running {
    pub(crate) fn load(&self) -> Result<Policy, CliError> {
        load(&self.packs, self.alone)
    }
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Check(check) => check.run(out),
            Self::Sign(sign) => sign.run(out),
            Self::Explain(explain) => explain.run(out),
            Self::Diff(diff) => diff.run(out),
            Self::Simulate(simulate) => simulate.run(out),
            Self::Matrix(running) => Ok(write!(out, "{}", running.load()?.matrix())?),
            Self::Notice(edited) => edited.run(out, documents::Kind::Notice),
            Self::BiometricPolicy(edited) => edited.run(out, documents::Kind::Biometric),
            Self::ImpactAssessment(edited) => edited.run(out, documents::Kind::Assessment),
            Self::BreachNotice(written) => written.run(out),
            Self::Lint(lint) => lint.run(out),
            Self::Inventory(inventory) => inventory.run(out),
            Self::Schema => Ok(write!(out, "{}", pack_schema())?),
        }
    }
}

/// The policy of these packs, behind those that ship unless they stand alone.
pub(crate) fn load(packs: &[PathBuf], alone: bool) -> Result<Policy, CliError> {
    let own = read(packs)?;
    let mut texts = if alone { Vec::new() } else { Policy::shipped_packs() };
    texts.extend(own.iter().map(String::as_str));
    Ok(Policy::from_packs(&texts)?)
}

pub(crate) fn read(packs: &[PathBuf]) -> Result<Vec<String>, CliError> {
    packs.iter().map(|path| files::read_text(path, "the pack file")).collect()
}
