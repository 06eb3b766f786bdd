//! What a person keeps: it verifies with the public key alone, and says nothing about them by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan;
use serde_json::Value;
use vouchsafe::consent::receipt::{Controller, Iso27560, ReceiptEvent, ReceiptFacts, html};
use vouchsafe::consent::{ConsentStatus, ExpressionKind};
use vouchsafe::ledger::{ActorRole, Trust, VerifierKey};
use vouchsafe::types::{ClientAddress, DataClass, IpPseudonym};
use vouchsafe::{Act, Clock, Destruction, Organisation, Pace, Receipt, Vouchsafe};

use crate::scene::{FACE, Scene, approver, content, enrol, notice, proven};

const NAME: &str = "Erika Mustermann";
const EMAIL: &str = "erika.mustermann@mail.example";
const ADDRESS: &str = "203.0.113.77";

fn caller_id() -> String {
    format!("{NAME} <{EMAIL}>")
}

fn address(text: &str) -> ClientAddress {
    ClientAddress::new(text.parse().unwrap())
}

/// One thing that must be nowhere, in every spelling that is looked for.
struct Needle {
    name: &'static str,
    spellings: Vec<Vec<u8>>,
}

impl Needle {
    fn new(name: &'static str, bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut spellings = vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
        if let Ok(text) = std::str::from_utf8(bytes) {
            spellings.push(text.to_lowercase().into_bytes());
            spellings.push(text.to_uppercase().into_bytes());
            // As JSON and HTML escape it.
            spellings.push(text.replace('<', "&lt;").replace('>', "&gt;").into_bytes());
            spellings.push(text.replace('@', "%40").into_bytes());
        }
        for before in 0..3 {
            // What stands before it shifts the six bits; the digits that it shares with its neighbours are left out.
            let encoded = STANDARD.encode([vec![0; before], bytes.to_vec()].concat());
            let encoded = encoded.trim_end_matches('=');
            let from = [0, 2, 3][before];
            let whole = (before + bytes.len()) * 8 / 6;
            let core = &encoded[from..whole];
            spellings.push(core.as_bytes().to_vec());
            spellings.push(core.replace('+', "-").replace('/', "_").into_bytes());
        }
        Self { name, spellings }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let within = |spelling: &Vec<u8>| bytes.windows(spelling.len()).any(|window| window == spelling);
        self.spellings.iter().any(within)
    }
}

fn needles(pseudonym: &[u8; 32]) -> Vec<Needle> {
    let id = caller_id();
    let mapped = *address(ADDRESS).expose_address();
    vec![
        Needle::new("the caller's id", id.as_bytes()),
        Needle::new("the name", NAME.as_bytes()),
        Needle::new("the surname", b"Mustermann"),
        Needle::new("the e-mail address", EMAIL.as_bytes()),
        Needle::new("the pseudonym", pseudonym),
        Needle::new("the network address as text", ADDRESS.as_bytes()),
        Needle::new("the network address, mapped, as text", b"::ffff:203.0.113.77"),
        Needle::new("the network address, mapped", &mapped),
    ]
}

/// Everything that a text holds: itself, and whatever in its strings is base64, again and again.
fn layers(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![text.to_vec()];
    let mut next = 0;
    while let Some(layer) = found.get(next).cloned() {
        let words = layer.split(|byte| !byte.is_ascii_alphanumeric() && !b"+/=".contains(byte));
        let decoded = words.filter(|word| word.len() >= 16).filter_map(|word| STANDARD.decode(word).ok());
        let decoded: Vec<_> = decoded.filter(|layer| !found.contains(layer)).collect();
        found.extend(decoded);
        next += 1;
    }
    found
}

/// The names of what was found.
fn scan(text: &str, needles: &[Needle]) -> Vec<&'static str> {
    let layers = layers(text.as_bytes());
    let found = needles.iter().filter(|needle| layers.iter().any(|layer| needle.is_in(layer)));
    found.map(|needle| needle.name).collect()
}

/// Somebody with much to hide, and everything that they were given to keep.
struct Kept {
    scene: Scene,
    pseudonym: [u8; 32],
    ip: IpPseudonym,
    receipts: Vec<String>,
    pages: Vec<String>,
    key: String,
    origin: String,
}

fn given(organisation: &Organisation<'_>, service: &Scene) -> (Vec<Receipt>, IpPseudonym, [u8; 32]) {
    let notice = notice(organisation);
    let person = organisation.subject(&caller_id()).unwrap();
    let ip = organisation.pseudonymise(address(ADDRESS)).unwrap();
    let served = person.serve_notice(FACE, &notice).unwrap();
    service.pass(30);
    let act = Act::checkbox().attesting_age(18).from(ip).at(service.clock.now());
    let consent = person.give_consent(served.ticket(), act).unwrap().or_refuse().unwrap();
    let enrolment = enrol(&person, 1);
    let withdrawal = person.withdraw(FACE).unwrap().receipt;
    let all = [consent.receipt(), enrolment.receipt(), withdrawal.receipt()];
    (all.map(|receipt| proven(organisation, receipt)).into(), ip, *person.pseudonym().as_bytes())
}

fn pages(organisation: &Organisation<'_>, clock: &dyn Clock) -> Vec<String> {
    let notice = notice(organisation);
    let person = organisation.subject(&caller_id()).unwrap();
    let answer = person.consent_at(FACE, clock.now(), ActorRole::Person).unwrap();
    let ended = answer.deciding.unwrap();
    let begun = person.consent_at(FACE, ended.at, ActorRole::Person).unwrap();
    let event = |status, at, entry, method| ReceiptEvent { status, at, entry, method, expires: None };
    let entry = ended.receipt.as_ref().unwrap().receipt().entry();
    let events = [
        event(ConsentStatus::Given, begun.at, 3, Some(ExpressionKind::Checkbox)),
        event(ConsentStatus::Withdrawn, ended.at, entry, None),
    ];
    let origin = organisation.log_origin().unwrap();
    let facts = ReceiptFacts {
        organisation: organisation.id(),
        controller: Some(Controller {
            name: "Acme Identity",
            address: "1 Example Street",
            contact: "privacy@acme.example",
            jurisdiction: "US-IL",
            storage_locations: &["US"],
            recipients: &[],
        }),
        log_origin: &origin,
        scope: FACE,
        notice: &notice,
        events: &events,
        withdraw: "https://acme.example/withdraw",
        verify: "Run the verifier.",
    };
    vec![Iso27560::new(&facts).unwrap().to_json(), html(&facts, b"we measure your face").unwrap()]
}

fn kept() -> Kept {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (receipts, ip, pseudonym) = given(&organisation, &scene);
    let pages = pages(&organisation, &*scene.clock);
    let (key, origin) =
        (organisation.verifier_key().unwrap().to_string(), organisation.log_origin().unwrap());
    let receipts = receipts.iter().map(|receipt| receipt.to_json().unwrap()).collect();
    Kept { scene, pseudonym, ip, receipts, pages, key, origin }
}

/// The scan finds what is planted, in every spelling and at every depth.
#[test]
fn the_scan_finds_what_is_there() {
    let needles = needles(&[0xa7; 32]);
    for needle in &needles {
        for spelling in &needle.spellings {
            for before in 0..3 {
                let planted = [b"xyz"[..before].to_vec(), spelling.clone(), b"end".to_vec()].concat();
                let receipt = serde_json::json!({ "payload": STANDARD.encode(&planted) }).to_string();
                assert!(scan(&receipt, &needles).contains(&needle.name), "{} in base64", needle.name);
                let twice = STANDARD.encode(receipt);
                assert!(scan(&twice, &needles).contains(&needle.name), "{} in it twice", needle.name);
            }
        }
    }
    // The raw bytes, encoded as a part of something longer, are found without decoding.
    for before in 0..3 {
        let planted = STANDARD.encode([vec![1; before], NAME.as_bytes().to_vec(), vec![2; 5]].concat());
        let broken = format!("\"{planted}!\"{planted}").replace('=', "");
        assert!(needles[1].is_in(broken.as_bytes()), "at {before}");
    }
    assert!(scan("nothing of the kind", &needles).is_empty());
}

/// Promise: WB-1.4-consent-record, WB-11-lawful-before
#[test]
fn nothing_that_a_person_keeps_says_who_they_are() {
    let kept = kept();
    let needles = needles(&kept.pseudonym);
    for (number, text) in kept.receipts.iter().chain(&kept.pages).enumerate() {
        assert_eq!(scan(text, &needles), Vec::<&str>::new(), "{number}: {text}");
        let mut planted: Value =
            serde_json::from_str(text).unwrap_or_else(|_| serde_json::json!({ "page": text }));
        planted["extra"] = STANDARD.encode(format!("..{}..", caller_id())).into();
        assert!(scan(&planted.to_string(), &needles).contains(&"the name"), "the control: {number}");
    }
    // The receipt holds the pseudonym of the address: its bytes are there, and they are not the address.
    let hex: String = kept.ip.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let consent = Receipt::from_json(&kept.receipts[0]).unwrap();
    assert_eq!(content(&consent)["ip"], hex);
}

/// Promise: WB-1.4-immutable, WB-1.4-consent-record
#[test]
fn a_receipt_verifies_with_the_public_key_alone_after_everything_was_shredded() {
    let Kept { scene, receipts, key, origin, .. } = kept();
    {
        let organisation = scene.service.organisation("acme").unwrap();
        let person = organisation.subject(&caller_id()).unwrap();
        assert!(matches!(person.erase().unwrap(), Destruction::Done(_)));
        scene.clock.advance(8.years()).unwrap();
        let plan = organisation.plan_retention().unwrap();
        let evidence = plan.items().iter().filter(|item| item.class() == DataClass::ConsentEvidence);
        assert!(evidence.count() >= 1);
        let approval = approver().approve(&plan).unwrap();
        let swept = organisation.run_plan(plan, &[&approval], Pace::default()).unwrap();
        assert!(matches!(swept, Destruction::Done(_)));
        let entry = Receipt::from_json(&receipts[0]).unwrap().entry();
        let id = organisation.id().clone();
        assert!(scene.rows(&id, |rows| rows.payload(&id, entry)).is_none(), "the payload is gone");
    }
    // Nothing but text is left: no folder, no service.
    drop(scene);
    let key = VerifierKey::parse(&key).unwrap();
    let trust = Trust::new(&key, &origin);
    for text in &receipts {
        let receipt = Receipt::from_json(text).unwrap();
        let checkpoint = receipt.verify(&trust).unwrap();
        assert!(checkpoint.size() > receipt.entry());
    }
    let stranger = Scene::new();
    let other = stranger.service.organisation("acme").unwrap().verifier_key().unwrap();
    for text in &receipts {
        let receipt = Receipt::from_json(text).unwrap();
        assert!(receipt.verify(&Trust::new(&other, &origin)).is_err(), "another key");
        assert!(receipt.verify(&Trust::new(&key, "vouchsafe/0")).is_err(), "another log");
        let wire: Value = serde_json::from_str(text).unwrap();
        for field in ["leaf", "opening", "payload", "proof", "entry"] {
            let refused = changed(&wire, field).is_none_or(|receipt| receipt.verify(&trust).is_err());
            assert!(refused, "a changed {field}");
        }
    }
}

/// The receipt with one bit of a field changed, if it still reads.
fn changed(wire: &Value, field: &str) -> Option<Receipt> {
    let mut wire = wire.clone();
    wire[field] = match (field, &wire[field]) {
        ("entry", number) => (number.as_u64()? + 1).into(),
        ("proof", text) => {
            let lines: Vec<&str> = text.as_str()?.split('\n').collect();
            let hash = lines.iter().position(|line| line.len() == 44)?;
            let swapped: Vec<String> = lines
                .iter()
                .enumerate()
                .map(|(at, line)| if at == hash { line.chars().rev().collect() } else { (*line).to_owned() })
                .collect();
            swapped.join("\n").into()
        }
        (_, text) => {
            let mut bytes = STANDARD.decode(text.as_str()?).ok()?;
            *bytes.last_mut()? ^= 1;
            STANDARD.encode(bytes).into()
        }
    };
    Receipt::from_json(&wire.to_string()).ok()
}

/// Promise: WB-1.4-consent-record
#[test]
fn the_record_binds_document_act_time_and_address() {
    let kept = kept();
    let scene = &kept.scene;
    let organisation = scene.service.organisation("acme").unwrap();
    let consent = content(&Receipt::from_json(&kept.receipts[0]).unwrap());
    let notice = notice(&organisation);
    assert_eq!(
        consent["notice"],
        serde_json::json!({
            "id": "face", "version": "1", "locale": "en", "sha256": notice.digest().to_string(),
        })
    );
    let sha256 = ring::digest::digest(&ring::digest::SHA256, b"we measure your face");
    let hex: String = sha256.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(consent["notice"]["sha256"], hex, "of the exact bytes shown");
    assert_eq!(consent["expression"], "checkbox");
    assert_eq!(consent["acted_at"], "2026-04-01T12:00:30Z");
    assert_eq!(consent["actor"], "person");
    assert_eq!(consent["age"], 18);
    assert_eq!((&consent["scope"], &consent["sequence"]), (&FACE.name().into(), &1.into()));
    let served = scene.payload("acme", consent["served"].as_u64().unwrap());
    assert_eq!(served["notice"], consent["notice"], "what was shown is joined to the act");
    assert_eq!(served["at"], "2026-04-01T12:00:00Z");
}

fn of(organisation: &Organisation<'_>, text: &str) -> IpPseudonym {
    organisation.pseudonymise(address(text)).unwrap()
}

/// Promise: WB-1.4-consent-record, WB-4-consent-7y
#[test]
fn pseudonyms_of_an_address_compare_within_a_month_and_die_with_its_key() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let other = scene.service.organisation("other").unwrap();
    let first = of(&organisation, ADDRESS);
    assert_eq!(first, of(&organisation, &format!("::ffff:{ADDRESS}")), "one address, two spellings");
    assert_ne!(first, of(&organisation, "203.0.113.78"));
    assert_ne!(first.as_bytes(), of(&other, ADDRESS).as_bytes(), "another organisation");
    scene.clock.set("2026-04-30T23:59:59.999Z".parse().unwrap());
    assert_eq!(first, of(&organisation, ADDRESS), "the last instant of the month");
    let again: Vouchsafe = scene.again();
    assert_eq!(first, of(&again.organisation("acme").unwrap(), ADDRESS), "another process");
    scene.clock.set("2026-05-01T00:00:00Z".parse().unwrap());
    let second = of(&organisation, ADDRESS);
    assert_eq!(second.period(), first.period() + 1);
    assert_ne!(second.as_bytes(), first.as_bytes(), "the next month");

    scene.clock.advance(8.years()).unwrap();
    assert!(matches!(crate::scene::approved_sweep(&organisation), Destruction::Done(_)));
    for (date, former) in [("2026-04-15T12:00:00Z", first), ("2026-05-15T12:00:00Z", second)] {
        // Even a clock that is set back to the month cannot make its key again.
        scene.clock.set(date.parse().unwrap());
        let now = of(&organisation, ADDRESS);
        assert_eq!(now.period(), former.period());
        assert_ne!(now.as_bytes(), former.as_bytes(), "{date}");
    }
}
