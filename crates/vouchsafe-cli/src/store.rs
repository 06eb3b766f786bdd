//! The database: migrate, check, back up, restore, and look whether it can be served from.

use std::io::Write;

use clap::Subcommand;

use crate::CliError;

mod backup;
mod check;
mod doctor;
mod migrate;
mod restore;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Bring the schema forward, or make a new database with --create
    Migrate(migrate::Migrate),
    /// Copy every row into a new folder, with the newest checkpoint of each log, while others are served
    Backup(backup::Backup),
    /// Look through a backup, or through the database: schema, rows, log and keys against each other; 1 on a finding
    Check(check::Check),
    /// Write a backup into an empty database of either engine; each organisation stays closed until it is recovered
    Restore(restore::Restore),
    /// Say whether it can be served from as it is, and what to do where not; 1 when it cannot
    Doctor(doctor::Doctor),
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Migrate(command) => command.run(out),
            Self::Backup(command) => command.run(out),
            Self::Check(command) => command.run(out),
            Self::Restore(command) => command.run(out),
            Self::Doctor(command) => command.run(out),
        }
    }
}
