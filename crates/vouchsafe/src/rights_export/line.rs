//! One row of the store in a copy.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::Value;
use vouchsafe_retention::Reference;
use vouchsafe_retention::rights::ExportRecord;

use super::answers::answer_of;
use crate::Error;

/// A row that becomes a record; it has to name every column that its table's answer tells.
pub(super) struct Line {
    table: &'static str,
    named: BTreeSet<&'static str>,
    record: ExportRecord,
    pub(super) len: usize,
}

impl Line {
    pub(super) fn of(table: &'static str) -> Result<Self, Error> {
        let line = Self { table, named: BTreeSet::new(), record: ExportRecord::new(), len: 0 };
        line.beside("table", table)
    }

    /// A column and what it holds.
    pub(super) fn tell(self, column: &'static str, value: impl Display) -> Result<Self, Error> {
        let mut line = self.beside(column, &value.to_string())?;
        line.named.insert(column);
        Ok(line)
    }

    /// A column that may hold nothing.
    pub(super) fn tell_if(self, column: &'static str, value: Option<impl Display>) -> Result<Self, Error> {
        match value {
            Some(value) => self.tell(column, value),
            None => Ok(self.told(column)),
        }
    }

    /// A column that is told in other words, or opened.
    pub(super) fn told(mut self, column: &'static str) -> Self {
        self.named.insert(column);
        self
    }

    /// What is no column: what a column means, or where it leads.
    pub(super) fn beside(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let name = Reference::parse(name).ok_or(Error::Format("export"))?;
        self.len += value.len();
        self.record = self.record.field(&name, value)?;
        Ok(self)
    }

    /// A text that may be longer than a value, in parts that are numbered from the second on.
    pub(super) fn text(mut self, name: &'static str, text: &str) -> Result<Self, Error> {
        let (mut rest, mut part) = (text, 1);
        loop {
            let end = rest.floor_char_boundary(rest.len().min(ExportRecord::MAX_VALUE));
            let (head, tail) = rest.split_at(end);
            let numbered = if part == 1 { name.to_owned() } else { format!("{name}.{part}") };
            self = self.beside(&numbered, head)?.told(name);
            if tail.is_empty() {
                return Ok(self);
            }
            (rest, part) = (tail, part + 1);
        }
    }

    /// The opened JSON of a column, flattened: a name for each value.
    pub(super) fn opened(self, column: &'static str, plain: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(plain).map_err(|_| Error::Format("export"))?;
        Ok(self.flat("", &value)?.told(column))
    }

    fn flat(self, name: &str, value: &Value) -> Result<Self, Error> {
        let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        match value {
            Value::Object(fields) => {
                fields.iter().try_fold(self, |line, (part, value)| line.flat(&below(part), value))
            }
            Value::Array(values) => values
                .iter()
                .enumerate()
                .try_fold(self, |line, (part, value)| line.flat(&below(&part.to_string()), value)),
            Value::String(text) => self.beside(&format!("said.{name}"), text),
            Value::Null => Ok(self),
            other => self.beside(&format!("said.{name}"), &other.to_string()),
        }
    }

    pub(super) fn template(mut self, text: &str) -> Result<Self, Error> {
        self.len += text.len();
        self.record = self.record.template(text)?;
        Ok(self)
    }

    /// The record, once it names what its table's answer tells.
    pub(super) fn end(self) -> Result<ExportRecord, Error> {
        let told = answer_of(self.table).map_or(&[][..], |answer| answer.told);
        let silent: Vec<String> = told
            .iter()
            .filter(|column| !self.named.contains(*column))
            .map(|column| format!("{}.{column}", self.table))
            .collect();
        if silent.is_empty() { Ok(self.record) } else { Err(Error::ExportSilent(silent)) }
    }
}
