//! What went wrong in the hands of somebody who tried: rotations beside a service, recoveries, edited notices, retries.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::ToSpan;
use vouchsafe::consent::{AttestedBy, ConsentError, ExpressionKind, MessageKind};
use vouchsafe::envelope::StateStoreError;
use vouchsafe::envelope::port::{ShardName, StateGuard, StateStore, StateVersion};
use vouchsafe::ledger::{ActorRole, EntryKind, Finding, HandoverReason, KeyChain, Leaf, Trust, verify_tiles};
use vouchsafe::store::FolderTiles;
use vouchsafe::types::Purpose;
use vouchsafe::{
    Act, Error, NoticeDraft, Organisation, OrganisationId, Outcome, Refusal, Role, Scope, Unexplained,
    Vouchsafe,
};

use crate::scene::{
    FACE, Scene, consented, draft, enrol, face, give, is_without_file, notice, open, permit, ports_in,
    refusal, try_give, verify,
};

/// States that can be written so many times.
struct Failing {
    inner: Arc<dyn StateStore>,
    left: AtomicI64,
}

type Answer<T> = Result<T, StateStoreError>;

impl StateStore for Failing {
    fn read(&self, o: &OrganisationId) -> Answer<Option<Vec<u8>>> {
        self.inner.read(o)
    }
    fn read_all(&self, o: &OrganisationId) -> Answer<Vec<Vec<u8>>> {
        self.inner.read_all(o)
    }
    fn version(&self, o: &OrganisationId) -> Answer<Option<StateVersion>> {
        self.inner.version(o)
    }
    fn write(&self, o: &OrganisationId, version: StateVersion, blob: &[u8]) -> Answer<()> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            ..=0 => Err(StateStoreError::Unavailable),
            _ => self.inner.write(o, version, blob),
        }
    }
    fn overwrite(&self, o: &OrganisationId, version: StateVersion, blob: &[u8]) -> Answer<()> {
        self.inner.overwrite(o, version, blob)
    }
    fn shards(&self, o: &OrganisationId) -> Answer<Vec<ShardName>> {
        self.inner.shards(o)
    }
    fn read_shard(&self, o: &OrganisationId, name: &ShardName) -> Answer<Option<Vec<u8>>> {
        self.inner.read_shard(o, name)
    }
    fn write_shard(&self, o: &OrganisationId, name: &ShardName, blob: &[u8]) -> Answer<()> {
        self.inner.write_shard(o, name, blob)
    }
    fn ensure_shards(&self, o: &OrganisationId, names: &[ShardName]) -> Answer<()> {
        self.inner.ensure_shards(o, names)
    }
    fn retain_shards(&self, o: &OrganisationId, kept: &[ShardName]) -> Answer<()> {
        self.inner.retain_shards(o, kept)
    }
    fn lock_shared(&self, o: &OrganisationId) -> Answer<Box<dyn StateGuard>> {
        self.inner.lock_shared(o)
    }
    fn lock_exclusive(&self, o: &OrganisationId) -> Answer<Box<dyn StateGuard>> {
        self.inner.lock_exclusive(o)
    }
    fn lease(&self, o: &OrganisationId, version: StateVersion) -> Answer<Box<dyn StateGuard>> {
        self.inner.lease(o, version)
    }
    fn leased_before(&self, o: &OrganisationId, version: StateVersion) -> Answer<usize> {
        self.inner.leased_before(o, version)
    }
}

fn kinds(organisation: &Organisation<'_>, scene: &Scene) -> Vec<EntryKind> {
    let store = vouchsafe::store::SqliteStore::open(&scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    let rows =
        vouchsafe::store::read(&store, organisation.id(), |rows| rows.entries(organisation.id(), 0, 1000))
            .unwrap();
    rows.iter().map(|row| Leaf::from_bytes(row).unwrap().kind).collect()
}

fn log_folder(scene: &Scene) -> std::path::PathBuf {
    fs::read_dir(scene.dir.path().join("log")).unwrap().next().unwrap().unwrap().path()
}

fn restored(scene: &Scene, backup: &str) -> Vouchsafe {
    let data = scene.dir.path().join("data");
    for name in ["vouchsafe.sqlite", "vouchsafe.sqlite-wal", "vouchsafe.sqlite-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    fs::copy(scene.dir.path().join(backup), data.join("vouchsafe.sqlite")).unwrap();
    open(scene.dir.path(), &scene.clock)
}

fn back_up(scene: &Scene, name: &str) {
    let to = scene.dir.path().join(name).to_str().unwrap().to_owned();
    let database = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    database.execute("VACUUM INTO ?1", [&to]).unwrap();
}

/// Promise: WB-1.4-immutable
#[test]
fn a_service_that_publishes_beside_a_rotation_signs_with_the_new_key() {
    let scene = Scene::new();
    let operator = scene.service.organisation("acme").unwrap();
    let shown = notice(&operator);
    consented(&operator, "1");
    operator.publish_log().unwrap();
    let service = scene.again();
    let serving = service.organisation("acme").unwrap();
    let person = serving.subject("1").unwrap();
    let _ = person.serve_notice(FACE, &shown).unwrap();
    serving.publish_log().unwrap();
    operator.rotate_log_key(HandoverReason::Scheduled).unwrap();
    // It holds the former key for half a second more; what it publishes now must not be signed with that alone.
    let _ = person.serve_notice(FACE, &shown).unwrap();
    let _ = serving.publish_log();
    operator.publish_log().unwrap();
    serving.publish_log().unwrap();
    let third = scene.again();
    let organisation = third.organisation("acme").unwrap();
    let _ = organisation.subject("1").unwrap().withdraw(FACE).unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
}

/// Promise: WB-1.4-immutable
#[test]
fn a_handover_that_was_interrupted_anywhere_ends_as_one() {
    for allowed in 0..3 {
        let scene = Scene::new();
        let organisation = scene.service.organisation("acme").unwrap();
        consented(&organisation, "1");
        organisation.publish_log().unwrap();
        let (old, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
        let mut ports = ports_in(scene.dir.path()).with_clock(scene.clock.clone());
        ports.states = Arc::new(Failing { inner: Arc::clone(&ports.states), left: AtomicI64::new(allowed) });
        let stumbling = Vouchsafe::open_with(ports);
        let cut = stumbling.organisation("acme").unwrap().rotate_log_key(HandoverReason::Scheduled);
        assert_eq!(cut.is_ok(), allowed == 2, "{allowed}");
        drop(stumbling);
        let again = scene.again();
        let organisation = again.organisation("acme").unwrap();
        organisation.rotate_log_key(HandoverReason::Scheduled).unwrap();
        let handovers = organisation.log_handovers().unwrap();
        assert_eq!(handovers.len(), if allowed == 2 { 2 } else { 1 }, "{allowed}");
        let chain = KeyChain::follow(old, &origin, &handovers, None).unwrap();
        assert_eq!(chain.current(), &organisation.verifier_key().unwrap());
        let tiles = FolderTiles::at(log_folder(&scene));
        assert!(verify_tiles(&tiles, &Trust::chained(&chain)).unwrap().is_sound());
    }
}

/// Promise: WB-5-revoke
#[test]
fn a_destruction_by_retention_hides_no_withdrawal_from_a_recovery() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (ann, bob) = (consented(&organisation, "ann"), consented(&organisation, "bob"));
    enrol(&ann, 1);
    scene.clock.advance(3.years()).unwrap();
    organisation.publish_log().unwrap();
    back_up(&scene, "backup");
    let _ = crate::scene::approved_sweep(&organisation);
    let _ = bob.withdraw(FACE).unwrap();
    organisation.publish_log().unwrap();
    let again = restored(&scene, "backup");
    let organisation = again.organisation("acme").unwrap();
    let refused = organisation.recover(Unexplained::Refused);
    assert!(matches!(refused, Err(Error::Unexplained(1))), "{refused:?}");
}

/// Promise: WB-9-reconsent
#[test]
fn a_recovery_that_lost_a_notice_says_so() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "ann");
    organisation.publish_log().unwrap();
    back_up(&scene, "backup");
    organisation.publish_notice(draft("2", "we measure your face and more")).unwrap();
    organisation.publish_log().unwrap();
    let again = restored(&scene, "backup");
    let refused = again.organisation("acme").unwrap().recover(Unexplained::Refused);
    assert!(matches!(refused, Err(Error::Unexplained(1))), "{refused:?}");
}

/// Promise: WB-1.4-consent-record
#[test]
fn bytes_that_were_edited_in_the_database_are_shown_to_nobody() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (shown, person) = (notice(&organisation), consented(&organisation, "1"));
    let database = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    database.execute("UPDATE notice SET shown = CAST('we do nothing at all' AS BLOB)", []).unwrap();
    assert!(matches!(person.serve_notice(FACE, &shown), Err(Error::Format(_))));
    assert!(person.permit(FACE).unwrap().done().is_none());
    assert!(!organisation.verify_payloads().unwrap().is_sound());
}

/// Promise: WB-9-reconsent
#[test]
fn a_version_with_a_date_comes_into_force_whatever_is_published_meanwhile() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    notice(&organisation);
    let june: vouchsafe::Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let second = draft("2", "we measure your face and share it").effective(june);
    let second = organisation.publish_notice(second).unwrap();
    let text = "we measure your face, spelled right";
    let corrected = NoticeDraft::new("face", "1.1", "en", text.as_bytes()).schedule(b"at withdrawal");
    let corrected = corrected.collected(text).purpose(text).until_destroyed(text);
    let corrected = corrected.release(text, [ExpressionKind::Checkbox]).covers(FACE);
    let corrected = organisation.publish_notice(corrected.editorial(AttestedBy::PrivacyOfficer)).unwrap();
    let ann = organisation.subject("ann").unwrap();
    give(&ann, FACE, &corrected);
    assert!(ann.permit(FACE).unwrap().done().is_some());
    scene.clock.set(june);
    assert_eq!(organisation.notice_in_force("face", "en").unwrap().unwrap().version(), "2");
    assert_eq!(refusal(ann.permit(FACE).unwrap()), Refusal::ConsentOutdated);
    give(&ann, FACE, &second);
    assert!(ann.permit(FACE).unwrap().done().is_some());
}

/// Promise: WB-1.4-immutable
#[test]
fn a_checkpoint_that_was_rolled_back_is_told_and_one_of_another_history_is_found() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "1");
    organisation.publish_log().unwrap();
    let file = log_folder(&scene).join("checkpoint");
    let older = fs::read(&file).unwrap();
    consented(&organisation, "2");
    organisation.publish_log().unwrap();
    fs::write(&file, older).unwrap();
    assert!(organisation.verify_log().unwrap().is_sound(), "it may have been a publication that was cut");
    assert_eq!(organisation.newer_checkpoint().unwrap().unwrap().size(), 6);
    // Rows that do not lead to the checkpoint outside are another matter.
    let database = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    database.execute("UPDATE entry SET bytes = zeroblob(55) WHERE number = 5", []).unwrap();
    let report = organisation.verify_log().unwrap();
    assert!(report.findings().contains(&Finding::RolledBack), "{report:?}");
}

/// Promise: WB-1.4-immutable
#[test]
fn refused_enrolments_are_entries() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "1");
    enrol(&person, 1);
    let held = permit(&person);
    let again = person.enrol_embedding(&held, face(&held, 1)).unwrap();
    assert_eq!(refusal(again), Refusal::AlreadyEnrolled);
    assert_eq!(kinds(&organisation, &scene).last(), Some(&EntryKind::EnrolmentRefused));
}

/// Promise: FP-11-email
#[test]
fn promotion_stops_at_an_objection_and_at_a_changed_notice() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("1").unwrap();
    let mail = Scope::new(None, Role::EndUser, Purpose::Communication).unwrap();
    let letter = |version, text: &'static [u8]| {
        NoticeDraft::new("mail", version, "en", text).covers(mail).material(AttestedBy::PrivacyOfficer)
    };
    let shown = organisation.publish_notice(letter("1", b"we write to you")).unwrap();
    try_give(&person, mail, &shown, Act::checkbox()).unwrap();
    let promotion = || person.may_send(MessageKind::Promotional, Role::EndUser).unwrap();
    assert!(matches!(promotion(), Outcome::Done(_)));
    person.object().unwrap();
    assert_eq!(refusal(promotion()), Refusal::ProcessingObjected);
    person.withdraw_objection().unwrap();
    organisation.publish_notice(letter("2", b"we write to you and so do others")).unwrap();
    assert_eq!(refusal(promotion()), Refusal::ConsentOutdated);
    assert!(person.may_send(MessageKind::Service, Role::EndUser).unwrap().done().is_some());
}

/// Promise: WB-7-children
#[test]
fn whoever_said_twelve_does_not_say_eighteen_on_the_same_ticket() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("1").unwrap();
    let served = person.serve_notice(FACE, &notice(&organisation)).unwrap();
    let young = person.give_consent(served.ticket(), Act::checkbox().attesting_age(12)).unwrap();
    assert_eq!(refusal(young), Refusal::Minor);
    let older = person.give_consent(served.ticket(), Act::checkbox().attesting_age(18));
    assert!(matches!(older, Err(Error::Replayed)));
}

/// Promise: WB-5-revoke
#[test]
fn a_showing_from_before_a_withdrawal_gives_nothing_after_it() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (shown, person) = (notice(&organisation), consented(&organisation, "1"));
    let served = person.serve_notice(FACE, &shown).unwrap();
    scene.pass(1);
    let _ = person.withdraw(FACE).unwrap();
    let late = person.give_consent(served.ticket(), Act::checkbox().attesting_age(18));
    assert!(matches!(late, Err(Error::Consent(ConsentError::ServedStale))), "{late:?}");
    give(&person, FACE, &shown);
}

/// Promise: WB-11-lawful-before
#[test]
fn an_invalid_consent_was_none_and_the_future_is_not_known() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "1");
    scene.pass(60);
    let at = vouchsafe::Clock::now(&*scene.clock);
    assert!(person.consent_at(FACE, at, ActorRole::Auditor).unwrap().was_given());
    scene.pass(60);
    let _ = person.invalidate(FACE).unwrap();
    assert!(!person.consent_at(FACE, at, ActorRole::Auditor).unwrap().was_given());
    let tomorrow = "2030-01-01T00:00:00Z".parse().unwrap();
    assert!(person.consent_at(FACE, tomorrow, ActorRole::Auditor).is_err());
}

/// Promise: WB-5-revoke
#[test]
fn a_clock_before_1970_stands_in_no_withdrawals_way() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "1");
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted());
    scene.clock.set("1969-01-01T00:00:00Z".parse().unwrap());
    let _ = person.withdraw(FACE).unwrap();
    assert!(person.permit(FACE).unwrap().done().is_none());
}
