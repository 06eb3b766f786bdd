//! Project automation: `cargo xtask COMMAND`.
//!
//! `tidy` checks what the compiler does not, `promises` keeps the matrix of promises and tests and tries seeded
//! faults on them, `evidence` measures again what the README claims.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

mod evidence;
mod process;
mod promises;
mod tidy;
mod workspace;

use std::{env, error::Error, process::ExitCode};

use workspace::Workspace;

/// An error is a sentence for the person at the terminal.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const USAGE: &str = "usage: cargo xtask COMMAND

  tidy                        rings, lints, digests, layout: what the compiler does not check
  promises [--check]          the matrix of promises and tests; renders it into the docs, or checks that it is current
  promises --mutate [ID]      applies each seeded fault (of one promise) and requires that its tests turn red
  evidence TOPIC [--quick]    measures a topic's claims again; --full is the default
  evidence                    lists the topics";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command and tells whether all it checked holds.
fn run(arguments: &[&str]) -> Result<bool> {
    let workspace = Workspace::find()?;
    match arguments {
        ["tidy"] => tidy::run(&workspace),
        ["promises"] => promises::render(&workspace),
        ["promises", "--check"] => promises::check(&workspace),
        ["promises", "--mutate"] => promises::mutate(&workspace, None),
        ["promises", "--mutate", id] => promises::mutate(&workspace, Some(id)),
        ["evidence"] => evidence::list(),
        ["evidence", topic] | ["evidence", topic, "--full"] => {
            evidence::run(&workspace, topic, evidence::Depth::Full)
        }
        ["evidence", topic, "--quick"] => evidence::run(&workspace, topic, evidence::Depth::Quick),
        _ => Err(USAGE.into()),
    }
}
