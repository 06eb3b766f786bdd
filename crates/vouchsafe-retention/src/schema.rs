use serde_json::{Map, Value, json};
use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use crate::disclosure::RecipientKind;
use crate::rights::ExportContent;
use crate::{Authority, Confidence, Force, Policy, RuleKind, Trigger};

/// The JSON Schema (2020-12) of packs, for editors. It lies in `schema/pack.schema.json`.
///
/// Loading checks more: bounds, ids that are used twice, settings of rules that no pack has, contradictions.
pub fn pack_schema() -> String {
    let table = |fields: &[Field]| json!({ "type": "array", "items": object(fields) });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vouchsafe policy pack, format 1",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "id", "version", "title", "kind"],
        "properties": {
            "format": { "const": Policy::PACK_FORMAT },
            "id": label(),
            "version": label(),
            "title": label(),
            "kind": { "enum": Force::ALL.map(Force::name) },
            "rule": table(&rule()),
            "setting": table(&[need("rule", text()), need("period", period())]),
            "adopt": table(&[need("rule", text()), need("by", text()), need("on", json!({ "type": "string", "format": "date" }))]),
            "honour": table(&honour()),
            "note": table(&note()),
            "age": table(&[need("id", id()), need("years", number()), need("clause", text()), need("says", text())]),
            "clock": table(&clock()),
            "export": table(&export()),
            "recipient": table(&recipient()),
            "organisation": object(&organisation()),
            "approval": object(&[may("scheduled", matching("^[0-5]$")), may("offboarding", matching("^[1-5]$"))]),
            "breaker": object(&[may("percent", number()), may("free", number()), may("max_step_days", number())]),
            "aggregate": object(&[need("minimum", number())]),
        },
    });
    format!("{schema:#}\n")
}

/// A field's name, whether it has to be there, and what it holds.
type Field = (&'static str, bool, Value);

const fn need(name: &'static str, holds: Value) -> Field {
    (name, true, holds)
}

const fn may(name: &'static str, holds: Value) -> Field {
    (name, false, holds)
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<_, _> =
        fields.iter().map(|(name, _, holds)| ((*name).to_owned(), holds.clone())).collect();
    let required: Vec<_> = fields.iter().filter(|(_, needed, _)| *needed).map(|(name, ..)| *name).collect();
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn rule() -> Vec<Field> {
    vec![
        need("id", id()),
        need("class", class()),
        may("modality", one_of(&Modality::ALL.map(Modality::name))),
        may("role", one_of(&Role::ALL.map(Role::name))),
        may("jurisdiction", jurisdiction()),
        need("trigger", one_of(&Trigger::ALL.map(Trigger::name))),
        need("kind", one_of(&RuleKind::ALL.map(RuleKind::name))),
        need("period", json!({ "anyOf": [period(), { "const": "not stated" }] })),
        may("least", period()),
        may("most", period()),
        need("clause", text()),
        need("says", text()),
        need("confidence", confidence()),
    ]
}

fn honour() -> Vec<Field> {
    vec![
        need("id", id()),
        need("class", class()),
        may("jurisdiction", jurisdiction()),
        need("authorities", list(&Authority::ALL.map(Authority::name))),
        need("clause", text()),
        need("says", text()),
        need("confidence", confidence()),
    ]
}

fn note() -> Vec<Field> {
    vec![
        need("id", id()),
        may("jurisdiction", jurisdiction()),
        need("clause", text()),
        need("says", text()),
        may("against", text()),
        may("resolved", text()),
        need("confidence", confidence()),
    ]
}

fn clock() -> Vec<Field> {
    let interval = || json!({ "type": "string" });
    vec![
        need("id", text()),
        may("jurisdiction", jurisdiction()),
        need("requests", text()),
        may("confirm", interval()),
        need("answer", interval()),
        may("extension", interval()),
        may("pause", one_of(&["identity", "none"])),
        need("clause", text()),
        need("says", text()),
        need("confidence", confidence()),
    ]
}

fn export() -> Vec<Field> {
    let contents = [ExportContent::Described, ExportContent::Included].map(ExportContent::name);
    vec![
        need("id", text()),
        need("class", class()),
        may("jurisdiction", jurisdiction()),
        need("content", one_of(&contents)),
        need("clause", text()),
        need("says", text()),
        need("confidence", confidence()),
    ]
}

fn recipient() -> Vec<Field> {
    vec![
        need("id", text()),
        need("name", text()),
        need("kind", one_of(&RecipientKind::ALL.map(RecipientKind::name))),
        need("region", region()),
        need("purpose", text()),
        need("classes", list(&DataClass::ALL.map(DataClass::name))),
        need("document", text()),
        need("confidential", one_of(&["yes", "no"])),
        need("delete_within", period()),
        may("safeguard", text()),
    ]
}

fn organisation() -> Vec<Field> {
    vec![
        need("name", text()),
        need("address", text()),
        need("email", text()),
        may("legal_email", text()),
        may("website", text()),
        need("minimum_age", number()),
        need("regions", matching("^[a-z]{2}(, [a-z]{2})*$")),
        need("store_region", region()),
    ]
}

fn one_of(names: &[&str]) -> Value {
    json!({ "enum": names })
}

/// One or more names with `, ` between them.
fn list(names: &[&str]) -> Value {
    let names = names.join("|");
    matching(&format!("^({names})(, ({names}))*$"))
}

fn matching(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn label() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 200 })
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^|]*$" })
}

fn id() -> Value {
    matching("^[a-z0-9.-]{1,64}$")
}

fn number() -> Value {
    matching("^(0|[1-9][0-9]*)$")
}

fn region() -> Value {
    matching("^[a-z]{2}$")
}

fn period() -> Value {
    matching("^(at once|([0-9]+ (years?|months?|days?))( [0-9]+ (months?|days?)){0,2})$")
}

fn class() -> Value {
    one_of(&DataClass::ALL.map(DataClass::name))
}

fn jurisdiction() -> Value {
    let with_law = Jurisdiction::ALL.into_iter().filter(|place| *place != Jurisdiction::Elsewhere);
    one_of(&with_law.map(Jurisdiction::name).collect::<Vec<_>>())
}

fn confidence() -> Value {
    one_of(&Confidence::ALL.map(Confidence::name))
}
