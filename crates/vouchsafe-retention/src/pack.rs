use toml::Spanned;

use crate::adopt::Adopt;
use crate::disclosure::Recipient;
use crate::reader::Reader;
use crate::rights::{Clock, ExportRule};
use crate::wire::pack_v1::{Fields, PackV1};
use crate::{
    Aggregates, Approvals, Breaker, ClockGuard, Force, Honour, MinimumAge, Note, PackFault, Period, Policy,
    Problem, Profile, RetentionError, Rule, RuleKind, Trigger, breaker,
};

/// A parsed pack: rules in their order, and what it says of other packs' rules.
pub(crate) struct Pack {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) adopts: Vec<Adopt>,
    pub(crate) honours: Vec<Honour>,
    pub(crate) notes: Vec<Note>,
    pub(crate) ages: Vec<MinimumAge>,
    pub(crate) clocks: Vec<(Clock, usize)>,
    pub(crate) exports: Vec<(ExportRule, usize)>,
    pub(crate) recipients: Vec<(Recipient, usize)>,
    pub(crate) profile: Option<(Profile, usize)>,
    pub(crate) approvals: Option<(Approvals, usize)>,
    pub(crate) breaker: Option<((Breaker, ClockGuard), usize)>,
    pub(crate) aggregates: Option<(Aggregates, usize)>,
}

/// An organisation's own period for a rule.
pub(crate) struct Setting {
    pub(crate) rule: String,
    pub(crate) period: Period,
    pub(crate) line: usize,
}

impl Pack {
    /// Parses the text; `place` names it in errors until its id is known.
    pub(crate) fn parse(text: &str, place: usize) -> Result<Self, RetentionError> {
        let unnamed = |line, problem| {
            RetentionError::Pack(PackFault { pack: format!("number {place}"), line, rule: None, problem })
        };
        let wire: PackV1 = toml::from_str(text)
            .map_err(|error| unnamed(error.span().map(|span| line_of(text, span.start)), Problem::Syntax))?;
        if wire.format != Policy::PACK_FORMAT {
            return Err(unnamed(None, Problem::Format));
        }
        let label = |text: &str| !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
        if ![&wire.id, &wire.title, &wire.version].into_iter().all(|text| label(text)) {
            return Err(unnamed(None, Problem::Syntax));
        }
        let source = Source { text, force: force_of(text, &wire)?, id: &wire.id };
        let approvals = wire.approval.as_ref().map(|table| source.one(table, Approvals::read)).transpose()?;
        let breaker = wire.breaker.as_ref().map(|table| source.one(table, breaker::read)).transpose()?;
        let aggregates =
            wire.aggregate.as_ref().map(|table| source.one(table, Aggregates::read)).transpose()?;
        Ok(Self {
            rules: source.all(&wire.rule, "id", read_rule)?,
            settings: source.all(&wire.setting, "rule", Setting::read)?,
            adopts: source.all(&wire.adopt, "rule", Adopt::read)?,
            honours: source.all(&wire.honour, "id", Honour::read)?,
            notes: source.all(&wire.note, "id", Note::read)?,
            ages: source.all(&wire.age, "id", MinimumAge::read)?,
            clocks: source.lines(&wire.clock, Clock::read)?,
            exports: source.lines(&wire.export, ExportRule::read)?,
            recipients: source.lines(&wire.recipient, Recipient::read)?,
            profile: wire.organisation.as_ref().map(|table| source.one(table, Profile::read)).transpose()?,
            approvals,
            breaker,
            aggregates,
            id: wire.id,
            title: wire.title,
            version: wire.version,
        })
    }

    /// An error of this pack.
    pub(crate) fn fault(&self, line: usize, rule: Option<&str>, problem: Problem) -> RetentionError {
        let rule = rule.map(str::to_owned);
        RetentionError::Pack(PackFault { pack: self.id.clone(), line: Some(line), rule, problem })
    }
}

/// The pack whose tables are read.
pub(crate) struct Source<'a> {
    text: &'a str,
    force: Force,
    id: &'a str,
}

impl Source<'_> {
    /// Reads every table of a kind; the field `name` names it in errors.
    pub(crate) fn all<T>(
        &self,
        tables: &[Spanned<Fields>],
        name: &str,
        read: impl Fn(Reader) -> Result<T, RetentionError>,
    ) -> Result<Vec<T>, RetentionError> {
        tables.iter().map(|table| read(self.reader(table, name))).collect()
    }

    /// Reads every table of a kind, each with its line.
    pub(crate) fn lines<T>(
        &self,
        tables: &[Spanned<Fields>],
        read: impl Fn(Reader) -> Result<T, RetentionError>,
    ) -> Result<Vec<(T, usize)>, RetentionError> {
        tables.iter().map(|table| self.one(table, &read)).collect()
    }

    /// Reads a table that stands once; gives its line too.
    pub(crate) fn one<T>(
        &self,
        table: &Spanned<Fields>,
        read: impl Fn(Reader) -> Result<T, RetentionError>,
    ) -> Result<(T, usize), RetentionError> {
        let reader = self.reader(table, "id");
        let line = reader.line;
        Ok((read(reader)?, line))
    }

    fn reader(&self, table: &Spanned<Fields>, name: &str) -> Reader {
        Reader {
            pack: self.id.to_owned(),
            force: self.force,
            line: line_of(self.text, table.span().start),
            rule: table.get_ref().get(name).cloned(),
            fields: table.get_ref().clone(),
        }
    }
}

fn force_of(text: &str, wire: &PackV1) -> Result<Force, RetentionError> {
    let refuse = |line, problem| {
        Err(RetentionError::Pack(PackFault { pack: wire.id.clone(), line, rule: None, problem }))
    };
    let Some(kind) = &wire.kind else { return refuse(None, Problem::MissingField("kind")) };
    match Force::ALL.into_iter().find(|force| force.name() == kind.get_ref()) {
        Some(force) => Ok(force),
        None => refuse(Some(line_of(text, kind.span().start)), Problem::UnknownValue("kind")),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

fn read_rule(mut reader: Reader) -> Result<Rule, RetentionError> {
    let triggers = Trigger::ALL.map(|trigger| (trigger.name(), trigger));
    let kinds = RuleKind::ALL.map(|kind| (kind.name(), kind));
    let rule = Rule {
        id: reader.id("id")?.into(),
        pack: reader.pack.clone(),
        line: reader.line,
        force: reader.force,
        class: reader.class()?,
        modality: reader.modality()?,
        role: reader.role()?,
        jurisdiction: reader.jurisdiction()?,
        trigger: reader.named("trigger", &triggers)?,
        kind: reader.named("kind", &kinds)?,
        period: period_if_stated(&mut reader)?,
        bounds: bounds(&mut reader)?,
        clause: reader.take("clause")?.into(),
        says: reader.take("says")?,
        confidence: reader.confidence()?,
        adoption: None,
    };
    check_bounds(&reader, &rule)?;
    reader.finish()?;
    Ok(rule)
}

impl Setting {
    fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        let setting =
            Self { rule: reader.take("rule")?, period: reader.period("period")?, line: reader.line };
        reader.finish()?;
        Ok(setting)
    }
}

fn period_if_stated(reader: &mut Reader) -> Result<Option<Period>, RetentionError> {
    if reader.fields.get("period").is_some_and(|text| text == "not stated") {
        reader.fields.remove("period");
        return Ok(None);
    }
    reader.period("period").map(Some)
}

fn bounds(reader: &mut Reader) -> Result<Option<(Period, Period)>, RetentionError> {
    match (reader.fields.contains_key("least"), reader.fields.contains_key("most")) {
        (false, false) => Ok(None),
        (true, true) => Ok(Some((reader.period("least")?, reader.period("most")?))),
        _ => Err(reader.fault(Problem::Bounds)),
    }
}

fn check_bounds(reader: &Reader, rule: &Rule) -> Result<(), RetentionError> {
    let Some((least, most)) = rule.bounds else { return Ok(()) };
    let reversed = least.may_exceed(most);
    let outside = rule.period.is_some_and(|period| least.may_exceed(period) || period.may_exceed(most));
    if reversed || outside { Err(reader.fault(Problem::Bounds)) } else { Ok(()) }
}
