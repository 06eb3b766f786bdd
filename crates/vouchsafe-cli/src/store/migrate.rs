use std::fs;
use std::io::Write;

use clap::Args;

use crate::CliError;
use crate::parts::{Database, Site};

#[derive(Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    site: Site,
    /// Make a database where there is none
    #[arg(long)]
    create: bool,
    /// The role that serves, on PostgreSQL; the store file names the role that owns the tables
    #[arg(long, value_name = "ROLE")]
    service_role: Option<String>,
}

impl Migrate {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let database = self.site.database()?;
        let (from, to) = (database.schema()?.unwrap_or(0), database.newest());
        if from > to {
            return Err(vouchsafe::store::StoreError::NewerSchema.into());
        }
        if from == 0 && !self.create {
            return Err(CliError::NotCreated);
        }
        if from == 0
            && let Database::Sqlite(path) = &database
            && let Some(folder) = path.parent()
        {
            fs::create_dir_all(folder)
                .map_err(|error| CliError::file("the folder of the database", &error))?;
        }
        database.migrate(self.service_role.as_deref())?;
        writeln!(out, "engine  {}", database.engine())?;
        match from {
            0 => writeln!(out, "schema  {to}, made")?,
            _ if from == to => writeln!(out, "schema  {to}, nothing to do")?,
            _ => writeln!(out, "schema  {from} to {to}")?,
        }
        if let Some(role) = &self.service_role {
            writeln!(out, "grants  given to {role}")?;
        }
        Ok(())
    }
}
