use jiff::civil::Date;
use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use crate::wire::pack_v1::Fields;
use crate::{Confidence, Force, PackFault, Period, Problem, Reference, RetentionError};

/// Takes the fields of one table of a pack and remembers where it stands.
pub(crate) struct Reader {
    pub(crate) pack: String,
    pub(crate) force: Force,
    pub(crate) line: usize,
    pub(crate) rule: Option<String>,
    pub(crate) fields: Fields,
}

impl Reader {
    pub(crate) fn fault(&self, problem: Problem) -> RetentionError {
        let Self { pack, line, rule, .. } = self;
        RetentionError::Pack(PackFault { pack: pack.clone(), line: Some(*line), rule: rule.clone(), problem })
    }

    /// A text without control characters and without `|`, 1 to 2,000 bytes.
    pub(crate) fn take(&mut self, field: &'static str) -> Result<String, RetentionError> {
        let text = self.fields.remove(field).ok_or_else(|| self.fault(Problem::MissingField(field)))?;
        let plain =
            !text.is_empty() && text.len() <= MAX_TEXT && !text.chars().any(|c| c.is_control() || c == '|');
        if plain { Ok(text) } else { Err(self.fault(Problem::UnknownValue(field))) }
    }

    pub(crate) fn take_if_any(&mut self, field: &'static str) -> Result<Option<String>, RetentionError> {
        if self.fields.contains_key(field) { self.take(field).map(Some) } else { Ok(None) }
    }

    /// An id: 1 to 64 bytes of `a-z`, `0-9`, `.`, `-`.
    pub(crate) fn id(&mut self, field: &'static str) -> Result<String, RetentionError> {
        let text = self.take(field)?;
        let alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        let fits = text.len() <= 64 && text.bytes().all(alphabet);
        if fits { Ok(text) } else { Err(self.fault(Problem::UnknownValue(field))) }
    }

    pub(crate) fn named<T: Copy>(
        &mut self,
        field: &'static str,
        known: &[(&str, T)],
    ) -> Result<T, RetentionError> {
        let text = self.take(field)?;
        let found = known.iter().find(|(name, _)| *name == text).map(|&(_, value)| value);
        found.ok_or_else(|| self.fault(Problem::UnknownValue(field)))
    }

    pub(crate) fn named_if_any<T: Copy>(
        &mut self,
        field: &'static str,
        known: &[(&str, T)],
    ) -> Result<Option<T>, RetentionError> {
        if self.fields.contains_key(field) { self.named(field, known).map(Some) } else { Ok(None) }
    }

    /// One or more distinct names, with `, ` between them.
    pub(crate) fn list<T: Copy + PartialEq>(
        &mut self,
        field: &'static str,
        known: &[(&str, T)],
    ) -> Result<Vec<T>, RetentionError> {
        let text = self.take(field)?;
        let mut values = Vec::new();
        for name in text.split(", ") {
            let found = known.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
            match found.filter(|value| !values.contains(value)) {
                Some(value) => values.push(value),
                None => return Err(self.fault(Problem::UnknownValue(field))),
            }
        }
        Ok(values)
    }

    /// A decimal number without sign and leading zero, at most `most`.
    pub(crate) fn number(&mut self, field: &'static str, most: u64) -> Result<u64, RetentionError> {
        let text = self.take(field)?;
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text && *number <= most);
        number.ok_or_else(|| self.fault(Problem::UnknownValue(field)))
    }

    pub(crate) fn number_if_any(
        &mut self,
        field: &'static str,
        most: u64,
    ) -> Result<Option<u64>, RetentionError> {
        if self.fields.contains_key(field) { self.number(field, most).map(Some) } else { Ok(None) }
    }

    /// A day that exists, as `2026-11-01`.
    pub(crate) fn date(&mut self, field: &'static str) -> Result<Date, RetentionError> {
        let text = self.take(field)?;
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.ok_or_else(|| self.fault(Problem::UnknownValue(field)))
    }

    pub(crate) fn period(&mut self, field: &'static str) -> Result<Period, RetentionError> {
        let text = self.take(field)?;
        Period::parse(&text).ok_or_else(|| self.fault(Problem::Period))
    }

    pub(crate) fn class(&mut self) -> Result<DataClass, RetentionError> {
        self.named("class", &DataClass::ALL.map(|class| (class.name(), class)))
    }

    /// A place with a law; "elsewhere" has none.
    pub(crate) fn jurisdiction(&mut self) -> Result<Option<Jurisdiction>, RetentionError> {
        let known = Jurisdiction::ALL.map(|place| (place.name(), place));
        match self.named_if_any("jurisdiction", &known)? {
            Some(Jurisdiction::Elsewhere) => Err(self.fault(Problem::UnknownValue("jurisdiction"))),
            place => Ok(place),
        }
    }

    pub(crate) fn modality(&mut self) -> Result<Option<Modality>, RetentionError> {
        self.named_if_any("modality", &Modality::ALL.map(|modality| (modality.name(), modality)))
    }

    pub(crate) fn role(&mut self) -> Result<Option<Role>, RetentionError> {
        self.named_if_any("role", &Role::ALL.map(|role| (role.name(), role)))
    }

    pub(crate) fn confidence(&mut self) -> Result<Confidence, RetentionError> {
        self.named("confidence", &Confidence::ALL.map(|level| (level.name(), level)))
    }

    /// Whether the table may stand in this pack: an organisation's own alone.
    pub(crate) fn organisation_only(&self) -> Result<(), RetentionError> {
        match self.force {
            Force::Organisation => Ok(()),
            _ => Err(self.fault(Problem::NotOrganisation)),
        }
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Takes a field that is there and says nothing; says whether it did.
    pub(crate) fn drop_if_empty(&mut self, field: &str) -> bool {
        let empty = self.fields.get(field).is_some_and(String::is_empty);
        if empty {
            self.fields.remove(field);
        }
        empty
    }

    pub(crate) fn reference(&mut self, field: &'static str) -> Result<Reference, RetentionError> {
        let text = self.take(field)?;
        Reference::parse(&text).ok_or_else(|| self.fault(Problem::UnknownValue(field)))
    }

    /// Refuses a field that nobody took.
    pub(crate) fn finish(self) -> Result<(), RetentionError> {
        match self.fields.keys().next() {
            Some(field) => Err(self.fault(Problem::UnknownField(field.clone()))),
            None => Ok(()),
        }
    }
}

const MAX_TEXT: usize = 2000;
