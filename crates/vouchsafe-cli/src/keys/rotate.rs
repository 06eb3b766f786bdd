use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use vouchsafe::{KeyStatus, Rotation};

use super::status::{data_keys, list};
use crate::CliError;
use crate::folder::Place;
use crate::secret::SecretSource;
use crate::service::ServiceArgs;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Seal the key state under a fresh state key, and destroy the former one at the key service
    State(Rotate),
    /// Seal every template and payload again under a fresh data key, then forget the older ones for good
    ///
    /// Sealed records in older backups become unreadable: make a new backup afterwards.
    Data(Rotate),
    /// Encrypt the key file under another passphrase, or under its first one
    ///
    /// Every process that has the key file open is refused from then on: restart it with the new passphrase. A copy
    /// of the file from before still opens with the passphrase of before.
    Passphrase(Passphrase),
}

#[derive(Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    place: Place,
    /// Say what would be done, and rotate nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Passphrase {
    #[command(flatten)]
    service: ServiceArgs,
    /// The present passphrase's file, where the key file has one and --keys does not name it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keys", "passphrase_env"])]
    passphrase_file: Option<PathBuf>,
    /// The environment variable that holds the present passphrase
    #[arg(long, value_name = "NAME", conflicts_with = "keys")]
    passphrase_env: Option<String>,
    /// The new passphrase's file
    #[arg(long, value_name = "FILE", required_unless_present = "new_passphrase_env")]
    new_passphrase_file: Option<PathBuf>,
    /// The environment variable that holds the new passphrase
    #[arg(long, value_name = "NAME", conflicts_with = "new_passphrase_file")]
    new_passphrase_env: Option<String>,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::State(rotate) => rotate.state(out),
            Self::Data(rotate) => rotate.data(out),
            Self::Passphrase(passphrase) => passphrase.run(out),
        }
    }
}

impl Rotate {
    fn state(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let before = organisation.key_status()?;
        print_state(out, "before", &before)?;
        if self.dry_run {
            let to = before.keys.generation.saturating_add(1);
            return Ok(writeln!(out, "dry_run=state to={to} destroys={}", list(&before.keys.held))?);
        }
        organisation.rotate_state_key()?;
        print_state(out, "after", &organisation.key_status()?)?;
        Ok(writeln!(out, "rotated=state")?)
    }

    fn data(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        print_data(out, "before", &organisation.key_status()?)?;
        if self.dry_run {
            let Rotation { to, remaining, .. } = organisation.plan_data_key_rotation()?;
            return Ok(writeln!(out, "dry_run=data to={to} remaining={remaining}")?);
        }
        let mut shown = Ok(());
        let rotated = organisation.rotate_data_key(|rotation| {
            // A closed output does not stop the rotation.
            if shown.is_ok() {
                shown = progress(out, rotation);
            }
        });
        rotated?;
        shown?;
        print_data(out, "after", &organisation.key_status()?)?;
        writeln!(out, "rotated=data")?;
        writeln!(out, "note=sealed records in older backups no longer open: make a new backup")?;
        Ok(())
    }
}

impl Passphrase {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let source = |file: &Option<PathBuf>, env: &Option<String>| SecretSource {
            file: file.clone(),
            env: env.clone(),
        };
        let fresh = source(&self.new_passphrase_file, &self.new_passphrase_env).read("the new passphrase")?;
        let fresh = fresh.ok_or(CliError::SecretMissing("the new passphrase"))?;
        let present = source(&self.passphrase_file, &self.passphrase_env);
        self.service.open_key_file(&present)?.change_passphrase(&fresh)?;
        writeln!(out, "rotated=passphrase")?;
        writeln!(
            out,
            "note=restart what has the key file open with the new passphrase: it is refused from now on"
        )?;
        Ok(())
    }
}

fn progress(out: &mut dyn Write, rotation: &Rotation) -> Result<(), CliError> {
    let Rotation { to, resealed, remaining, .. } = rotation;
    writeln!(out, "progress to={to} resealed={resealed} remaining={remaining}")?;
    Ok(out.flush()?)
}

fn print_state(out: &mut dyn Write, when: &str, status: &KeyStatus) -> Result<(), CliError> {
    let keys = &status.keys;
    writeln!(out, "{when}_generation={} held={}", keys.generation, list(&keys.held))?;
    Ok(())
}

fn print_data(out: &mut dyn Write, when: &str, status: &KeyStatus) -> Result<(), CliError> {
    let name = format!("{when}_data_key");
    data_keys(status).iter().try_for_each(|key| key.print(out, &name))
}
