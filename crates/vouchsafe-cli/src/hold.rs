//! Legal holds: placed by two, released by their id, listed.

use std::io::Write;

use clap::{Args, Subcommand};
use vouchsafe::ledger::ActorRole;
use vouchsafe::retention::{Authority, Hold};
use vouchsafe::types::{DataClass, RecordId};
use vouchsafe::{HoldRequest, Timestamp};

use crate::folder::Place;
use crate::{CliError, words};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Place a hold: what it covers is not destroyed by the retention, where the law honours its authority
    Place(PlaceArgs),
    /// Release a hold
    Release(Release),
    /// List the holds in force
    List(List),
}

#[derive(Args)]
pub(crate) struct PlaceArgs {
    #[command(flatten)]
    place: Place,
    /// The case, as an opaque id of your own: a-z, 0-9, '.', '-'; it stands in the public log
    #[arg(long)]
    matter: String,
    /// Who demands it: court_order, litigation_notice, regulator, subpoena, warrant
    #[arg(long, value_parser = words::authority)]
    authority: Authority,
    /// Whose data, by the caller's own id; without it everybody's
    #[arg(long)]
    subject: Option<String>,
    /// Which data; without it every class
    #[arg(long, value_parser = words::class)]
    class: Option<DataClass>,
    /// When it ends by itself (RFC 3339, or a day)
    #[arg(long, value_name = "WHEN", value_parser = words::instant)]
    expires: Option<Timestamp>,
    /// Who asks for it, by an opaque id
    #[arg(long, value_name = "ID")]
    requested_by: String,
    /// Who approved it, by an opaque id: somebody else
    #[arg(long, value_name = "ID")]
    approved_by: String,
}

#[derive(Args)]
pub(crate) struct Release {
    #[command(flatten)]
    place: Place,
    /// The hold's id
    #[arg(value_parser = words::record_id)]
    id: RecordId,
    /// In which role
    #[arg(long = "as", value_name = "ROLE", default_value = "administrator", value_parser = words::actor)]
    role: ActorRole,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Place(place) => place.run(out),
            Self::Release(release) => {
                release.place.open()?.organisation()?.release_hold(release.id, release.role)?;
                Ok(writeln!(out, "released {}", release.id)?)
            }
            Self::List(list) => {
                let holds = list.place.open()?.organisation()?.holds()?;
                holds.iter().try_for_each(|hold| line(out, hold))?;
                Ok(writeln!(out, "holds={}", holds.len())?)
            }
        }
    }
}

impl PlaceArgs {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open_in_force()?;
        let organisation = opened.organisation()?;
        let subject = self.subject.as_deref().map(|id| organisation.subject(id)).transpose()?;
        let id = organisation.place_hold(&HoldRequest {
            matter: &self.matter,
            authority: self.authority,
            subject: subject.as_ref(),
            class: self.class,
            expires: self.expires,
            requested_by: &self.requested_by,
            approved_by: &self.approved_by,
        })?;
        writeln!(out, "{id}")?;
        let bars = opened.policy().honours().iter().filter(|row| row.is_enabled());
        for row in bars.filter(|row| !row.authorities().contains(&self.authority)) {
            if self.class.is_none_or(|class| class == row.class()) {
                let place = row.jurisdiction().map_or("everywhere", |place| place.name());
                let (class, clause) = (row.class().name(), row.clause());
                writeln!(out, "does not hold {class} of people in {place}: {} ({clause})", row.id())?;
            }
        }
        Ok(())
    }
}

fn line(out: &mut dyn Write, hold: &Hold) -> Result<(), CliError> {
    let class = hold.class().map_or("every class", DataClass::name);
    let ends = hold.ends().map_or_else(|| "without an end".to_owned(), |at| format!("until {at}"));
    let [requested, approved] = hold.approvers();
    let (id, matter, authority) = (hold.id(), hold.matter(), hold.authority().name());
    writeln!(out, "{id}  {matter}  {authority}, {class}, from {} {ends}", hold.placed_at())?;
    writeln!(out, "  requested by {requested}, approved by {approved}")?;
    Ok(())
}
