//! The disclosure register: what may go to whom is asked here, and written down.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use vouchsafe::Scope;
use vouchsafe::retention::disclosure::{Disclosure, LegalBasis};
use vouchsafe::retention::{RecipientId, Reference};
use vouchsafe::types::DataClass;

use crate::folder::Place;
use crate::{CliError, words};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask whether data of a person may go to a recipient, and write it down; sends nothing
    Record(Record),
    /// List to whom data of a person went
    List(List),
}

#[derive(Args)]
pub(crate) struct Record {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
    /// The recipient, by its id in the organisation's pack
    #[arg(long, value_name = "RECIPIENT", value_parser = words::recipient)]
    to: RecipientId,
    /// On which basis; there is none for sale
    #[arg(long)]
    basis: Basis,
    /// The document of a legal obligation
    #[arg(long, value_parser = words::reference, required_if_eq("basis", "legal-obligation"))]
    document: Option<Reference>,
    /// The scope of the consent
    #[arg(long, value_parser = Scope::parse, required_if_eq("basis", "explicit-consent"))]
    scope: Option<Scope>,
    /// Which act of consent, by its number (`consent at` shows it)
    #[arg(long, value_name = "N", required_if_eq("basis", "explicit-consent"))]
    act: Option<u64>,
    /// Which data; repeat it for several classes
    #[arg(long = "class", value_name = "CLASS", required = true, value_parser = words::class)]
    classes: Vec<DataClass>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Basis {
    ExplicitConsent,
    LegalObligation,
    Processor,
    Security,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Record(record) => record.run(out),
            Self::List(list) => {
                let opened = list.place.open()?;
                let lines = opened.organisation()?.subject(&list.subject)?.disclosures()?;
                lines.iter().try_for_each(|disclosure| line(out, disclosure))?;
                Ok(writeln!(out, "disclosures={}", lines.len())?)
            }
        }
    }
}

impl Record {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let basis = self.basis()?;
        let opened = self.place.open_in_force()?;
        let organisation = opened.organisation()?;
        let id = organisation.subject(&self.subject)?.disclose(&self.to, basis, &self.classes)??;
        Ok(writeln!(out, "{id}")?)
    }

    fn basis(&self) -> Result<LegalBasis, CliError> {
        const MISSING: CliError = CliError::Missing("what the basis rests on");
        Ok(match self.basis {
            Basis::ExplicitConsent => {
                let (scope, sequence) = self.scope.zip(self.act).ok_or(MISSING)?;
                LegalBasis::ExplicitConsent { scope, sequence }
            }
            Basis::LegalObligation => {
                LegalBasis::LegalObligation { document: self.document.clone().ok_or(MISSING)? }
            }
            Basis::Processor => LegalBasis::Processor,
            Basis::Security => LegalBasis::Security,
        })
    }
}

fn line(out: &mut dyn Write, disclosure: &Disclosure) -> Result<(), CliError> {
    let classes: Vec<_> = disclosure.classes().iter().map(|class| class.name()).collect();
    let (at, to, basis) = (disclosure.at(), disclosure.recipient(), disclosure.basis().name());
    Ok(writeln!(out, "{at}  {to}  {basis}: {}", classes.join(", "))?)
}
