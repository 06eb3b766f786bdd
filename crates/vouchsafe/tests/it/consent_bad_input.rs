//! Acts of consent that cannot be true: a typed error, nothing lost, and the next true act is taken.

use std::fs;
use std::sync::Arc;

use jiff::ToSpan;
use vouchsafe::consent::{AttestedBy, ConsentError, ConsentStatus, ExpressionKind, PasskeyAssertion};
use vouchsafe::ledger::{ActorRole, EntryKind as K};
use vouchsafe::store::{SqliteStore, StoreError};
use vouchsafe::types::TicketId;
use vouchsafe::{
    Act, Clock, Destruction, Error, NoticeDraft, Organisation, OrganisationId, PayloadFinding, Refusal,
    Scope, Subject, Timestamp, Vouchsafe,
};

use crate::scene::{
    FACE, Scene, consented, draft, enrol, face, give, is_without_file, notice, permit, refusal, rejected,
    verify,
};

fn adult() -> Act {
    Act::checkbox().attesting_age(18)
}

/// Gives on a ticket and expects an error; nothing is recorded and nothing is given.
fn fails(scene: &Scene, person: &Subject<'_>, ticket: TicketId, act: Act) -> Error {
    let before = scene.kinds("acme");
    let acts = || {
        let id = OrganisationId::parse("acme").unwrap();
        scene.rows(&id, |rows| rows.consent_acts(&id, person.pseudonym(), FACE))
    };
    let line = acts();
    let error = person.give_consent(ticket, act).unwrap_err();
    assert_eq!(scene.kinds("acme"), before, "{error}");
    assert_eq!(acts(), line, "{error}");
    error
}

/// The person's true act is taken, and everything that was recorded is sound.
fn recovers(organisation: &Organisation<'_>, person: &Subject<'_>, ticket: TicketId) {
    assert!(person.give_consent(ticket, adult()).unwrap().done().is_some());
    assert!(person.permit(FACE).unwrap().done().is_some());
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
    assert!(organisation.verify_payloads().unwrap().is_sound());
}

/// Promise: WB-11-consent-first
#[test]
fn a_ticket_is_good_for_one_act_of_one_person() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = notice(&organisation);
    let (one, two) = (organisation.subject("1").unwrap(), organisation.subject("2").unwrap());
    let mine = one.serve_notice(FACE, &notice).unwrap().ticket();
    let theirs = two.serve_notice(FACE, &notice).unwrap().ticket();
    assert!(matches!(fails(&scene, &one, theirs, adult()), Error::Foreign));
    assert!(matches!(fails(&scene, &two, mine, adult()), Error::Foreign));
    let unknown = TicketId::from_bytes([7; 16]);
    assert!(matches!(fails(&scene, &one, unknown, adult()), Error::UnknownTicket));
    let other = scene.service.organisation("other").unwrap();
    let elsewhere = other.subject("1").unwrap().give_consent(mine, adult());
    assert!(matches!(elsewhere, Err(Error::UnknownTicket)));

    recovers(&organisation, &one, mine);
    assert!(matches!(fails(&scene, &one, mine, adult()), Error::Replayed));
    let _ = one.withdraw(FACE).unwrap();
    assert!(matches!(fails(&scene, &one, mine, adult()), Error::Replayed), "a replay gives nothing back");
    assert_eq!(refusal(one.permit(FACE).unwrap()), Refusal::ConsentWithdrawn);
    recovers(&organisation, &two, theirs);
}

/// Two requests with one ticket, at the same time.
#[test]
fn of_two_grants_on_one_ticket_one_is_taken() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = notice(&organisation);
    let second = scene.again();
    for round in 0..10 {
        let id = round.to_string();
        let ticket = organisation.subject(&id).unwrap().serve_notice(FACE, &notice).unwrap().ticket();
        let start = std::sync::Barrier::new(2);
        let give = |service: &Vouchsafe| {
            let organisation = service.organisation("acme").unwrap();
            let person = organisation.subject(&id).unwrap();
            start.wait();
            person.give_consent(ticket, adult()).map(drop)
        };
        let (here, there) = std::thread::scope(|scope| {
            let there = scope.spawn(|| give(&second));
            (give(&scene.service), there.join().unwrap())
        });
        let (taken, refused): (Vec<_>, Vec<_>) = [here, there].into_iter().partition(Result::is_ok);
        assert_eq!((taken.len(), refused.len()), (1, 1));
        assert!(matches!(refused[0], Err(Error::Replayed)), "{refused:?}");
    }
}

/// Promise: WB-1.4-consent-record
#[test]
fn an_act_is_dated_between_its_showing_and_now() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = notice(&organisation);
    let person = organisation.subject("4711").unwrap();
    let ticket = person.serve_notice(FACE, &notice).unwrap().ticket();
    scene.pass(60);
    let at = |seconds| Timestamp::from_second(scene.clock.now().as_second() + seconds).unwrap();
    for (seconds, expected) in [
        (-61, ConsentError::BackDated),
        (-365 * 86_400, ConsentError::BackDated),
        (1, ConsentError::FromTheFuture),
        (365 * 86_400, ConsentError::FromTheFuture),
    ] {
        let error = fails(&scene, &person, ticket, adult().at(at(seconds)));
        assert!(matches!(error, Error::Consent(error) if error == expected), "{seconds}: {error}");
        assert!(!error.is_retryable());
    }
    let extreme = fails(&scene, &person, ticket, adult().at(Timestamp::MIN));
    assert!(matches!(extreme, Error::Consent(ConsentError::BackDated)));
    assert!(person.give_consent(ticket, adult().at(at(-60))).unwrap().done().is_some(), "the first instant");
    let again = person.serve_notice(FACE, &notice).unwrap().ticket();
    recovers(&organisation, &person, again);
    // Acts that arrive late do not overtake those that were recorded.
    let late = person.serve_notice(FACE, &notice).unwrap().ticket();
    let said = at(0);
    scene.pass(60);
    give(&person, FACE, &notice);
    let error = fails(&scene, &person, late, adult().at(said));
    assert!(matches!(error, Error::Consent(ConsentError::BackDated)), "{error}");
}

#[test]
fn a_showing_may_be_answered_for_a_day() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = notice(&organisation);
    let person = organisation.subject("4711").unwrap();
    let [early, late] = [(); 2].map(|()| person.serve_notice(FACE, &notice).unwrap().ticket());
    scene.pass(86_400);
    recovers(&organisation, &person, early);
    scene.pass(1);
    let error = fails(&scene, &person, late, adult());
    assert!(matches!(error, Error::Consent(ConsentError::ServedStale)), "{error}");
    let error = fails(&scene, &person, late, adult().at(scene.clock.now()));
    assert!(matches!(error, Error::Consent(ConsentError::ServedStale)), "{error}");
    let fresh = person.serve_notice(FACE, &notice).unwrap().ticket();
    recovers(&organisation, &person, fresh);
}

/// Promise: WB-9-reconsent
#[test]
fn a_showing_of_a_superseded_notice_is_not_answered() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let old = person.serve_notice(FACE, &notice(&organisation)).unwrap().ticket();
    let newer = organisation.publish_notice(draft("2", "we measure more")).unwrap();
    assert!(matches!(fails(&scene, &person, old, adult()), Error::UnknownNotice));
    let refused = person.refuse_consent(old, adult());
    assert!(matches!(refused, Err(Error::UnknownNotice)));
    let fresh = person.serve_notice(FACE, &newer).unwrap().ticket();
    recovers(&organisation, &person, fresh);
}

#[test]
fn a_notice_that_nobody_published_is_not_shown() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let published = notice(&organisation);
    let text = "we measure your face";
    let unpublished = draft("3", "never published").finish().unwrap();
    let changed = draft("1", "we measure your fate").finish().unwrap();
    let other = scene.service.organisation("other").unwrap();
    let elsewhere = other.publish_notice(draft("1", "we do it elsewhere")).unwrap();
    let before = scene.kinds("acme");
    for (notice, what) in
        [(&unpublished, "unknown"), (&changed, "changed bytes"), (&elsewhere, "another organisation's")]
    {
        let shown = person.serve_notice(FACE, notice);
        assert!(matches!(shown, Err(Error::UnknownNotice)), "{what}");
    }
    // The same bytes under another language, version or terms are refused at publication.
    let conflict = |draft: NoticeDraft<'_>| {
        matches!(organisation.publish_notice(draft), Err(Error::Store(StoreError::Conflict)))
    };
    let german = NoticeDraft::new("face", "1", "de", text.as_bytes());
    let ways = [ExpressionKind::Checkbox, ExpressionKind::TypedSignature];
    let german = german.schedule(b"Destroyed when you withdraw.").collected(text).purpose(text);
    let german = german.until_destroyed(text).release(text, ways).covers(FACE);
    assert!(conflict(german.material(AttestedBy::PrivacyOfficer)), "a wrong locale");
    assert!(conflict(draft("1", "we measure your fate")), "changed bytes under the same label");
    assert!(conflict(draft("1", text).schedule(b"Kept for ever.")), "another schedule");
    assert!(conflict(draft("1", text).editorial(AttestedBy::PrivacyOfficer)), "another attestation");
    assert_eq!(scene.kinds("acme"), before);
    // A notice in hand that says otherwise changes nothing: what is recorded is what was published.
    let german = NoticeDraft::new("face", "9", "de", text.as_bytes()).covers(FACE);
    let german = german.schedule(b"Anders.").collected(text).purpose(text).until_destroyed(text);
    let forged = german.release(text, ways).material(AttestedBy::LegalCounsel).finish().unwrap();
    assert_eq!(forged.digest(), published.digest());
    let served = person.serve_notice(FACE, &forged).unwrap();
    assert_eq!(served.shown(), text.as_bytes());
    let taken = person.give_consent(served.ticket(), adult()).unwrap().or_refuse().unwrap();
    let payload = crate::scene::content(taken.receipt());
    assert_eq!((&payload["notice"]["locale"], &payload["notice"]["version"]), (&"en".into(), &"1".into()));
}

#[test]
fn consent_is_expressed_as_the_notice_says() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let text = "tick the box";
    let strict = NoticeDraft::new("strict", "1", "en", text.as_bytes()).covers(FACE);
    let strict = strict.schedule(b"Soon.").collected(text).purpose(text).until_destroyed(text);
    let ways = [ExpressionKind::Checkbox, ExpressionKind::PasskeySigned];
    let strict = strict.release(text, ways).material(AttestedBy::PrivacyOfficer);
    let strict = organisation.publish_notice(strict).unwrap();
    let person = organisation.subject("4711").unwrap();
    for scope in Scope::all().filter(|scope| *scope != FACE) {
        let shown = person.serve_notice(scope, &strict);
        assert!(matches!(shown, Err(Error::Consent(ConsentError::ScopeNotCovered))), "{}", scope.name());
    }
    let ticket = person.serve_notice(FACE, &strict).unwrap().ticket();
    let typed = fails(&scene, &person, ticket, Act::typed_signature().attesting_age(18));
    assert!(matches!(typed, Error::Consent(ConsentError::ExpressionNotAccepted)));
    let passkey = Act::passkey(PasskeyAssertion::new(vec![7; 64]).unwrap()).attesting_age(18);
    let signed = fails(&scene, &person, ticket, passkey);
    assert!(matches!(signed, Error::Consent(ConsentError::PasskeysUnavailable)), "nobody verifies it here");
    recovers(&organisation, &person, ticket);
}

/// Promise: WB-5-revoke
#[test]
fn a_clock_that_went_back_gives_nothing_and_withdraws_all_the_same() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let before = permit(&person);
    let other = organisation.subject("4712").unwrap();
    let ticket = other.serve_notice(FACE, &notice(&organisation)).unwrap().ticket();
    scene.pass(-3600);
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentMissing, "it cannot vouch for the act");
    let early = person.verify_embedding(&before, face(&before, 1)).unwrap();
    assert_eq!(rejected(early), Refusal::ConsentMissing);
    let error = fails(&scene, &other, ticket, adult());
    assert!(matches!(error, Error::Consent(ConsentError::BackDated)), "before its showing");
    let again = person.serve_notice(FACE, &notice(&organisation)).unwrap().ticket();
    let error = fails(&scene, &person, again, adult());
    assert!(matches!(error, Error::Consent(ConsentError::BackDated)), "before the newest act");

    let ended = person.withdraw(FACE).unwrap();
    assert!(matches!(ended.destruction, Destruction::Done(certificates) if certificates.len() == 1));
    let newest = scene
        .rows(organisation.id(), |rows| rows.consent(organisation.id(), person.pseudonym(), FACE))
        .unwrap();
    assert_eq!(ConsentStatus::from_code(newest.status), Some(ConsentStatus::Withdrawn));
    assert_eq!(newest.at, "2026-04-01T12:00:00Z".parse().unwrap(), "dated as the act that it follows");
    scene.clock.advance(1.day()).unwrap();
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentWithdrawn);
    give(&person, FACE, &notice(&organisation));
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted());
}

/// Promise: WB-5-revoke
#[test]
fn a_full_database_takes_no_consent_and_loses_none() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let old = consented(&organisation, "old");
    enrol(&old, 1);
    let shown = notice(&organisation);
    let mut ports = scene.ports();
    ports.store = Arc::new(SqliteStore::open_limited(&scene.database(), 2).unwrap());
    let limited = Vouchsafe::open_with(ports);
    let there = limited.organisation("acme").unwrap();
    let (mut taken, mut error) = (Vec::new(), None);
    for number in 0..1000 {
        let id = number.to_string();
        let person = there.subject(&id).unwrap();
        let ticket = match person.serve_notice(FACE, &shown) {
            Ok(served) => served.ticket(),
            Err(full) => {
                error = Some(full);
                break;
            }
        };
        match person.give_consent(ticket, adult()) {
            Ok(_) => taken.push(id),
            Err(full) => {
                error = Some(full);
                break;
            }
        }
    }
    let error = error.unwrap();
    assert!(matches!(error, Error::Store(StoreError::Full)), "{error}");
    for id in &taken {
        assert!(organisation.subject(id).unwrap().permit(FACE).unwrap().done().is_some(), "{id}");
    }
    let next = organisation.subject(&taken.len().to_string()).unwrap();
    assert!(next.permit(FACE).unwrap().done().is_none(), "not acknowledged, not given");
    let ticket = next.serve_notice(FACE, &shown).unwrap().ticket();
    recovers(&organisation, &next, ticket);
    assert!(verify(&old, 1).is_accepted());
}

/// A store that reads and refuses to write, as on a disk that became read-only.
struct ReadOnly(SqliteStore);

type Rows<'a> = &'a mut dyn FnMut(&mut dyn vouchsafe::store::Transaction) -> Result<(), StoreError>;

impl vouchsafe::store::Store for ReadOnly {
    fn write_with(&self, organisation: &OrganisationId, act: Rows<'_>) -> Result<(), StoreError> {
        // The transaction of a snapshot refuses each write itself.
        self.0.read_with(organisation, act)
    }

    fn read_with(&self, organisation: &OrganisationId, act: Rows<'_>) -> Result<(), StoreError> {
        self.0.read_with(organisation, act)
    }

    fn copy_with(
        &self,
        act: &mut dyn FnMut(&vouchsafe::store::backup::Copying<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.copy_with(act)
    }

    fn organisations(&self) -> Result<Vec<OrganisationId>, StoreError> {
        self.0.organisations()
    }

    fn remove_remnants(&self) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly)
    }
}

/// Promise: WB-11-consent-first, WB-5-revoke
#[test]
fn on_a_read_only_disk_nothing_is_taken_nothing_opens_and_nothing_is_lost() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let ticket = person.serve_notice(FACE, &notice(&organisation)).unwrap().ticket();
    let mut ports = scene.ports();
    ports.store = Arc::new(ReadOnly(SqliteStore::open(&scene.database()).unwrap()));
    let stuck = Vouchsafe::open_with(ports);
    let there = stuck.organisation("acme").unwrap();
    let same = there.subject("4711").unwrap();
    let before = scene.kinds("acme");
    let in_flight = permit(&same);
    let errors = [
        same.serve_notice(FACE, &notice(&organisation)).map(drop),
        same.give_consent(ticket, adult()).map(drop),
        same.withdraw(FACE).map(drop),
        same.restrict(ActorRole::Administrator),
        same.verify_embedding(&in_flight, face(&in_flight, 1)).map(drop),
        same.consent_at(FACE, scene.clock.now(), ActorRole::Auditor).map(drop),
    ];
    for error in errors {
        assert!(matches!(error, Err(Error::Store(StoreError::ReadOnly))), "{error:?}");
    }
    assert_eq!(scene.kinds("acme"), before);
    assert!(verify(&person, 1).is_accepted());
    recovers(&organisation, &person, ticket);
    assert!(matches!(person.withdraw(FACE).unwrap().destruction, Destruction::Done(_)));
}

/// Promise: WB-11-consent-first
#[test]
fn a_corrupted_notice_closes_the_gate_and_is_not_repaired() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let shown = notice(&organisation);
    let ticket = person.serve_notice(FACE, &shown).unwrap().ticket();
    let in_flight = permit(&person);
    let rows = rusqlite::Connection::open(scene.database()).unwrap();
    let terms = || rows.query_row("SELECT terms FROM notice", [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let kept = terms();
    rows.execute("UPDATE notice SET terms = x'7b7d'", []).unwrap();

    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentOutdated);
    let late = person.verify_embedding(&in_flight, face(&in_flight, 1)).unwrap();
    assert_eq!(rejected(late), Refusal::ConsentOutdated);
    assert!(matches!(fails(&scene, &person, ticket, adult()), Error::Consent(_)));
    assert!(person.serve_notice(FACE, &shown).is_err());
    assert!(organisation.notice_in_force("face", "en").is_err());
    let again = organisation.publish_notice(draft("1", "we measure your face"));
    assert!(again.is_err(), "no silent repair");
    assert_eq!(terms(), b"{}");

    rows.execute("UPDATE notice SET terms = ?1", [kept]).unwrap();
    assert!(verify(&person, 1).is_accepted());
    recovers(&organisation, &person, ticket);
}

/// Promise: WB-9-reconsent, WB-1.4-immutable
#[test]
fn a_notice_that_was_changed_behind_our_back_is_found() {
    if is_without_file() {
        return;
    }
    for change in [
        "terms = CAST(replace(CAST(terms AS TEXT), '\"en\"', '\"de\"') AS BLOB)",
        "terms = CAST(replace(CAST(terms AS TEXT), '\"material\"', '\"editorial\"') AS BLOB)",
        "terms = x'00'",
        "shown = x'00'",
        "schedule = x'00'",
        "material = 0",
        "effective_at = 1",
        "locale = 'de'",
        "version = '0'",
        "attested_by = 1",
    ] {
        let scene = Scene::new();
        let organisation = scene.service.organisation("acme").unwrap();
        consented(&organisation, "4711");
        assert!(organisation.verify_payloads().unwrap().is_sound());
        let published = scene.kinds("acme").iter().position(|kind| *kind == K::NoticePublished).unwrap();
        let rows = rusqlite::Connection::open(scene.database()).unwrap();
        let before: String = rows.query_row("SELECT quote(terms) FROM notice", [], |row| row.get(0)).unwrap();
        rows.execute(&format!("UPDATE notice SET {change}"), []).unwrap();
        if change.starts_with("terms") {
            let after: String =
                rows.query_row("SELECT quote(terms) FROM notice", [], |row| row.get(0)).unwrap();
            assert_ne!(before, after, "{change}");
        }
        let report = organisation.verify_payloads().unwrap();
        assert_eq!(report.findings, [PayloadFinding::Notice(published as u64)], "{change}");
    }
}

/// Promise: WB-5-revoke
#[test]
fn a_person_withdraws_although_the_notice_is_damaged() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let enrolment = enrol(&person, 1);
    let rows = rusqlite::Connection::open(scene.database()).unwrap();
    rows.execute("UPDATE notice SET terms = x'00', shown = x'00'", []).unwrap();
    let Destruction::Done(certificates) = person.withdraw(FACE).unwrap().destruction else { panic!() };
    assert!(certificates[0].is_about(&enrolment));
    assert!(fs::metadata(scene.database()).unwrap().len() > 0);
}
