use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use serde::Serialize;
use vouchsafe_types::{DataClass, Digest, Timestamp};

use super::{ExportContent, RequestKind, RightsError, RightsRequest};
use crate::html::escaped;
use crate::{Policy, Reference};

/// One record of a person in an export: fields by name, and perhaps a protected template.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub struct ExportRecord {
    fields: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

impl ExportRecord {
    /// The longest value, in bytes.
    pub const MAX_VALUE: usize = 64 << 10;

    /// A record without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The record with one more field; a name that it has is given the new value.
    ///
    /// # Errors
    /// [`RightsError::Limit`] for a value of more than [`Self::MAX_VALUE`] bytes.
    pub fn field(mut self, name: &Reference, value: &str) -> Result<Self, RightsError> {
        within(value)?;
        self.fields.insert(name.to_string(), value.to_owned());
        Ok(self)
    }

    /// The record with the protected template, as text. Never a raw embedding.
    ///
    /// # Errors
    /// [`RightsError::Limit`] for a text of more than [`Self::MAX_VALUE`] bytes.
    pub fn template(self, text: &str) -> Result<Self, RightsError> {
        within(text)?;
        Ok(Self { template: Some(text.to_owned()), ..self })
    }
}

impl fmt::Debug for ExportRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportRecord").finish_non_exhaustive()
    }
}

fn within(value: &str) -> Result<(), RightsError> {
    if value.len() <= ExportRecord::MAX_VALUE { Ok(()) } else { Err(RightsError::Limit) }
}

/// Collects what is held of a person, class by class, until every class has its answer.
#[derive(Debug)]
pub struct ExportBuilder<'a> {
    policy: &'a Policy,
    request: &'a RightsRequest,
    sections: BTreeMap<u8, Section>,
}

impl<'a> ExportBuilder<'a> {
    /// An export that answers a verified request to know or to export.
    ///
    /// # Errors
    /// [`RightsError::NoExport`] for another kind of request, [`RightsError::NotVerified`], [`RightsError::Illegal`]
    /// unless work is going on.
    pub fn new(policy: &'a Policy, request: &'a RightsRequest) -> Result<Self, RightsError> {
        if !matches!(request.kind(), RequestKind::Export | RequestKind::Know) {
            return Err(RightsError::NoExport(request.kind()));
        }
        request.require_work()?;
        Ok(Self { policy, request, sections: BTreeMap::new() })
    }

    /// How much of a class goes in. A class that no pack has an export rule for goes in as it is, but for templates.
    ///
    /// # Errors
    /// [`RightsError::NoExportRule`] for biometric data without a rule for the person's places.
    pub fn content(&self, class: DataClass) -> Result<ExportContent, RightsError> {
        let ruled = self.policy.export_rules().iter().any(|rule| rule.class() == class);
        if class != DataClass::Biometric && !ruled {
            return Ok(ExportContent::Included);
        }
        Ok(self.policy.export_rule(class, self.request.places())?.content())
    }

    /// Records what is held of a class; a second call for it replaces the first.
    ///
    /// # Errors
    /// [`RightsError::TemplateSealed`] for a template that the law of the person's places does not let out, or that
    /// stands with another class than biometric data; [`RightsError::NoExportRule`], [`RightsError::Limit`] for more
    /// than 100,000 records.
    pub fn held(&mut self, class: DataClass, records: Vec<ExportRecord>) -> Result<(), RightsError> {
        if records.len() > MAX_RECORDS {
            return Err(RightsError::Limit);
        }
        let content = self.content(class)?;
        let rule = self.policy.export_rule(class, self.request.places()).ok();
        let clause = rule.map(|rule| rule.clause().to_owned());
        let open = class == DataClass::Biometric && content == ExportContent::Included;
        if !open && records.iter().any(|record| record.template.is_some()) {
            let clause = clause.unwrap_or_else(|| "templates are biometric data".to_owned());
            return Err(RightsError::TemplateSealed { clause });
        }
        let (content, says) = (Some(content.name()), rule.map(|rule| rule.says().to_owned()));
        let section = Section { class: class.name(), held: true, content, clause, says, records };
        self.sections.insert(class.code(), section);
        Ok(())
    }

    /// Records that nothing of a class is held.
    pub fn not_held(&mut self, class: DataClass) {
        let (content, clause, says) = (None, None, None);
        let section =
            Section { class: class.name(), held: false, content, clause, says, records: Vec::new() };
        self.sections.insert(class.code(), section);
    }

    /// The document, once every class has its answer.
    ///
    /// # Errors
    /// [`RightsError::ExportSilent`] with the classes that were passed over.
    pub fn finish(self, made_at: Timestamp) -> Result<ExportDocument, RightsError> {
        let silent = |class: &DataClass| !self.sections.contains_key(&class.code());
        let missing: Vec<_> = DataClass::ALL.into_iter().filter(silent).collect();
        if !missing.is_empty() {
            return Err(RightsError::ExportSilent(missing));
        }
        let (request, policy) = (self.request.id().to_string(), self.policy.digest());
        Ok(ExportDocument { request, policy, made_at, sections: self.sections.into_values().collect() })
    }
}

/// Everything held of one person, with an answer for every class there is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ExportDocument {
    request: String,
    policy: Digest,
    made_at: Timestamp,
    sections: Vec<Section>,
}

impl ExportDocument {
    /// The JSON Schema of [`Self::to_json`].
    pub const SCHEMA: &'static str = include_str!("../../schema/export.schema.json");

    /// The one encoding, version 1: JSON in UTF-8 without white space, classes in the order of their codes, fields sorted.
    ///
    /// # Errors
    /// [`RightsError::Malformed`] when the encoder fails, which it has no reason to.
    pub fn to_json(&self) -> Result<Vec<u8>, RightsError> {
        let wire = ExportV1 {
            version: 1,
            request: &self.request,
            policy: self.policy.to_string(),
            made_at: self.made_at.to_string(),
            sections: &self.sections,
        };
        serde_json::to_vec(&wire).map_err(|_| RightsError::Malformed)
    }

    /// A page for readers: one file, no script, nothing loaded from anywhere; every value is escaped.
    pub fn to_html(&self) -> String {
        let mut page = String::from(HEAD);
        let (request, made_at) = (&self.request, self.made_at);
        let _ = write!(page, "<p>Request {request}, made at {made_at}.</p>\n<ul>\n");
        for Section { class, held, .. } in &self.sections {
            let state = if *held { "held" } else { "not held" };
            let _ = writeln!(page, "<li><a href=\"#{class}\">{}</a>: {state}</li>", class.replace('_', " "));
        }
        page.push_str("</ul>\n");
        self.sections.iter().for_each(|section| section.write(&mut page));
        page.push_str("</body></html>\n");
        page
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Section {
    class: &'static str,
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
    records: Vec<ExportRecord>,
}

impl Section {
    fn write(&self, page: &mut String) {
        let _ = writeln!(page, "<h2 id=\"{}\">{}</h2>", self.class, self.class.replace('_', " "));
        if let (Some(says), Some(clause)) = (&self.says, &self.clause) {
            let _ = writeln!(page, "<p>{} ({})</p>", escaped(says), escaped(clause));
        }
        if !self.held {
            page.push_str("<p>Nothing of this kind is held.</p>\n");
        }
        for record in &self.records {
            page.push_str("<table>\n");
            let template = record.template.as_ref().map(|text| ("protected template", text.as_str()));
            let fields = record.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            for (name, value) in fields.chain(template) {
                let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(value));
            }
            page.push_str("</table>\n");
        }
    }
}

/// Version 1 of an export.
#[derive(Serialize)]
struct ExportV1<'a> {
    version: u32,
    request: &'a str,
    policy: String,
    made_at: String,
    sections: &'a [Section],
}

/// More records of a class than a person has.
const MAX_RECORDS: usize = 100_000;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
<title>Data held about you</title>\
<style>body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em}\
table{border-collapse:collapse;margin:1em 0}\
th,td{border:1px solid #999;padding:.3em .6em;text-align:left;overflow-wrap:anywhere}</style></head><body>\n\
<h1>Data held about you</h1>\n";
