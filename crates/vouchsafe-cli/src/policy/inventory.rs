//! The data inventory under the running policy.

use std::io::Write;

use clap::Args;
use vouchsafe::{DataInventory, Residence};

use crate::CliError;
use crate::folder::Place;

/// Prints every stored column with its class, purpose, rules and region; 1 when a class has no end.
#[derive(Args)]
pub(crate) struct Inventory {
    #[command(flatten)]
    place: Place,
}

impl Inventory {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let inventory = DataInventory::of_places(opened.policy(), &Residence::as_stated(opened.policy()));
        out.write_all(inventory.to_markdown().as_bytes())?;
        let names: Vec<_> = inventory.ungoverned().iter().map(|class| class.name()).collect();
        if names.is_empty() { Ok(()) } else { Err(CliError::Ungoverned(names.join(", "))) }
    }
}
