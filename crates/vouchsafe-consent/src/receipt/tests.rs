use serde_json::Value;

use super::*;
use crate::notice::tests::{SHOWN, at, draft};
use crate::{AttestedBy, NoticeDraft};

fn notice() -> Notice {
    let draft = Scope::all_biometric().fold(draft("2026-04-01", SHOWN.as_bytes()), NoticeDraft::covers);
    draft.effective(at(1_775_001_600)).finish().unwrap()
}

fn event(status: ConsentStatus, second: i64, entry: u64) -> ReceiptEvent {
    let given = status.is_open();
    ReceiptEvent {
        status,
        at: at(second),
        entry,
        method: given.then_some(ExpressionKind::Checkbox),
        expires: given.then(|| at(second + 94_608_000)),
    }
}

fn with_facts<T>(check: impl FnOnce(&ReceiptFacts<'_>) -> T) -> T {
    let (organisation, notice) = (OrganisationId::parse("acme").unwrap(), notice());
    let events =
        [event(ConsentStatus::Given, 1_776_000_000, 41), event(ConsentStatus::Withdrawn, 1_777_000_000, 97)];
    check(&ReceiptFacts {
        organisation: &organisation,
        controller: Some(Controller {
            name: "Acme Identity",
            address: "1 Example Street, Springfield, Illinois",
            contact: "privacy@acme.example",
            jurisdiction: "US-IL",
            storage_locations: &["US"],
            recipients: &[],
        }),
        log_origin: "acme.example/log",
        scope: Scope::FACE_VERIFICATION,
        notice: &notice,
        events: &events,
        withdraw: "https://acme.example/privacy/withdraw?a=1&b=2",
        verify: "Run the verifier with the receipt, the proof and the public key of the log.",
    })
}

/// Promise: WB-1.4-consent-record
#[test]
fn the_example_is_what_the_facts_give() {
    let json = with_facts(|facts| Iso27560::new(facts).unwrap().to_json());
    let example = include_str!("../../schema/consent-receipt-v1.example.json");
    assert_eq!(json, example, "schema/consent-receipt-v1.example.json must read:\n{json}");
    let read = Iso27560::from_json(&json).unwrap();
    assert_eq!(read.to_json(), json);
    for changed in [
        json.replacen("  \"receipt_id\"", "  \"pii_principal_id\": \"x\",\n  \"receipt_id\"", 1),
        json.replace("receipt/v1", "receipt/v2"),
        format!("{json} "),
        json.trim_end().to_owned(),
    ] {
        assert_eq!(Iso27560::from_json(&changed), Err(ConsentError::ReceiptEncoding));
    }
}

/// Each object of the schema is closed, and tells of each member of the value whether it is required.
fn fits(value: &Value, schema: &Value, path: &str) {
    match value {
        Value::Object(members) => {
            assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{path} is open");
            for (name, member) in members {
                let known = schema.pointer(&format!("/properties/{name}"));
                fits(
                    member,
                    known.unwrap_or_else(|| panic!("{path}/{name} is unknown")),
                    &format!("{path}/{name}"),
                );
            }
            for name in schema["required"].as_array().unwrap() {
                assert!(members.contains_key(name.as_str().unwrap()), "{path} lacks {name}");
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fits(item, &schema["items"], path)),
        _ => {
            let listed = schema.get("enum").is_none_or(|list| list.as_array().unwrap().contains(value));
            assert!(
                listed && schema.get("const").is_none_or(|constant| constant == value),
                "{path}: {value}"
            );
        }
    }
}

#[test]
fn every_receipt_fits_the_schema() {
    let schema: Value = serde_json::from_str(RECEIPT_SCHEMA).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let mail = "We write to you about news.".as_bytes();
    let all =
        Scope::all().fold(NoticeDraft::new("mail", "1", "en", mail), |draft, scope| match scope.modality() {
            None => draft.covers(scope),
            Some(_) => draft,
        });
    let mail = all.editorial(AttestedBy::LegalCounsel).finish().unwrap();
    for scope in Scope::all() {
        for status in ConsentStatus::ALL {
            let events = [event(status, 1_776_000_000, 0)];
            let receipt = with_facts(|facts| {
                let notice = if scope.modality().is_some() { facts.notice } else { &mail };
                let controller = facts.controller.filter(|_| status.is_open());
                Iso27560::new(&ReceiptFacts { scope, events: &events, notice, controller, ..*facts }).unwrap()
            });
            fits(&serde_json::to_value(&receipt).unwrap(), &schema, "");
        }
    }
}

#[test]
fn a_receipt_needs_an_act_and_its_own_notice() {
    with_facts(|facts| {
        let none = ReceiptFacts { events: &[], ..*facts };
        assert_eq!(Iso27560::new(&none), Err(ConsentError::NoEvents));
        assert_eq!(html(&none, SHOWN.as_bytes()), Err(ConsentError::NoEvents));
        let mail = Scope::all().next().unwrap();
        let other = ReceiptFacts { scope: mail, ..*facts };
        assert_eq!(Iso27560::new(&other), Err(ConsentError::ScopeNotCovered));
        assert_eq!(html(facts, b"other bytes"), Err(ConsentError::NoticeChanged));
    });
}

/// Promise: WB-1.4-consent-record
#[test]
fn the_page_tells_what_was_shown_and_loads_nothing() {
    let page = with_facts(|facts| html(facts, SHOWN.as_bytes()).unwrap());
    assert!(page.contains(&format!("tabindex=\"0\">\n{SHOWN}</pre>")), "the exact bytes");
    for part in ["You withdrew your consent", "acme.example/log#97", "by a ticked box", "a=1&amp;b=2", "P3Y"]
    {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "src=", "<link", "url(", "@import", "onclick"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn nothing_breaks_out_of_the_page() {
    let hostile = "</pre><script>alert(1)</script>\r\n\"'& We collect all of it.";
    let draft = NoticeDraft::new("<b>", "\"'", "en", hostile.as_bytes());
    let scope = Scope::all().next().unwrap();
    let notice = draft.covers(scope).editorial(AttestedBy::LegalCounsel).finish().unwrap();
    let page = with_facts(|facts| {
        let facts = ReceiptFacts {
            notice: &notice,
            scope,
            withdraw: "https://x\"><script>",
            verify: "<i>",
            ..*facts
        };
        html(&facts, hostile.as_bytes()).unwrap()
    });
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("<i>"));
    assert!(page.contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#13;\n&quot;&#39;&amp; We"));
    assert!(page.contains("href=\"https://x&quot;&gt;&lt;script&gt;\""));
}
