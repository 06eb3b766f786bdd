//! What the organisation learns about a person that starts a period or changes the law.

use std::io::Write;

use clap::{Args, Subcommand};
use vouchsafe::ledger::ActorRole;
use vouchsafe::types::Jurisdiction;
use vouchsafe::{Destruction, Error, Scope, Subject};

use crate::folder::Place;
use crate::retention::destroyed;
use crate::{CliError, words};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// They are a minor: every consent is void, and what it allowed is destroyed
    Minor(Whom),
    /// The purpose of one scope is met: its template is destroyed
    PurposeMet(OfScope),
    /// The sign-in method of one scope was disabled: its template is destroyed
    MethodDisabled(OfScope),
    /// Their employment ended: the templates that they have as an administrator are destroyed
    EmploymentEnded(Whom),
    /// They live under the law of a place; places add up
    Residence(Residence),
}

#[derive(Args)]
pub(crate) struct Whom {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
    /// In which role this is said
    #[arg(long = "as", value_name = "ROLE", default_value = "administrator", value_parser = words::actor)]
    role: ActorRole,
}

#[derive(Args)]
pub(crate) struct OfScope {
    #[command(flatten)]
    whom: Whom,
    /// For example `face.end_user.verification`
    #[arg(value_parser = Scope::parse)]
    scope: Scope,
}

#[derive(Args)]
pub(crate) struct Residence {
    #[command(flatten)]
    whom: Whom,
    /// The place: eu, us-il, …
    #[arg(value_parser = words::place)]
    lives_in: Jurisdiction,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Minor(whom) => whom.ends(out, |person| person.learned_minor(whom.role)),
            Self::EmploymentEnded(whom) => whom.ends(out, |person| person.employment_ended(whom.role)),
            Self::PurposeMet(OfScope { whom, scope }) => {
                whom.ends(out, |person| person.purpose_met(*scope, whom.role))
            }
            Self::MethodDisabled(OfScope { whom, scope }) => {
                whom.ends(out, |person| person.method_disabled(*scope, whom.role))
            }
            Self::Residence(Residence { whom, lives_in }) => {
                let opened = whom.place.open_in_force()?;
                opened.organisation()?.subject(&whom.subject)?.lives_in(*lives_in, whom.role)?;
                Ok(writeln!(out, "recorded: {}", lives_in.name())?)
            }
        }
    }
}

impl Whom {
    fn ends(
        &self,
        out: &mut dyn Write,
        end: impl FnOnce(&Subject<'_>) -> Result<Destruction, Error>,
    ) -> Result<(), CliError> {
        let opened = self.place.open_in_force()?;
        let organisation = opened.organisation()?;
        let destruction = end(&organisation.subject(&self.subject)?)?;
        destroyed(out, destruction)
    }
}
