//! Exports: complete, by the law of the person's places, and harmless to open.

use proptest::prelude::*;
use serde_json::Value;
use vouchsafe_retention::rights::{
    ExportBuilder, ExportDocument, ExportRecord, IdentityProof, Inventory, Place, RequestId, RequestKind,
    RightsError, RightsRequest,
};
use vouchsafe_retention::{Policy, Reference};
use vouchsafe_types::{DataClass, Jurisdiction};

use crate::rows::at;

fn working(kind: RequestKind, place: Jurisdiction) -> RightsRequest {
    let policy = Policy::shipped().unwrap();
    let id = RequestId::from_bytes([3; 16]);
    let mut request = RightsRequest::open(&policy, id, kind, [place], at("2026-04-03T09:00:00Z")).unwrap();
    request.verify(IdentityProof::SignedIn, at("2026-04-03T10:00:00Z")).unwrap();
    let inventory = Inventory::new(DataClass::ALL.map(|class| (class, Place::Store))).unwrap();
    request.start(&inventory, at("2026-04-03T11:00:00Z")).unwrap();
    request
}

fn record(value: &str) -> ExportRecord {
    ExportRecord::new().field(&Reference::parse("name").unwrap(), value).unwrap()
}

fn document(place: Jurisdiction, value: &str) -> ExportDocument {
    let (policy, request) = (Policy::shipped().unwrap(), working(RequestKind::Export, place));
    let mut builder = ExportBuilder::new(&policy, &request).unwrap();
    DataClass::ALL.into_iter().for_each(|class| builder.not_held(class));
    builder.held(DataClass::Account, vec![record(value)]).unwrap();
    builder.finish(at("2026-04-04T00:00:00Z")).unwrap()
}

/// Promise: WB-5-know
#[test]
fn an_export_that_passes_a_class_over_is_refused() {
    let (policy, request) = (Policy::shipped().unwrap(), working(RequestKind::Know, Jurisdiction::Eu));
    for left_out in DataClass::ALL {
        let mut builder = ExportBuilder::new(&policy, &request).unwrap();
        DataClass::ALL
            .into_iter()
            .filter(|class| *class != left_out)
            .for_each(|class| builder.not_held(class));
        let refused = builder.finish(at("2026-04-04T00:00:00Z"));
        assert_eq!(refused, Err(RightsError::ExportSilent(vec![left_out])));
    }
}

/// Promise: WB-5-know
#[test]
fn a_template_leaves_under_european_law_and_stays_under_californian() {
    let policy = Policy::shipped().unwrap();
    let template = || vec![record("face").template("00ff").unwrap()];
    let request = working(RequestKind::Export, Jurisdiction::Eu);
    let mut builder = ExportBuilder::new(&policy, &request).unwrap();
    builder.held(DataClass::Biometric, template()).unwrap();
    assert!(builder.held(DataClass::Account, template()).is_err(), "a template among account data");
    let request = working(RequestKind::Export, Jurisdiction::UsCa);
    let mut builder = ExportBuilder::new(&policy, &request).unwrap();
    match builder.held(DataClass::Biometric, template()) {
        Err(RightsError::TemplateSealed { clause }) => assert!(clause.contains("7024"), "{clause}"),
        other => panic!("{other:?}"),
    }
    builder.held(DataClass::Biometric, vec![record("face")]).unwrap();
}

#[test]
fn only_a_verified_request_for_a_copy_is_answered_with_one() {
    let policy = Policy::shipped().unwrap();
    let delete = working(RequestKind::Delete, Jurisdiction::Eu);
    assert_eq!(ExportBuilder::new(&policy, &delete).err(), Some(RightsError::NoExport(RequestKind::Delete)));
    let id = RequestId::from_bytes([4; 16]);
    let fresh =
        RightsRequest::open(&policy, id, RequestKind::Know, [Jurisdiction::Eu], at("2026-04-03T09:00:00Z"));
    assert_eq!(ExportBuilder::new(&policy, &fresh.unwrap()).err(), Some(RightsError::NotVerified));
}

#[test]
fn the_json_is_of_the_published_schema() {
    let schema: Value = serde_json::from_str(ExportDocument::SCHEMA).unwrap();
    let json = document(Jurisdiction::Eu, "A").to_json().unwrap();
    let value: Value = serde_json::from_slice(&json).unwrap();
    assert!(fits(&schema, &value));
    for section in 0..DataClass::ALL.len() {
        let class = value.pointer(&format!("/sections/{section}/class")).and_then(Value::as_str);
        assert!(class.is_some(), "one section a class");
    }
    let mut foreign = value.clone();
    foreign.as_object_mut().unwrap().insert("more".to_owned(), Value::Null);
    assert!(!fits(&schema, &foreign), "the check itself can fail");
    let mut lacking = value;
    lacking.as_object_mut().unwrap().remove("policy");
    assert!(!fits(&schema, &lacking));
}

/// The part of JSON Schema that the published one uses.
fn fits(schema: &Value, value: &Value) -> bool {
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("{other}"),
        None => true,
    };
    let listed = schema.get("enum").and_then(Value::as_array).is_none_or(|list| list.contains(value));
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let complete = required.filter_map(Value::as_str).all(|name| value.get(name).is_some());
    let member = |(name, member): (&String, &Value)| match schema
        .get("properties")
        .and_then(|known| known.get(name))
    {
        Some(schema) => fits(schema, member),
        None => schema.get("additionalProperties").is_none_or(|more| match more {
            Value::Bool(allowed) => *allowed,
            schema => fits(schema, member),
        }),
    };
    let members = value.as_object().is_none_or(|object| object.iter().all(member));
    let item =
        |schema: &Value| value.as_array().is_none_or(|list| list.iter().all(|item| fits(schema, item)));
    kind && listed && constant && complete && members && schema.get("items").is_none_or(item)
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = document(Jurisdiction::Eu, "<script>alert('x')</script>").to_html();
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    for word in ["<script", "http://", "https://", "src=", "<img", "<link"] {
        assert!(!page.contains(word), "{word}");
    }
    for class in DataClass::ALL {
        assert!(page.contains(&format!("<h2 id=\"{}\">", class.name())), "{}", class.name());
    }
}

proptest! {
    // Each case loads every pack.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_adds_a_tag(value in any::<String>()) {
        let tags = |page: &str| page.matches('<').count();
        prop_assert_eq!(
            tags(&document(Jurisdiction::Eu, &value).to_html()),
            tags(&document(Jurisdiction::Eu, "plain").to_html())
        );
    }
}

/// What is exported is personal: it does not end up in somebody's log by way of `Debug`.
#[test]
fn debug_says_nothing_of_a_record() {
    let text = format!("{:?}", document(Jurisdiction::Eu, "jane@example.org"));
    assert!(!text.contains("jane"), "{text}");
}
