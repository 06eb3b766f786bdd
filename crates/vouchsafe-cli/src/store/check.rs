use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::ledger::VerifierKey;
use vouchsafe::store::backup::count_rows;
use vouchsafe::store::{Backup, SqliteStore};
use vouchsafe::{Organisation, Vouchsafe};

use crate::CliError;
use crate::parts::{Database, Parts, Site};

#[derive(Args)]
pub(crate) struct Check {
    /// The folder of a backup; without it the database is looked through
    #[arg(required_unless_present = "dir")]
    backup: Option<PathBuf>,
    /// The folder that holds data, keys and log
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    parts: Parts,
    /// The key that checkpoints of the backup verify with, of each log; without it the one of the folder
    #[arg(long = "log-key", value_name = "VKEY", requires = "backup")]
    log_keys: Vec<String>,
    /// Open every payload and compare it with its entry
    #[arg(long, requires = "dir", conflicts_with = "backup")]
    payloads: bool,
}

impl Check {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let site = self.dir.clone().map(|dir| Site { dir, parts: self.parts.clone() });
        match (&self.backup, site) {
            (Some(folder), site) => self.backup(out, &Backup::open(folder)?, site.as_ref()),
            (None, Some(site)) => self.database(out, &site),
            (None, None) => Ok(()),
        }
    }

    fn backup(&self, out: &mut dyn Write, backup: &Backup, site: Option<&Site>) -> Result<(), CliError> {
        super::backup::print(out, backup.manifest())?;
        for (table, rows) in backup.manifest().tables() {
            writeln!(out, "table     {table} {rows}")?;
        }
        backup.verify()?;
        let keys: Vec<VerifierKey> = self
            .log_keys
            .iter()
            .map(|text| Ok(VerifierKey::parse(text)?))
            .collect::<Result<_, CliError>>()?;
        let service = match site {
            Some(site) if keys.is_empty() => Some(Vouchsafe::open_with(site.ports()?)),
            _ => None,
        };
        let mut unsigned = 0;
        for copied in backup.manifest().organisations() {
            let Some(head) = copied.checkpoint() else { continue };
            let own = service.as_ref().map(|service| service.organisation(copied.id().as_str()));
            let own = own.transpose()?.map(|organisation| organisation.verifier_key()).transpose()?;
            let named = keys.iter().find(|key| key.name() == head.origin());
            if let Some(key) = named.or(own.as_ref()) {
                backup.verify_note(copied.id().as_str(), key)?;
                writeln!(out, "signed    {}, {} entries", copied.id(), head.size())?;
            } else {
                writeln!(
                    out,
                    "finding   the checkpoint of {} was not verified: give --log-key",
                    copied.id()
                )?;
                unsigned += 1;
            }
        }
        conclude(out, unsigned)
    }

    fn database(&self, out: &mut dyn Write, site: &Site) -> Result<(), CliError> {
        let mut findings = 0;
        let database = site.database()?;
        if let Database::Sqlite(path) = &database
            && path.is_file()
        {
            for said in SqliteStore::damage(path)? {
                writeln!(out, "finding   {said}: restore a backup into an empty database")?;
                findings += 1;
            }
        }
        let ports = site.ports()?;
        // What has another schema, or another one than this program makes, did not open.
        writeln!(out, "engine    {}", database.engine())?;
        writeln!(out, "schema    {}, as it was made", database.newest())?;
        let counted = count_rows(&*ports.store)?;
        let service = Vouchsafe::open_with(ports);
        for (id, tables) in counted {
            writeln!(out, "holds     {id}")?;
            for (table, rows) in tables {
                writeln!(out, "table     {table} {rows}")?;
            }
            findings += match service.organisation(id.as_str()) {
                Ok(organisation) => self.organisation(out, &organisation)?,
                Err(error) => {
                    writeln!(out, "finding   {error}")?;
                    1
                }
            };
        }
        conclude(out, findings)
    }

    fn organisation(&self, out: &mut dyn Write, organisation: &Organisation<'_>) -> Result<u64, CliError> {
        let mut findings = Vec::new();
        if organisation.awaits_recovery()? {
            findings.push("the database was restored: run `vouchsafe recover`".to_owned());
        }
        match organisation.verify_log() {
            Ok(report) => findings.extend(report.findings().iter().map(|found| format!("log: {found}"))),
            Err(error) => findings.push(error.to_string()),
        }
        match organisation.check_rows() {
            Ok(rows) => {
                let outlived = |(table, rows)| format!("{rows} row(s) of {table} belong to nothing any more");
                findings.extend(rows.orphans.iter().copied().map(outlived));
                if rows.alive > 0 {
                    findings.push(format!(
                        "{} destroyed holding(s) have keys: run `vouchsafe recover`",
                        rows.alive
                    ));
                }
                if rows.beyond > 0 || rows.older {
                    findings
                        .push("rows and key state are not of one time: run `vouchsafe recover`".to_owned());
                }
            }
            Err(error) => findings.push(error.to_string()),
        }
        if self.payloads {
            match organisation.verify_payloads() {
                Ok(report) => findings.extend(report.findings.iter().map(ToString::to_string)),
                Err(error) => findings.push(error.to_string()),
            }
        }
        for finding in &findings {
            writeln!(out, "finding   {finding}")?;
        }
        Ok(findings.len() as u64)
    }
}

fn conclude(out: &mut dyn Write, findings: u64) -> Result<(), CliError> {
    if findings > 0 {
        return Err(CliError::StoreNotSound(findings));
    }
    Ok(writeln!(out, "sound")?)
}
