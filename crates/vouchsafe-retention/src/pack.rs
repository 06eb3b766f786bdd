use vouchsafe_types::{DataClass, Modality, Role};

use crate::rule::{modality_name, role_name};
use crate::wire::pack_v1::{Fields, PackV1};
use crate::{Confidence, PackFault, Period, Policy, Problem, RetentionError, Rule, RuleKind, Trigger};

/// A parsed pack: rules in their order, and settings of other packs' rules.
pub(crate) struct Pack {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) settings: Vec<Setting>,
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
        if [&wire.id, &wire.title, &wire.version].iter().any(|label| label.chars().any(char::is_control)) {
            return Err(unnamed(None, Problem::Syntax));
        }
        let reader = |table: &toml::Spanned<Fields>, name: &str| Reader {
            pack: wire.id.clone(),
            line: line_of(text, table.span().start),
            rule: table.get_ref().get(name).cloned(),
            fields: table.get_ref().clone(),
        };
        let rules = wire.rule.iter().map(|table| reader(table, "id").rule()).collect::<Result<_, _>>()?;
        let settings =
            wire.setting.iter().map(|table| reader(table, "rule").setting()).collect::<Result<_, _>>()?;
        Ok(Self { id: wire.id, title: wire.title, version: wire.version, rules, settings })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

/// Takes the fields of one table and remembers where it stands.
struct Reader {
    pack: String,
    line: usize,
    rule: Option<String>,
    fields: Fields,
}

impl Reader {
    fn rule(mut self) -> Result<Rule, RetentionError> {
        let classes = DataClass::ALL.map(|class| (class.name(), class));
        let triggers = Trigger::ALL.map(|trigger| (trigger.name(), trigger));
        let kinds = [RuleKind::Ceiling, RuleKind::Floor].map(|kind| (kind.name(), kind));
        let levels = [Confidence::Confirmed, Confidence::Unconfirmed].map(|level| (level.name(), level));
        let modalities =
            [Modality::Face, Modality::Voice].map(|modality| (modality_name(modality), modality));
        let roles = [Role::Administrator, Role::EndUser].map(|role| (role_name(role), role));
        let rule = Rule {
            id: self.take("id")?,
            pack: self.pack.clone(),
            class: self.named("class", &classes)?,
            modality: self.named_if_any("modality", &modalities)?,
            role: self.named_if_any("role", &roles)?,
            trigger: self.named("trigger", &triggers)?,
            kind: self.named("kind", &kinds)?,
            period: self.period_if_stated()?,
            bounds: self.bounds()?,
            clause: self.take("clause")?,
            says: self.take("says")?,
            confidence: self.named("confidence", &levels)?,
        };
        self.check_bounds(&rule)?;
        self.finish()?;
        Ok(rule)
    }

    fn setting(mut self) -> Result<Setting, RetentionError> {
        let setting = Setting { rule: self.take("rule")?, period: self.period("period")?, line: self.line };
        self.finish()?;
        Ok(setting)
    }

    fn fault(&self, problem: Problem) -> RetentionError {
        let Self { pack, line, rule, .. } = self;
        RetentionError::Pack(PackFault { pack: pack.clone(), line: Some(*line), rule: rule.clone(), problem })
    }

    fn take(&mut self, field: &'static str) -> Result<String, RetentionError> {
        let text = self.fields.remove(field).ok_or_else(|| self.fault(Problem::MissingField(field)))?;
        let plain = !text.is_empty() && !text.chars().any(|c| c.is_control() || c == '|');
        if plain { Ok(text) } else { Err(self.fault(Problem::UnknownValue(field))) }
    }

    fn named<T: Copy>(&mut self, field: &'static str, known: &[(&str, T)]) -> Result<T, RetentionError> {
        let text = self.take(field)?;
        let found = known.iter().find(|(name, _)| *name == text).map(|&(_, value)| value);
        found.ok_or_else(|| self.fault(Problem::UnknownValue(field)))
    }

    fn named_if_any<T: Copy>(
        &mut self,
        field: &'static str,
        known: &[(&str, T)],
    ) -> Result<Option<T>, RetentionError> {
        if self.fields.contains_key(field) { self.named(field, known).map(Some) } else { Ok(None) }
    }

    fn period(&mut self, field: &'static str) -> Result<Period, RetentionError> {
        let text = self.take(field)?;
        Period::parse(&text).ok_or_else(|| self.fault(Problem::Period))
    }

    fn period_if_stated(&mut self) -> Result<Option<Period>, RetentionError> {
        if self.fields.get("period").is_some_and(|text| text == "not stated") {
            self.fields.remove("period");
            return Ok(None);
        }
        self.period("period").map(Some)
    }

    fn bounds(&mut self) -> Result<Option<(Period, Period)>, RetentionError> {
        match (self.fields.contains_key("least"), self.fields.contains_key("most")) {
            (false, false) => Ok(None),
            (true, true) => Ok(Some((self.period("least")?, self.period("most")?))),
            _ => Err(self.fault(Problem::Bounds)),
        }
    }

    fn check_bounds(&self, rule: &Rule) -> Result<(), RetentionError> {
        let Some((least, most)) = rule.bounds else { return Ok(()) };
        let reversed = least.may_exceed(most);
        let outside = rule.period.is_some_and(|period| least.may_exceed(period) || period.may_exceed(most));
        if reversed || outside { Err(self.fault(Problem::Bounds)) } else { Ok(()) }
    }

    fn finish(self) -> Result<(), RetentionError> {
        match self.fields.keys().next() {
            Some(field) => Err(self.fault(Problem::UnknownField(field.clone()))),
            None => Ok(()),
        }
    }
}
