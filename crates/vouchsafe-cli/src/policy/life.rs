//! One life, as a short file: what happened when.

use std::path::Path;

use serde::Deserialize;
use vouchsafe::retention::{Hold, HoldId, PersonalAct, Trigger};
use vouchsafe::types::{DataClass, Jurisdiction};
use vouchsafe::{Modality, Role, Timestamp};

use crate::{CliError, files, words};

pub(crate) const HELP: &str = r#"A life is a TOML file. Instants are RFC 3339 or days, which begin at midnight UTC.

  role = "end_user"              # as it is without this line
  lives_in = ["us-il"]           # none: every law of the policy applies

  [[record]]                     # none: a face template, its consent evidence and the account,
  class = "biometric"            # all made at the first event
  modality = "face"
  at = "2024-02-29"

  [[event]]                      # consent_given, enrolled, right_exercised, signed_in, verified;
  at = "2024-02-29"              # account_deletion, learned_minor, method_disabled, purpose_met,
  what = "enrolled"              # withdrawal; moved, with to = "us-ca"

  [[hold]]
  matter = "il-2026-104"
  authority = "warrant"
  at = "2026-06-01"
  until = "2028-06-01"           # none: without an end
  class = "biometric"            # none: every class

The evidence of a consent begins to age when the template is gone, as the libraries have it; the evidence of a template's
destruction is added by itself."#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    role: Option<String>,
    #[serde(default)]
    lives_in: Vec<String>,
    #[serde(default)]
    record: Vec<FileRecord>,
    event: Vec<FileEvent>,
    #[serde(default)]
    hold: Vec<FileHold>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRecord {
    class: String,
    modality: Option<String>,
    at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEvent {
    at: String,
    what: String,
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHold {
    matter: String,
    authority: String,
    at: String,
    until: Option<String>,
    class: Option<String>,
}

pub(crate) struct Life {
    pub(crate) role: Role,
    pub(crate) places: Vec<Jurisdiction>,
    pub(crate) records: Vec<Record>,
    /// In the order of their instants.
    pub(crate) events: Vec<Event>,
    pub(crate) holds: Vec<Hold>,
}

#[derive(Clone, Copy)]
pub(crate) struct Record {
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Copy)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) what: What,
}

#[derive(Clone, Copy)]
pub(crate) enum What {
    Act(PersonalAct),
    Moved(Jurisdiction),
    Happened(Trigger),
}

const ACTS: [(&str, PersonalAct); 5] = [
    ("consent_given", PersonalAct::ConsentGiven),
    ("enrolled", PersonalAct::Enrolled),
    ("right_exercised", PersonalAct::RightExercised),
    ("signed_in", PersonalAct::SignedIn),
    ("verified", PersonalAct::Verified),
];

impl What {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Act(act) => ACTS
                .iter()
                .find(|(_, known)| *known == act)
                .map_or_else(String::new, |(name, _)| (*name).to_owned()),
            Self::Moved(place) => format!("moved to {}", place.name()),
            Self::Happened(trigger) => trigger.name().to_owned(),
        }
    }

    fn parse(what: &str, to: Option<&str>) -> Result<Self, String> {
        match (what, to) {
            ("moved", Some(to)) => return Ok(Self::Moved(words::place(to)?)),
            ("moved", None) => return Err("moved where? `to` is missing".to_owned()),
            (_, Some(_)) => return Err("only `moved` has `to`".to_owned()),
            _ => {}
        }
        if let Some((_, act)) = ACTS.iter().find(|(name, _)| *name == what) {
            return Ok(Self::Act(*act));
        }
        match words::trigger(what)? {
            Trigger::Creation => Err("records are made with [[record]]".to_owned()),
            Trigger::LastInteraction => Err("say which act it was, for example verified".to_owned()),
            trigger => Ok(Self::Happened(trigger)),
        }
    }
}

impl Life {
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        Self::parse(&files::read_text(path, "the life file")?)
    }

    fn parse(text: &str) -> Result<Self, CliError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start));
            let line = line.map_or(1, |before| before.matches('\n').count() + 1);
            CliError::Life(format!("line {line}: {}", error.message()))
        })?;
        let role = file.role.as_deref().map_or(Ok(Role::EndUser), words::role).map_err(CliError::Life)?;
        let places = file.lives_in.iter().map(|place| words::place(place)).collect::<Result<_, _>>();
        let mut events = each("event", &file.event, |event| {
            let (at, what) = (words::instant(&event.at)?, What::parse(&event.what, event.to.as_deref())?);
            Ok(Event { at, what })
        })?;
        events.sort_by_key(|event| event.at);
        let first = events.first().ok_or_else(|| CliError::Life("nothing happens in it".to_owned()))?.at;
        let records =
            if file.record.is_empty() { usual(first) } else { each("record", &file.record, record)? };
        let mut number = 0_u128;
        let holds = each("hold", &file.hold, |asked| {
            number += 1;
            hold(asked, HoldId::from_bytes(number.to_be_bytes()))
        })?;
        Ok(Self { role, places: places.map_err(CliError::Life)?, records, events, holds })
    }
}

/// Reads every table of a kind; a fault names the table by its number.
fn each<F, T>(
    kind: &str,
    tables: &[F],
    mut read: impl FnMut(&F) -> Result<T, String>,
) -> Result<Vec<T>, CliError> {
    let numbered = tables.iter().zip(1..);
    let read = numbered.map(|(table, number)| {
        read(table).map_err(|fault| CliError::Life(format!("{kind} {number}: {fault}")))
    });
    read.collect()
}

/// The records of somebody who enrolled a face.
fn usual(at: Timestamp) -> Vec<Record> {
    let record = |class, modality| Record { class, modality, at };
    vec![
        record(DataClass::Biometric, Some(Modality::Face)),
        record(DataClass::ConsentEvidence, None),
        record(DataClass::Account, None),
    ]
}

fn record(asked: &FileRecord) -> Result<Record, String> {
    let class = words::class(&asked.class)?;
    let modality = asked.modality.as_deref().map(words::modality).transpose()?;
    Ok(Record { class, modality, at: words::instant(&asked.at)? })
}

fn hold(asked: &FileHold, id: HoldId) -> Result<Hold, String> {
    let (authority, at) = (words::authority(&asked.authority)?, words::instant(&asked.at)?);
    let refused = |error: vouchsafe::retention::RetentionError| error.to_string();
    let mut hold = Hold::place(id, &asked.matter, authority, at, ["one", "two"]).map_err(refused)?;
    if let Some(class) = &asked.class {
        hold = hold.of_class(words::class(class)?);
    }
    match &asked.until {
        Some(until) => hold.expiring(words::instant(until)?).map_err(refused),
        None => Ok(hold),
    }
}
