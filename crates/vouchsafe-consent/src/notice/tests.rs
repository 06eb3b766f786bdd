use vouchsafe_types::{Purpose, Role};

use super::*;

pub(crate) const SHOWN: &str = "We collect and store a template of your face or voice.\n\
    We use it to confirm that it is you and to find forged identities.\n\
    We destroy it three years after your last use at the latest.\n\
    By ticking the box or typing your name you sign this release.\n";
pub(crate) const SCHEDULE: &[u8] = b"Templates: three years, or when the purpose is satisfied.";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A draft that covers nothing yet.
pub(crate) fn draft<'a>(version: &'a str, shown: &'a [u8]) -> NoticeDraft<'a> {
    draft_in("en", version, shown)
}

pub(crate) fn draft_in<'a>(locale: &'a str, version: &'a str, shown: &'a [u8]) -> NoticeDraft<'a> {
    NoticeDraft::new("biometrics", version, locale, shown)
        .collected("We collect and store a template of your face or voice.")
        .purpose("We use it to confirm that it is you and to find forged identities.")
        .term("three years after your last use", "P3Y")
        .release(
            "By ticking the box or typing your name you sign this release.",
            [ExpressionKind::TypedSignature, ExpressionKind::Checkbox],
        )
        .schedule(SCHEDULE)
        .material(AttestedBy::PrivacyOfficer)
}

pub(crate) fn face() -> Notice {
    draft("1", SHOWN.as_bytes()).covers(Scope::FACE_VERIFICATION).finish().unwrap()
}

fn mail() -> Scope {
    Scope::new(None, Role::EndUser, Purpose::Communication).unwrap()
}

#[test]
fn one_changed_byte_is_another_notice() {
    let notice = face();
    assert!(notice.matches(SHOWN.as_bytes()));
    assert!(!notice.matches(SHOWN.replace("template", "Template").as_bytes()));
}

#[test]
fn labels_locale_and_text_are_checked() {
    fn finish(id: &str, version: &str, locale: &str, shown: &[u8]) -> Result<(), ConsentError> {
        let draft = NoticeDraft::new(id, version, locale, shown).covers(mail());
        draft.editorial(AttestedBy::LegalCounsel).finish().map(|_| ())
    }
    assert_eq!(finish("a", "1", "en", b"x"), Ok(()));
    let long = "1".repeat(65);
    for (id, version) in [("", "1"), ("a", ""), ("a\n", "1"), ("a", &long)] {
        assert_eq!(finish(id, version, "en", b"x"), Err(ConsentError::NoticeLabel));
    }
    assert_eq!(finish("a", "1", "english", b"x"), Err(ConsentError::NoticeLocale));
    assert_eq!(finish("a", "1", "en", b" \n"), Err(ConsentError::NoticeEmpty));
    assert_eq!(finish("a", "1", "en", b"\xff"), Err(ConsentError::NoticeText));
    assert_eq!(finish("a", "1", "en", &vec![b'x'; Notice::MAX_TEXT + 1]), Err(ConsentError::NoticeText));
    let nobody = NoticeDraft::new("a", "1", "en", b"x").covers(mail()).finish();
    assert_eq!(nobody, Err(ConsentError::MaterialityMissing));
    let nothing = NoticeDraft::new("a", "1", "en", b"x").editorial(AttestedBy::LegalCounsel).finish();
    assert_eq!(nothing, Err(ConsentError::ScopesMissing));
}

/// Promise: WB-11-consent-first
#[test]
fn a_biometric_notice_states_every_element_and_states_it_in_its_text() {
    for scope in Scope::all_biometric() {
        let bare = NoticeDraft::new("a", "1", "en", SHOWN.as_bytes())
            .covers(scope)
            .material(AttestedBy::LegalCounsel);
        assert!(matches!(bare.finish(), Err(ConsentError::ElementMissing(_))), "{scope:?}");
    }
    let face = || draft("1", SHOWN.as_bytes()).covers(Scope::FACE_VERIFICATION);
    let missing = |element| Err(ConsentError::PassageMissing(element));
    assert_eq!(face().collected("We collect nothing at all.").finish(), missing(Element::Collected));
    assert_eq!(face().purpose("We use it to sell you things.").finish(), missing(Element::Purpose));
    assert_eq!(face().term("We destroy it after ten years", "P10Y").finish(), missing(Element::Term));
    let checkbox = [ExpressionKind::Checkbox];
    assert_eq!(face().release("By looking here you agree.", checkbox).finish(), missing(Element::Release));

    let absent = |element| Err(ConsentError::ElementMissing(element));
    assert_eq!(face().collected("We").finish(), absent(Element::Collected), "too short to prove anything");
    assert_eq!(face().schedule(b"").finish(), absent(Element::Schedule));
    assert_eq!(face().release("By ticking the box or typing", []).finish(), absent(Element::Release));
    assert_eq!(face().term("three years after", "P3W").finish(), Err(ConsentError::Term));
}

#[test]
fn scopes_and_ways_are_sorted_once_each() {
    let notice = draft("1", SHOWN.as_bytes())
        .covers(Scope::FACE_VERIFICATION)
        .covers(mail())
        .covers(Scope::FACE_VERIFICATION)
        .finish()
        .unwrap();
    assert_eq!(notice.scopes(), [mail(), Scope::FACE_VERIFICATION]);
    assert!(notice.accepts(ExpressionKind::Checkbox) && !notice.accepts(ExpressionKind::PasskeySigned));
    assert_eq!(notice.terms().unwrap().schedule().bytes(), Some(SCHEDULE));
    assert_eq!(notice.ends(at(0)), Ok(Some("1973-01-01T00:00:00Z".parse().unwrap())));
}

/// Promise: WB-1.4-consent-record
#[test]
fn the_stored_form_reads_back_and_has_one_spelling() {
    let plain = NoticeDraft::new("mail", "2", "de-DE", "Wir schreiben Ihnen.".as_bytes())
        .covers(mail())
        .effective(at(1_700_000_000))
        .editorial(AttestedBy::DataProtectionOfficer)
        .finish()
        .unwrap();
    for notice in [face(), plain] {
        let json = notice.to_json();
        let read = Notice::from_json(&json).unwrap();
        assert_eq!(read, notice);
        assert_eq!(read.to_json(), json);
        for changed in [
            format!(" {json}"),
            format!("{json}\n"),
            json.replacen("\"v\":1", "\"v\":2", 1),
            json.replacen("\"v\":1", "\"v\":1,\"x\":0", 1),
            json.replacen("\"version\"", "\"Version\"", 1),
            json.replacen("\"covers\":[", "\"covers\":[\"nothing\",", 1),
            json.replacen(
                "\"covers\":[",
                "\"covers\":[\"end_user.communication\",\"end_user.communication\",",
                1,
            ),
            json.replacen("00Z", "00.0Z", 1),
        ] {
            if changed != json {
                assert!(Notice::from_json(&changed).is_err(), "{changed}");
            }
        }
    }
    assert!(Notice::from_json(&"[".repeat(Notice::MAX_JSON + 1)).is_err());
    assert!(Notice::from_json(&"[".repeat(10_000)).is_err());
}

#[test]
fn a_stored_notice_that_states_other_words_does_not_match_its_text() {
    let json = face().to_json().replace("to find forged identities", "to find forged identitie5");
    let tampered = Notice::from_json(&json).unwrap();
    assert_eq!(tampered.digest(), face().digest());
    assert!(!tampered.matches(SHOWN.as_bytes()));
}

proptest::proptest! {
    #[test]
    fn no_input_makes_the_decoders_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        proptest::prop_assert!(Notice::from_json(&text).is_err());
        proptest::prop_assert!(crate::receipt::Iso27560::from_json(&text).is_err());
        if let Ok(period) = Period::parse(&text) {
            proptest::prop_assert_eq!(period.to_string(), text);
        }
        if let Ok(token) = crate::UnsubscribeToken::from_bytes(&bytes) {
            proptest::prop_assert_eq!(token.to_bytes().to_vec(), bytes);
        }
    }

    #[test]
    fn one_changed_byte_of_a_stored_notice_is_seen(position in 0usize..2_000, byte in 0u8..=255) {
        let json = face().to_json();
        let mut bytes = json.clone().into_bytes();
        let position = position % bytes.len();
        bytes[position] = byte;
        if let Ok(read) = std::str::from_utf8(&bytes).map_err(|_| ()).and_then(|t| Notice::from_json(t).map_err(|_| ())) {
            proptest::prop_assert_eq!(read.to_json().into_bytes(), bytes.clone());
            proptest::prop_assert_eq!(read == face(), bytes == json.as_bytes());
        }
    }
}
