use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::store::Backup;
use vouchsafe::{Organisation, Ports, Timestamp, Unexplained, Vouchsafe};

use crate::parts::{Database, Parts, Site};
use crate::{CliError, recover};

#[derive(Args)]
pub(crate) struct Restore {
    /// The folder of the backup
    backup: PathBuf,
    #[command(flatten)]
    site: Site,
    /// The role that serves, as TOML, where the store file names the owner: needed on PostgreSQL to look at the rows after
    #[arg(long, value_name = "FILE")]
    serving: Option<PathBuf>,
    /// Recover every organisation at once
    #[arg(long)]
    recover: bool,
    /// As for `recover`
    #[arg(long, requires = "recover")]
    accept_unexplained: bool,
}

impl Restore {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let (database, backup) = (self.site.database()?, Backup::open(&self.backup)?);
        // The owner of the tables serves nobody.
        let is_served = matches!(database, Database::Sqlite(_)) || self.serving.is_some();
        if self.recover && !is_served {
            return Err(CliError::NoServing);
        }
        if let Database::Sqlite(path) = &database
            && let Some(folder) = path.parent()
        {
            fs::create_dir_all(folder)
                .map_err(|error| CliError::file("the folder of the database", &error))?;
        }
        database.restore(&backup, Timestamp::now())?;
        writeln!(out, "restored  a backup of {} into {}", backup.manifest().engine(), database.engine())?;
        super::backup::print(out, backup.manifest())?;
        if !is_served {
            writeln!(out, "closed    every organisation, until `vouchsafe recover` ran on it")?;
            return Ok(());
        }
        let service = Vouchsafe::open_with(self.ports()?);
        for copied in backup.manifest().organisations() {
            let organisation = service.organisation(copied.id().as_str())?;
            outside(out, &organisation, copied.entries())?;
            if self.recover {
                let unexplained =
                    if self.accept_unexplained { Unexplained::Accepted } else { Unexplained::Refused };
                if let Some(recovery) = organisation.recover(unexplained)? {
                    recover::print(out, &recovery)?;
                }
            } else {
                writeln!(out, "closed    {}, until `vouchsafe recover` ran on it", copied.id())?;
            }
        }
        Ok(())
    }

    fn ports(&self) -> Result<Ports, CliError> {
        let store = self.serving.clone().or_else(|| self.site.parts.store.clone());
        Parts { store, ..self.site.parts.clone() }.ports(&self.site.dir)
    }
}

/// What tells of the time after the backup: the published log, and the checkpoint kept outside.
fn outside(out: &mut dyn Write, organisation: &Organisation<'_>, entries: u64) -> Result<(), CliError> {
    let told = |size: Option<u64>| match size {
        None => "is not there".to_owned(),
        Some(size) if size > entries => format!("has {} entries more", size - entries),
        Some(_) => "has nothing more".to_owned(),
    };
    let size = |head: Result<Option<vouchsafe::ledger::SignedCheckpoint>, vouchsafe::Error>| match head {
        Ok(head) => told(head.map(|head| head.checkpoint().size())),
        Err(error) => format!("cannot be read: {error}"),
    };
    let id = organisation.id();
    writeln!(out, "log       of {id} {}", size(organisation.published()))?;
    writeln!(out, "outside   of {id} {}", size(organisation.kept_outside()))?;
    match organisation.key_status() {
        Ok(_) => writeln!(out, "keys      of {id}: state and fence journal agree")?,
        Err(error) => writeln!(out, "keys      of {id}: {error}")?,
    }
    Ok(())
}
