//! The keys: what there is, how strong a destruction is, rotation, pending destructions, the key state.

use std::io::Write;

use clap::Subcommand;

use crate::CliError;

mod actor;
mod destroy;
mod honey;
mod rotate;
mod state;
mod status;
mod strength;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print which keys the organisation has, and how much is sealed under them
    Status(status::Status),
    /// Print how strong a destruction at the key service is, and what that means
    Strength(strength::Strength),
    /// Rotate a key while the organisation is served; call it again after an interruption
    #[command(subcommand)]
    Rotate(rotate::Command),
    /// Finish destructions that were begun and interrupted; 1 while any is pending
    Destroy(destroy::Destroy),
    /// Check, mend and recover the sealed key state
    #[command(subcommand)]
    State(state::Command),
    /// Templates of nobody, whose opening raises an alarm
    #[command(subcommand)]
    Honey(honey::Command),
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Status(status) => status.run(out),
            Self::Strength(strength) => strength.run(out),
            Self::Rotate(command) => command.run(out),
            Self::Destroy(destroy) => destroy.run(out),
            Self::State(command) => command.run(out),
            Self::Honey(command) => command.run(out),
        }
    }
}
