//! What is held about a person, row by row, class by class.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use vouchsafe_consent::ConsentStatus;
use vouchsafe_ledger::Leaf;
use vouchsafe_retention::rights::{ExportContent, ExportRecord, RightsError};
use vouchsafe_retention::{Authority, PersonalAct};
use vouchsafe_store::{Holding, HoldingState, JobRow, NoticeRow, StoreError};
use vouchsafe_types::{DataClass, Digest, FactField, Jurisdiction, Modality, Scope, Timestamp};

use super::line::Line;
use crate::act::{Act, template_context};
use crate::cause::Cause;
use crate::consents::Mark;
use crate::facts::fact;
use crate::jobs::JobKind;
use crate::lives::{Life, trigger_of};
use crate::sealed::Kind;
use crate::{Error, Subject};

/// The most that one copy holds, in bytes of its values.
const MAX_LEN: usize = 32 << 20;

const TEMPLATE: &str = "The protected template: numbers that were measured in your face and then changed under a \
                        secret key that stays in this service. Without that key it is compared with no face: it is \
                        of no use outside this service.";
const SEALED: &str =
    "A protected template is held. The law of the place where you live has it described, not handed out.";
const UNSPOKEN: &str = "held, and not handed out";

/// The records of a copy, by class.
pub(super) struct Collected {
    contents: BTreeMap<u8, ExportContent>,
    records: BTreeMap<u8, Vec<ExportRecord>>,
    len: usize,
}

impl Collected {
    /// Nothing yet; a class for which no law says how much is returned is described.
    pub(super) fn new(content: impl Fn(DataClass) -> Result<ExportContent, Error>) -> Self {
        let contents = DataClass::ALL.into_iter();
        let contents = contents.filter_map(|class| Some((class.code(), content(class).ok()?))).collect();
        Self { contents, records: BTreeMap::new(), len: 0 }
    }

    fn returns(&self, class: DataClass) -> bool {
        self.contents.get(&class.code()) == Some(&ExportContent::Included)
    }

    fn push(&mut self, class: DataClass, line: Line) -> Result<(), Error> {
        self.len += line.len;
        if self.len > MAX_LEN {
            return Err(RightsError::Limit.into());
        }
        self.records.entry(class.code()).or_default().push(line.end()?);
        Ok(())
    }

    /// The classes of which something is held.
    pub(super) fn classes(&self) -> Vec<DataClass> {
        DataClass::ALL.into_iter().filter(|class| self.records.contains_key(&class.code())).collect()
    }

    /// Every class with its records.
    pub(super) fn into_records(mut self) -> Vec<(DataClass, Vec<ExportRecord>)> {
        let records = |class: DataClass| (class, self.records.remove(&class.code()).unwrap_or_default());
        DataClass::ALL.map(records).into()
    }
}

impl Subject<'_> {
    pub(super) fn collect(&self, act: &mut Act<'_>, into: &mut Collected) -> Result<(), Error> {
        self.collect_life(act, into)?;
        self.collect_consents(act, into)?;
        let life = act.life(self.pseudonym)?;
        for holding in act.rows.holdings_of(act.organisation, self.pseudonym)? {
            collect_holding(act, into, &life, &holding)?;
            if holding.state == HoldingState::Live {
                collect_template(act, into, &holding)?;
                collect_payloads(act, into, &holding)?;
            }
        }
        for kind in Kind::ALL {
            self.collect_documents(act, into, kind)?;
        }
        self.collect_holds(act, into)?;
        self.collect_jobs(act, into)?;
        collect_recipients(act, into)
    }

    fn collect_life(&self, act: &mut Act<'_>, into: &mut Collected) -> Result<(), Error> {
        const CLASS: DataClass = DataClass::ConsentEvidence;
        let (organisation, subject) = (act.organisation, self.pseudonym);
        if let Some(row) = act.rows.subject(organisation, subject)? {
            let last = PersonalAct::ALL.into_iter().find(|known| known.code() == row.last_act);
            let line = Line::of("subject")?
                .tell("pseudonym", hex(row.pseudonym.as_bytes()))?
                .tell("last_interaction", row.last_interaction)?
                .tell_if("last_act", last.map(|act| format!("{act:?}").to_lowercase()))?;
            into.push(CLASS, line)?;
        }
        for row in act.rows.marks(organisation, subject)? {
            let mark = Mark::from_code(row.mark).ok_or(StoreError::Damaged)?.name();
            let line = Line::of("subject_mark")?.tell("mark", mark)?.tell("set_at", row.set_at)?;
            into.push(CLASS, line.tell("entry", row.entry)?)?;
        }
        for row in act.rows.events(organisation, subject)? {
            let line = Line::of("life_event")?
                .tell("trigger", trigger_of(row.trigger)?.name())?
                .tell_if("scope", row.scope.map(Scope::name))?
                .tell("at", row.at)?
                .tell("entry", row.entry)?;
            into.push(CLASS, line)?;
        }
        for row in act.rows.residences(organisation, subject)? {
            let place = Jurisdiction::from_code(row.jurisdiction)?.name();
            let line = Line::of("residence")?.tell("jurisdiction", place)?.tell("since", row.since)?;
            into.push(CLASS, line.tell("entry", row.entry)?)?;
        }
        Ok(())
    }

    /// The acts of consent, what was shown before them, and the notices themselves, each once.
    fn collect_consents(&self, act: &mut Act<'_>, into: &mut Collected) -> Result<(), Error> {
        const CLASS: DataClass = DataClass::ConsentEvidence;
        let mut notices: BTreeSet<[u8; 32]> = BTreeSet::new();
        for scope in Scope::all() {
            for row in act.rows.consent_acts(act.organisation, self.pseudonym, scope)? {
                let status = ConsentStatus::from_code(row.status).ok_or(StoreError::Damaged)?;
                let line = Line::of("consent")?
                    .tell("scope", scope.name())?
                    .tell("sequence", row.sequence)?
                    .tell("status", status.name())?
                    .tell("notice", row.notice)?
                    .tell("at", row.at)?
                    .tell_if("expires", row.expires)?
                    .tell_if("entry", row.entry)?;
                into.push(CLASS, line)?;
                notices.insert(*row.notice.as_bytes());
            }
        }
        for row in act.rows.served_to(act.organisation, self.pseudonym)? {
            let line = Line::of("served")?
                .tell("ticket", hex(&row.ticket))?
                .tell("scope", row.scope.name())?
                .tell("notice", row.notice)?
                .tell("served_at", row.served_at)?
                .tell("entry", row.entry)?
                .tell_if("used_sequence", row.used_sequence)?;
            into.push(CLASS, line)?;
            notices.insert(*row.notice.as_bytes());
        }
        for digest in notices {
            let row = act.rows.notice(act.organisation, Digest::from_bytes(digest))?;
            into.push(CLASS, notice_line(&row.ok_or(StoreError::Damaged)?)?)?;
        }
        Ok(())
    }

    fn collect_documents(&self, act: &mut Act<'_>, into: &mut Collected, kind: Kind) -> Result<(), Error> {
        for opened in act.documents(self.pseudonym, kind)? {
            let row = &opened.row;
            let holding = act.rows.holding(act.organisation, row.leaf)?.ok_or(StoreError::Damaged)?;
            let mut line = Line::of("document")?
                .tell("id", row.id)?
                .tell("leaf", row.leaf.get())?
                .tell("kind", kind.name())?
                .tell("entry", row.entry)?
                .tell_if("next_at", row.next_at)?
                .tell_if("closed_at", row.closed_at)?;
            line = match kind {
                Kind::Fact => {
                    let fact = fact(&opened)?;
                    let line = line.tell("field", fact.field.name())?.tell("sealed", "opened")?;
                    let line = line.beside("said.at", &fact.at.to_string())?;
                    let told = into.returns(holding.class) && fact.field != FactField::PasswordHash;
                    line.beside("said.value", if told { fact.value.expose_text() } else { UNSPOKEN })?
                }
                _ => line.told("field").opened("sealed", &opened.plain)?,
            };
            into.push(holding.class, line)?;
        }
        Ok(())
    }

    fn collect_holds(&self, act: &mut Act<'_>, into: &mut Collected) -> Result<(), Error> {
        let holds = act.rows.holds(act.organisation)?;
        for row in holds.iter().filter(|row| row.subject == Some(self.pseudonym)) {
            let line = Line::of("legal_hold")?
                .tell("id", row.id)?
                .tell("matter", &row.matter)?
                .tell("authority", Authority::from_code(row.authority)?.name())?
                .tell_if("class", row.class.map(DataClass::name))?
                .tell("placed_at", row.placed_at)?
                .tell_if("expires", row.expires)?
                .tell_if("released_at", row.released_at)?
                .tell("entry", row.entry)?;
            into.push(DataClass::DestructionEvidence, line)?;
        }
        Ok(())
    }

    fn collect_jobs(&self, act: &mut Act<'_>, into: &mut Collected) -> Result<(), Error> {
        let jobs: Vec<JobRow> = act.rows.jobs(act.organisation)?;
        for row in jobs.iter().filter(|row| row.subject == Some(self.pseudonym)) {
            let kind = JobKind::from_code(row.kind).ok_or(Error::Format("job"))?;
            let line = Line::of("job")?
                .tell("id", row.id)?
                .tell("kind", kind.name())?
                .tell("created_at", row.created_at)?
                .tell_if("run_at", row.run_at)?
                .tell("attempts", row.attempts)?
                .tell_if("finished_at", row.finished_at)?;
            into.push(DataClass::AuditLog, line)?;
        }
        Ok(())
    }
}

/// What is held under one leaf, by when it goes, and which rule says so. What is destroyed is evidence.
fn collect_holding(
    act: &mut Act<'_>,
    into: &mut Collected,
    life: &Life,
    holding: &Holding,
) -> Result<(), Error> {
    let line = Line::of("holding")?
        .tell("leaf", holding.leaf.get())?
        .tell("class", holding.class.name())?
        .tell_if("scope", holding.scope.map(Scope::name))?
        .tell("created_at", holding.created_at)?
        .tell_if("created_entry", holding.created_entry)?
        .tell_if("review_at", holding.review_at)?;
    let (class, line) = match &holding.state {
        HoldingState::Live => {
            let decision = act.decide(life, holding)?;
            let mut line = line.tell("state", "live")?.told("cause").told("changed_at");
            line = line.told("destroyed_entry").beside("explanation", &decision.explanation())?;
            if let Some(due) = decision.deadline().due() {
                line = line.beside("due", &due.to_string())?;
            }
            if let Some(ruling) = decision.deadline().decided() {
                line = line.beside("rule", ruling.rule())?.beside("clause", ruling.clause())?;
            }
            (holding.class, line)
        }
        HoldingState::Condemned { cause, at } => {
            let line = line.tell("state", "under destruction")?.told("destroyed_entry");
            (holding.class, caused(line, cause, *at)?)
        }
        HoldingState::Destroyed { cause, at, entry } => {
            let line = line.tell("state", "destroyed")?.tell("destroyed_entry", entry)?;
            (DataClass::DestructionEvidence, caused(line, cause, *at)?)
        }
    };
    into.push(class, line)
}

fn caused(line: Line, cause: &str, at: Timestamp) -> Result<Line, Error> {
    let cause = Cause::parse(cause);
    let line = line.tell("cause", cause.reason)?.tell("changed_at", at)?;
    match cause.rule {
        Some(rule) => line.beside("rule", rule),
        None => Ok(line),
    }
}

fn collect_template(act: &mut Act<'_>, into: &mut Collected, holding: &Holding) -> Result<(), Error> {
    let Some(record) = act.rows.record(act.organisation, holding.leaf)? else { return Ok(()) };
    let scope = holding.scope.ok_or(StoreError::Damaged)?;
    let mut line = Line::of("record")?
        .tell("id", record.id)?
        .tell("leaf", record.leaf.get())?
        .tell("model", record.model)?
        .tell("dimension", record.dimension)?;
    if let Some(modality) = scope.modality().map(Modality::name) {
        line = line.beside("modality", modality)?;
    }
    line = if into.returns(DataClass::Biometric) {
        let context = template_context(act.organisation, holding.leaf, scope, &record);
        let plain = act.state.open(&context, &record.sealed)?;
        let text = zeroize::Zeroizing::new(BASE64_STANDARD.encode(plain.expose_secret()));
        line.tell("sealed", "opened: base64")?.beside("what", TEMPLATE)?.template(&text)?
    } else {
        line.tell("sealed", UNSPOKEN)?.beside("what", SEALED)?
    };
    into.push(DataClass::Biometric, line)
}

/// The log's entries about the person, with what they commit to.
fn collect_payloads(act: &mut Act<'_>, into: &mut Collected, holding: &Holding) -> Result<(), Error> {
    for entry in act.rows.payload_entries(act.organisation, holding.leaf)? {
        let row = act.rows.payload(act.organisation, entry)?.ok_or(StoreError::Damaged)?;
        let Some(recorded) = act.recorded(entry)? else { continue };
        let leaf = Leaf::from_bytes(&recorded.leaf)?;
        let line = Line::of("payload")?
            .tell("entry", entry)?
            .tell("leaf", row.leaf.get())?
            .tell("id", row.id)?
            .beside("kind", leaf.kind.name())?
            .opened("sealed", &recorded.payload)?;
        into.push(holding.class, line)?;
    }
    Ok(())
}

/// Who keeps, under a contract, data of a class that is held.
fn collect_recipients(act: &mut Act<'_>, into: &mut Collected) -> Result<(), Error> {
    let held = into.classes();
    for recipient in act.core.ports.retention.recipients() {
        let classes: Vec<_> = recipient.classes().iter().filter(|class| held.contains(class)).collect();
        if classes.is_empty() {
            continue;
        }
        let classes: Vec<_> = classes.into_iter().map(|class| class.name()).collect();
        let mut line = Line::of("recipient")?
            .beside("id", recipient.id().as_str())?
            .beside("name", recipient.name())?
            .beside("kind", recipient.kind().name())?
            .beside("region", recipient.region().as_str())?
            .beside("purpose", recipient.purpose())?
            .beside("classes", &classes.join(", "))?;
        if let Some(safeguard) = recipient.safeguard() {
            line = line.beside("safeguard", safeguard.as_str())?;
        }
        into.push(DataClass::Disclosure, line)?;
    }
    Ok(())
}

fn notice_line(row: &NoticeRow) -> Result<Line, Error> {
    let shown = str::from_utf8(&row.shown).map_err(|_| Error::Format("notice row"))?;
    Line::of("notice")?
        .tell("digest", row.digest)?
        .tell("id", &row.id)?
        .tell("version", &row.version)?
        .tell("locale", &row.locale)?
        .text("shown", shown)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
