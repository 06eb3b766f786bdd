use std::io::Write;

use clap::{Args, Subcommand};
use vouchsafe::Scope;

use crate::CliError;
use crate::folder::Place;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Plant templates of nobody among the others; best a few at a time, over weeks
    Plant(Plant),
}

#[derive(Args)]
pub(crate) struct Plant {
    #[command(flatten)]
    place: Place,
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    count: u16,
    /// The published notice that their consent names
    #[arg(long, value_name = "ID")]
    notice_id: String,
    /// Its locale
    #[arg(long, value_name = "LOCALE")]
    locale: String,
    /// Like templates of administrators instead of end users
    #[arg(long)]
    administrators: bool,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Plant(plant) => plant.run(out),
        }
    }
}

impl Plant {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let notice = organisation.notice_in_force(&self.notice_id, &self.locale)?;
        let notice = notice.ok_or(CliError::UnknownNotice)?;
        let scope =
            if self.administrators { Scope::ADMIN_FACE_VERIFICATION } else { Scope::FACE_VERIFICATION };
        let leaves = organisation.plant_honey(&notice, scope, self.count)?;
        for leaf in &leaves {
            writeln!(out, "leaf={}", leaf.get())?;
        }
        writeln!(out, "planted={}", leaves.len())?;
        Ok(writeln!(
            out,
            "note=keep these numbers away from the database: they tell which templates are nobody's"
        )?)
    }
}
