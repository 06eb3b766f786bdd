//! Consent: what was consented when, with proof; consents whose time is over; the published notices.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use vouchsafe::consent::Notice;
use vouchsafe::ledger::ActorRole;
use vouchsafe::store::NoticeRow;
use vouchsafe::{ConsentAnswer, EvidencedAct, Scope, Timestamp};

use crate::folder::Place;
use crate::retention::destroyed;
use crate::{CliError, files};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say what a person had consented to at an instant; that it was asked is an entry of the log
    At(At),
    /// Say which consent a recorded act of a person rested on: an enrolment, an opening of the template
    Behind(Behind),
    /// Tell a person's consent as a page and as a record for machines (ISO/IEC TS 27560); the log says that it was told
    Tell(Tell),
    /// Record the end of every consent whose time is over, and destroy what was held under them
    Expire(Here),
    /// List the published notices, in the order of publication
    Notices(Here),
}

#[derive(Args)]
pub(crate) struct At {
    /// The person, by the caller's own id
    subject: String,
    /// The scope, for example face.end_user.verification
    #[arg(value_parser = Scope::parse)]
    scope: Scope,
    /// The instant (RFC 3339)
    time: Timestamp,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Args)]
pub(crate) struct Behind {
    /// The person, by the caller's own id
    subject: String,
    /// The number of the entry, from 0
    entry: u64,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Args)]
pub(crate) struct Tell {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
    /// The scope, for example face.end_user.verification
    #[arg(value_parser = Scope::parse)]
    scope: Scope,
    /// How the person withdraws, in words or as an https address
    #[arg(long, value_name = "HOW")]
    withdraw: String,
    /// A folder for consent.html and consent.json; no file in it is overwritten
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Args)]
struct Asked {
    #[command(flatten)]
    place: Place,
    /// In which role it is asked
    #[arg(long = "as", value_name = "ROLE", default_value = "operator")]
    role: Role,
    /// A folder for the receipts of the two acts, with their proofs; no file in it is overwritten
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    Administrator,
    Auditor,
    Operator,
    Person,
}

#[derive(Args)]
pub(crate) struct Here {
    #[command(flatten)]
    place: Place,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::At(at) => {
                at.asked.ready()?;
                let opened = at.asked.place.open()?;
                let organisation = opened.organisation()?;
                let subject = organisation.subject(&at.subject)?;
                at.asked.answer(out, &subject.consent_at(at.scope, at.time, at.asked.role.into())?)
            }
            Self::Behind(behind) => {
                behind.asked.ready()?;
                let opened = behind.asked.place.open()?;
                let organisation = opened.organisation()?;
                let subject = organisation.subject(&behind.subject)?;
                behind.asked.answer(out, &subject.consent_behind(behind.entry, behind.asked.role.into())?)
            }
            Self::Tell(tell) => tell.run(out),
            Self::Expire(here) => destroyed(out, here.place.open()?.organisation()?.expire_consents()?),
            Self::Notices(here) => here.notices(out),
        }
    }
}

impl From<Role> for ActorRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Administrator => Self::Administrator,
            Role::Auditor => Self::Auditor,
            Role::Operator => Self::Operator,
            Role::Person => Self::Person,
        }
    }
}

impl Tell {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        const FILES: [&str; 2] = ["consent.html", "consent.json"];
        free(&self.out, FILES, "the document file")?;
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let told =
            organisation.subject(&self.subject)?.consent_documents(self.scope, None, &self.withdraw)?;
        let told = told.or_refuse().map_err(|_| CliError::Missing("an act of consent for that scope"))?;
        make(&self.out)?;
        for (file, text) in FILES.into_iter().zip([told.html, told.json]) {
            files::write_new(&self.out.join(file), "the document file", text.as_bytes())?;
            writeln!(out, "{file}")?;
        }
        Ok(())
    }
}

/// Refuses names that are taken, before the log is written to; the files themselves are made with the same demand.
fn free<const N: usize>(folder: &Path, names: [&str; N], what: &'static str) -> Result<(), CliError> {
    let taken = names.iter().any(|name| folder.join(name).symlink_metadata().is_ok());
    if taken { Err(CliError::Exists(what)) } else { Ok(()) }
}

impl Asked {
    fn ready(&self) -> Result<(), CliError> {
        let names = ["deciding.json", "next.json"];
        self.out.as_ref().map_or(Ok(()), |folder| free(folder, names, "the receipt file"))
    }

    fn answer(&self, out: &mut dyn Write, answer: &ConsentAnswer) -> Result<(), CliError> {
        writeln!(out, "scope      {}", answer.scope.name())?;
        writeln!(out, "at         {}", answer.at)?;
        writeln!(out, "status     {}", answer.status.map_or("none", |status| status.name()))?;
        writeln!(out, "consented  {}", if answer.was_given() { "yes" } else { "no" })?;
        for (name, act) in [("deciding", &answer.deciding), ("next", &answer.next)] {
            if let Some(act) = act {
                line(out, name, act)?;
                self.keep(out, name, act)?;
            }
        }
        Ok(())
    }

    fn keep(&self, out: &mut dyn Write, name: &str, act: &EvidencedAct) -> Result<(), CliError> {
        let (Some(folder), Some(receipt)) = (&self.out, &act.receipt) else { return Ok(()) };
        make(folder)?;
        let file = format!("{name}.json");
        files::write_new(&folder.join(&file), "the receipt file", receipt.receipt().to_json()?.as_bytes())?;
        Ok(writeln!(out, "  receipt  {file}")?)
    }
}

fn line(out: &mut dyn Write, name: &str, act: &EvidencedAct) -> Result<(), CliError> {
    let evidence = match &act.receipt {
        Some(receipt) => format!("entry {}", receipt.receipt().entry()),
        None => "its evidence is gone".to_owned(),
    };
    writeln!(out, "{name:<10} act {}: {} at {}, {evidence}", act.sequence, act.status.name(), act.at)?;
    Ok(writeln!(out, "  notice   {}", act.notice)?)
}

fn make(folder: &Path) -> Result<(), CliError> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(CliError::file("the folder for the receipts", &error))
        }
        _ => Ok(()),
    }
}

impl Here {
    fn notices(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        // Meets the start-up gate.
        opened.organisation()?.verifier_key()?;
        let rows = vouchsafe::store::read(opened.store(), opened.id(), |rows| {
            rows.notices(opened.id()).map_err(vouchsafe::Error::from)
        })?;
        rows.iter().try_for_each(|row| notice(out, row))?;
        Ok(writeln!(out, "notices={}", rows.len())?)
    }
}

fn notice(out: &mut dyn Write, row: &NoticeRow) -> Result<(), CliError> {
    let terms = str::from_utf8(&row.terms).ok().and_then(|terms| Notice::from_json(terms).ok());
    let attested = terms.as_ref().map_or("nobody", |notice| notice.attested_by().name());
    let change = if row.material { "material" } else { "editorial" };
    writeln!(out, "{} {} {}", row.id, row.version, row.locale)?;
    writeln!(out, "  effective  {}", row.effective_at)?;
    writeln!(out, "  change     {change}, attested by {attested}")?;
    Ok(writeln!(out, "  sha256     {}", row.digest)?)
}
