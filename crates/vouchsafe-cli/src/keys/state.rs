use std::io::Write;
use std::sync::Arc;

use clap::{Args, Subcommand};
use vouchsafe::envelope::StateStoreError;
use vouchsafe::envelope::port::{StateStore, StateVersion};
use vouchsafe_keys::{FolderStates, KeysError, Replica, ReplicatedStates};

use super::actor::Actor;
use crate::CliError;
use crate::folder::{Opened, Place};
use crate::recover::Recover;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print what lies in each place, and whether the start-up gate is open; 1 unless all is well
    Check(Check),
    /// Copy the newest state to every place that lacks it; stop every other process on the folder first
    Replicate(Check),
    /// Satisfy the start-up gate after a restore: destroy again what came back, take back the log; stop every other
    /// process on the folder first
    Recover(Recover),
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Check(check) => check.run(out),
            Self::Replicate(replicate) => replicate.mend(out),
            Self::Recover(recover) => {
                stopped(out)?;
                recover.run(out)
            }
        }
    }
}

impl Check {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.open()?;
        // The places first: opening the organisation ends what was interrupted, and mends some of them.
        let whole = self.print_places(out)?;
        if gate(out, opened)? && whole { Ok(()) } else { Err(CliError::StateNotSound) }
    }

    fn mend(&self, out: &mut dyn Write) -> Result<(), CliError> {
        stopped(out)?;
        drop(self.open()?);
        let places = self.place.state_places().map(|(_, folder)| match FolderStates::open(&folder) {
            Err(KeysError::Missing) => FolderStates::create_new(folder),
            opened => opened,
        });
        let mut stores: Vec<Arc<dyn StateStore>> = Vec::new();
        for place in places {
            stores.push(Arc::new(place.map_err(CliError::Place)?));
        }
        let mended = ReplicatedStates::new(stores)?.replicate(&self.place.id()?)?;
        self.print_places(out)?;
        Ok(writeln!(out, "mended={mended}")?)
    }

    /// The opened folder, or what stands in the way of its keys; a wrong command line ends it here.
    fn open(&self) -> Result<Result<Opened, CliError>, CliError> {
        match self.place.open() {
            Err(error) if error.exit_code() == 2 => Err(error),
            opened => Ok(opened),
        }
    }

    /// One line for each place; says whether every one has the newest state.
    fn print_places(&self, out: &mut dyn Write) -> Result<bool, CliError> {
        let found = self.compare()?;
        for (name, replica) in &found {
            match replica {
                Replica::Newest(version) => writeln!(out, "place={name} newest {}", figures(*version))?,
                Replica::Behind(version) => writeln!(out, "place={name} behind {}", figures(*version))?,
                Replica::Missing => writeln!(out, "place={name} missing")?,
                Replica::Unreadable(error) => writeln!(out, "place={name} unreadable cause={error}")?,
            }
        }
        Ok(found.iter().all(|(_, replica)| matches!(replica, Replica::Newest(_))))
    }

    /// What lies in each place; a place whose folder cannot be opened does not hide the others.
    fn compare(&self) -> Result<Vec<(&'static str, Replica)>, CliError> {
        let places = self.place.state_places().map(|(name, folder)| (name, FolderStates::open(folder)));
        let (mut stores, mut found): (Vec<Arc<dyn StateStore>>, Vec<_>) = (Vec::new(), Vec::new());
        for (name, opened) in places {
            match opened {
                Ok(store) => {
                    stores.push(Arc::new(store));
                    found.push((name, None));
                }
                Err(error) => found.push((name, Some(closed(error)))),
            }
        }
        if stores.is_empty() {
            return Ok(found.into_iter().filter_map(|(name, replica)| Some((name, replica?))).collect());
        }
        let mut compared = ReplicatedStates::new(stores)?.check(&self.place.id()?)?.into_iter();
        Ok(found
            .into_iter()
            .map(|(name, replica)| (name, replica.or_else(|| compared.next()).unwrap_or(Replica::Missing)))
            .collect())
    }
}

/// What a place is whose folder does not open.
const fn closed(error: KeysError) -> Replica {
    match error {
        KeysError::Missing => Replica::Missing,
        KeysError::Unavailable => Replica::Unreadable(StateStoreError::Unavailable),
        _ => Replica::Unreadable(StateStoreError::Denied),
    }
}

/// Opens the state as the first use in a process does; says whether it opened.
fn gate(out: &mut dyn Write, opened: Result<Opened, CliError>) -> Result<bool, CliError> {
    let checked = opened.and_then(|opened| Ok(opened.organisation()?.key_status()?));
    let error = match checked {
        Ok(_) => {
            writeln!(out, "gate=open")?;
            return Ok(true);
        }
        Err(error) => error,
    };
    let (actor, retryable) = match &error {
        CliError::Facade(error) => (Actor::on(error), error.is_retryable()),
        _ => (Actor::Operator, false),
    };
    // Whatever else keeps the state shut, the gate was not asked.
    let gate = if actor == Actor::Gate { "shut" } else { "unknown" };
    writeln!(out, "gate={gate} actor={} retryable={retryable} cause={error}", actor.name())?;
    writeln!(out, "act={}", actor.advice())?;
    Ok(false)
}

fn stopped(out: &mut dyn Write) -> Result<(), CliError> {
    writeln!(out, "note=every other process on the folder must be stopped while this runs")?;
    Ok(out.flush()?)
}

fn figures(version: StateVersion) -> String {
    format!("generation={} revision={}", version.generation, version.revision)
}
