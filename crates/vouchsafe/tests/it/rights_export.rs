//! The copy of everything that is held about a person.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use vouchsafe::ledger::{ActorRole, EntryKind as K};
use vouchsafe::retention::Authority;
use vouchsafe::retention::rights::{
    ExportDocument, IdentityProof, Place, RequestId, RequestKind, RequestStatus, RightsError, TaskStatus,
};
use vouchsafe::store::INVENTORY;
use vouchsafe::types::{DataClass, FactField, FreeText, Jurisdiction};
use vouchsafe::{Error, HoldRequest, Organisation, Subject};

use crate::scene::{FACE, HOST, Scene, consented, enrol, notice, verify, with};

const DPO: ActorRole = ActorRole::Administrator;

fn text(value: &str) -> FreeText {
    FreeText::parse(value).unwrap()
}

/// A person of whom a row lies in every table that can hold one.
fn lived<'a>(organisation: &'a Organisation<'_>, id: &str, place: Jurisdiction) -> Subject<'a> {
    let person = consented(organisation, id);
    person.lives_in(place, DPO).unwrap();
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted());
    person.record_fact(FactField::Name, &text("A. <b>Person</b>"), DPO).unwrap();
    person.record_fact(FactField::PasswordHash, &text("$2b$12$abcdefghijklmnopqrstuv"), DPO).unwrap();
    person.restrict(DPO).unwrap();
    person.lift_restriction(DPO).unwrap();
    person.object().unwrap();
    person
}

fn asked(person: &Subject<'_>, kind: RequestKind) -> RequestId {
    let id = person.request(kind).unwrap();
    let verified = |request: &mut vouchsafe::retention::rights::RightsRequest, now| {
        request.verify(IdentityProof::SignedIn, now)
    };
    let _ = person.advance_request(id, DPO, verified).unwrap();
    let _ = person.start_request(id, DPO).unwrap();
    id
}

fn json(document: &ExportDocument) -> Value {
    serde_json::from_slice(&document.to_json().unwrap()).unwrap()
}

fn section(export: &Value, class: DataClass) -> &Value {
    let sections = export["sections"].as_array().unwrap();
    sections.iter().find(|section| section["class"] == class.name()).unwrap()
}

fn records<'a>(export: &'a Value, table: &'a str) -> impl Iterator<Item = &'a Value> {
    let sections = export["sections"].as_array().unwrap().iter();
    let records = sections.flat_map(|section| section["records"].as_array().unwrap());
    records.filter(move |record| record["fields"]["table"] == table)
}

/// Promise: WB-5-know
#[test]
fn a_copy_holds_every_table_that_holds_something_and_answers_the_request() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let person = lived(&organisation, "4711", Jurisdiction::Eu);
    let other = lived(&organisation, "4712", Jurisdiction::Eu);
    let hold = HoldRequest {
        matter: "case-26-104",
        authority: Authority::Warrant,
        subject: Some(&person),
        class: None,
        expires: None,
        requested_by: "counsel",
        approved_by: "dpo",
    };
    organisation.place_hold(&hold).unwrap();
    let _ = person.erase().unwrap();
    let id = asked(&person, RequestKind::Export);
    let document = person.export(id, DPO).unwrap();
    let export = json(&document);

    // A table of the inventory with a row of the person stands in the copy; the others have none for them.
    let nothing = ["organisation", "holding_tally", "entry", "public_payload", "lease", "retention"];
    let tables: std::collections::BTreeSet<_> = INVENTORY.iter().map(|column| column.table).collect();
    for table in tables.iter().filter(|table| !nothing.contains(table)) {
        assert!(records(&export, table).next().is_some(), "{table}");
    }
    assert_eq!(export["sections"].as_array().unwrap().len(), DataClass::ALL.len());
    let bytes = document.to_json().unwrap();
    let bytes = String::from_utf8(bytes).unwrap();
    let stranger: String = other.pseudonym().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!bytes.contains(&stranger), "nothing of another person");
    assert!(!bytes.contains("counsel"), "who asked for a hold is another person");
    assert!(bytes.contains("we measure your face"), "what was shown");
    assert!(!bytes.contains("$2b$12$"), "no hash of a password");
    assert!(document.to_html().contains("A. &lt;b&gt;Person"), "escaped");
    let host = records(&export, "recipient").next();
    assert!(host.is_some(), "who else keeps it");
    let holding = records(&export, "holding").find(|record| record["fields"]["state"] == "live").unwrap();
    assert!(holding["fields"]["explanation"].as_str().unwrap().len() > 10, "{holding}");

    let request = person.rights_request(id).unwrap();
    let newest = scene.kinds("acme").len() as u64 - 1;
    assert_eq!(scene.kinds("acme").last(), Some(&K::RightsProgressed), "audited");
    let audit = scene.payload("acme", newest);
    assert_eq!(audit["words"]["export"], "made");
    for (class, place, task) in request.tasks() {
        let held = section(&export, class)["held"] == true;
        let expected = if held { TaskStatus::Done { entry: newest } } else { TaskStatus::NotHeld };
        assert_eq!(*task.status(), expected, "{} in {place}", class.name());
    }
    assert_eq!(person.answer_request(id, DPO).unwrap().status(), RequestStatus::Answered);
}

/// Promise: WB-5-know
#[test]
fn only_a_copy_answers_and_only_for_a_verified_person_whose_request_asks_for_one() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let id = person.request(RequestKind::Know).unwrap();
    assert!(matches!(person.export(id, DPO), Err(Error::Rights(RightsError::NotVerified))));
    let weak = person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::Session, now));
    assert!(matches!(weak, Err(Error::Rights(RightsError::ProofTooWeak { .. }))));
    let _ =
        person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::SignedIn, now)).unwrap();
    assert!(matches!(person.export(id, DPO), Err(Error::Rights(RightsError::Illegal { .. }))), "not begun");
    let _ = person.start_request(id, DPO).unwrap();
    let _ = person.carry_out_request(id, DPO).unwrap();
    let unanswered = person.answer_request(id, DPO);
    assert!(matches!(unanswered, Err(Error::Rights(RightsError::Incomplete(_)))), "{unanswered:?}");
    let stranger = organisation.subject("4712").unwrap();
    assert!(matches!(stranger.export(id, DPO), Err(Error::UnknownRecord)));
    let _ = person.export(id, DPO).unwrap();
    let _ = person.export(id, DPO).unwrap();
    let _ = person.answer_request(id, DPO).unwrap();
    assert!(matches!(person.export(id, DPO), Err(Error::Rights(RightsError::Illegal { .. }))), "closed");
    let delete = asked(&person, RequestKind::Delete);
    let refused = person.export(delete, DPO);
    assert!(matches!(refused, Err(Error::Rights(RightsError::NoExport(RequestKind::Delete)))));
}

/// Promise: WB-5-know
#[test]
fn the_template_goes_to_europe_protected_and_to_california_described() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let in_copy = |id: &str, places: &[Jurisdiction]| {
        let person = consented(&organisation, id);
        places.iter().for_each(|place| person.lives_in(*place, DPO).unwrap());
        enrol(&person, 1);
        let request = asked(&person, RequestKind::Know);
        json(&person.export(request, DPO).unwrap())
    };
    let template = |export: &Value| {
        let section = section(export, DataClass::Biometric);
        assert_eq!(section["held"], true, "that one is held is always told");
        let record = records(export, "record").next().unwrap();
        assert_eq!(record["fields"]["modality"], "face");
        assert!(record["fields"]["what"].as_str().unwrap().len() > 20);
        record["template"].as_str().map(str::to_owned)
    };
    let europe = template(&in_copy("1", &[Jurisdiction::Eu])).unwrap();
    assert_eq!(europe.len(), 2780, "the encoded reference, in base64");
    assert_eq!(template(&in_copy("2", &[Jurisdiction::UsCa])), None);
    assert_eq!(template(&in_copy("3", &[Jurisdiction::Eu, Jurisdiction::UsCa])), None, "the stricter one");
    assert_eq!(template(&in_copy("4", &[])), None, "no place, the strictest");
}

/// Promise: WB-5-know
#[test]
fn of_a_destroyed_template_the_copy_says_that_none_is_held() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    person.lives_in(Jurisdiction::Eu, DPO).unwrap();
    enrol(&person, 1);
    let _ = person.withdraw(FACE).unwrap();
    let id = asked(&person, RequestKind::Know);
    let export = json(&person.export(id, DPO).unwrap());
    assert_eq!(section(&export, DataClass::Biometric)["held"], false);
    let destroyed = records(&export, "holding").find(|record| record["fields"]["class"] == "biometric");
    assert_eq!(destroyed.unwrap()["fields"]["state"], "destroyed");
    let keys = person.rights_request(id).unwrap();
    let keys = keys.tasks().find(|(_, place, _)| **place == Place::Keys).unwrap();
    assert_eq!(*keys.2.status(), TaskStatus::NotHeld);
    let _ = notice(&organisation);
}

/// The copy is what its schema says: the rules of the schema that this project's own documents use, checked here; the
/// whole of JSON Schema where `check-jsonschema` is installed.
///
/// Promise: WB-5-know
#[test]
fn a_copy_keeps_to_its_schema() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = lived(&organisation, "4711", Jurisdiction::Eu);
    let id = asked(&person, RequestKind::Export);
    let bytes = person.export(id, DPO).unwrap().to_json().unwrap();
    let schema: Value = serde_json::from_str(ExportDocument::SCHEMA).unwrap();
    let export: Value = serde_json::from_slice(&bytes).unwrap();
    fits(&export, &schema);
    let mut wrong = export.clone();
    wrong["sections"][0]["records"][0]["fields"]["x"] = 1.into();
    assert!(std::panic::catch_unwind(|| fits(&wrong, &schema)).is_err(), "the check can fail");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("schema.json");
    std::fs::write(&path, ExportDocument::SCHEMA).unwrap();
    let tool = Command::new("check-jsonschema")
        .arg("--schemafile")
        .arg(&path)
        .arg("-")
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else { return };
    tool.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert!(tool.wait().unwrap().success());
}

/// The part of JSON Schema that the schema of exports is written in.
fn fits(value: &Value, schema: &Value) {
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant);
    }
    if let Some(of) = schema.get("enum") {
        assert!(of.as_array().unwrap().contains(value), "{value}");
    }
    match schema["type"].as_str() {
        Some("object") => {
            let object = value.as_object().unwrap();
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(object.contains_key(name.as_str().unwrap()), "{name}");
            }
            for (name, field) in object {
                match (schema["properties"].get(name), &schema["additionalProperties"]) {
                    (Some(own), _) => fits(field, own),
                    (None, Value::Bool(false)) => panic!("{name} is not in the schema"),
                    (None, others) => fits(field, others),
                }
            }
        }
        Some("array") => value.as_array().unwrap().iter().for_each(|item| fits(item, &schema["items"])),
        Some("string") => assert!(value.is_string(), "{value}"),
        Some("boolean") => assert!(value.is_boolean(), "{value}"),
        _ => {}
    }
}
