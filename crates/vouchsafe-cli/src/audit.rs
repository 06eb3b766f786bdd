//! Audits elsewhere: write a bundle of everything that the log commits to in public, and check one.

use std::io::Write;

use clap::Subcommand;
use vouchsafe::Error;

use crate::CliError;

mod bundle;
mod verify;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write log, notices, certificates and policy into a new folder, for an audit elsewhere; nothing in it is about a person
    Bundle(bundle::Bundle),
    /// Check a bundle with nothing but the log's key; 1 if it is not sound
    Verify(verify::Verify),
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Bundle(bundle) => bundle.run(out),
            Self::Verify(verify) => verify.run(out),
        }
    }
}

/// Says which folder it was.
fn named(error: Error) -> CliError {
    match error {
        Error::Folder(kind) => CliError::file("the folder of the bundle", &kind.into()),
        error => CliError::Facade(error),
    }
}
