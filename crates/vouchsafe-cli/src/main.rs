//! Operator and auditor commands of vouchsafe.
//!
//! Exit codes: 0 done and sound, 1 failure or refusal, 2 the command line is wrong or names what is not there.
#![forbid(unsafe_code)]

mod audit;
mod consent;
mod disclosure;
mod error;
mod eval;
mod files;
mod folder;
mod hold;
mod keys;
mod learn;
mod log;
mod order;
mod parts;
mod policy;
mod receipt;
mod recover;
mod retention;
mod rights;
mod secret;
mod service;
mod settings;
mod store;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use vouchsafe_alloc::WipingAllocator;

use crate::error::CliError;

// Templates, crops and keys pass through buffers that nobody wrapped: they are wiped when they are freed.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::system();

/// Operator and auditor commands of vouchsafe: measure, audit, retain, recover, look after keys.
#[derive(Parser)]
#[command(
    name = "vouchsafe",
    version,
    after_help = "Exit codes: 0 done and sound, 1 failure or refusal, 2 wrong command line."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a bundle for an audit elsewhere, and check one with nothing but the log's key
    #[command(subcommand)]
    Audit(audit::Command),
    /// Measure error rates on pictures whose people agreed to it elsewhere
    #[command(subcommand)]
    Eval(eval::Command),
    /// Look after the keys: status, rotation, pending destructions, the key state
    #[command(subcommand, after_long_help = service::HELP)]
    Keys(keys::Command),
    /// Answer what was consented when, end consents whose time is over, list the notices
    #[command(subcommand)]
    Consent(consent::Command),
    /// Ask whether data may go to somebody, and keep the register of what went
    #[command(subcommand)]
    Disclosure(disclosure::Command),
    /// Place, release and list legal holds
    #[command(subcommand)]
    Hold(hold::Command),
    /// Record what was learned about a person: a minor, a purpose met, a method disabled, employment ended, a residence
    #[command(subcommand)]
    Learn(learn::Command),
    /// Publish, prove, verify, watch and witness the log; hand its key over
    #[command(subcommand)]
    Log(log::Command),
    /// Follow up what recipients were ordered to delete
    #[command(subcommand)]
    Order(order::Command),
    /// Check, sign, explain, compare and simulate the retention policy; write what is made from it
    #[command(subcommand)]
    Policy(policy::Command),
    /// Check the receipt that a person kept, without anybody's help
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Plan, approve and run destruction by the retention policy; certify it; watch over it; end an organisation
    #[command(subcommand)]
    Retention(retention::Command),
    /// Take a person's requests by right, and see them through to their answer
    #[command(subcommand)]
    Rights(rights::Command),
    /// Look after the database: migrate, check, back up, restore; look whether it can be served from
    #[command(subcommand, after_long_help = parts::HELP)]
    Store(store::Command),
    /// Continue after a restored backup: take back the log, replay destructions; stop other processes first
    Recover(recover::Recover),
}

impl Command {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Audit(command) => command.run(out),
            Self::Eval(command) => command.run(out),
            Self::Keys(command) => command.run(out),
            Self::Consent(command) => command.run(out),
            Self::Disclosure(command) => command.run(out),
            Self::Hold(command) => command.run(out),
            Self::Learn(command) => command.run(out),
            Self::Log(command) => command.run(out),
            Self::Order(command) => command.run(out),
            Self::Policy(command) => command.run(out),
            Self::Receipt(command) => command.run(out),
            Self::Retention(command) => command.run(out),
            Self::Rights(command) => command.run(out),
            Self::Store(command) => command.run(out),
            Self::Recover(command) => command.run(out),
        }
    }
}

fn main() -> ExitCode {
    // Before anything secret is in memory.
    if let Err(error) = vouchsafe_pages::disable_core_dumps() {
        warn(&format!("vouchsafe: warning: {error}"));
    }
    // The parser itself leaves with 2 after a wrong command line, with 0 after a call for help.
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    let done = cli.command.run(&mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            warn(&format!("vouchsafe: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// One line for the operator; a closed stderr is no reason to stop.
fn warn(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
