//! Acts asked for twice under one key, because the first answer was lost.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vouchsafe::ledger::EntryKind;
use vouchsafe::store::{Store, StoreError, Transaction};
use vouchsafe::{
    Act, Destruction, Error, IdempotencyKey, KEYS_KEPT_DAYS, OrganisationId, Subject, Vouchsafe,
};

use crate::scene::{FACE, Scene, consented, face, give, notice, permit, verify};

const KEY: IdempotencyKey = IdempotencyKey::from_bytes([7; 16]);
const OTHER: IdempotencyKey = IdempotencyKey::from_bytes([8; 16]);

/// A store whose answer to a commit is lost when it is told so.
struct Forgetful {
    inner: Arc<dyn Store>,
    lose: Arc<AtomicBool>,
}

type Call<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>;

impl Store for Forgetful {
    fn write_with(&self, organisation: &OrganisationId, act: Call<'_>) -> Result<(), StoreError> {
        self.inner.write_with(organisation, act)?;
        if self.lose.swap(false, Ordering::SeqCst) { Err(StoreError::CommitUnknown) } else { Ok(()) }
    }

    fn read_with(&self, organisation: &OrganisationId, act: Call<'_>) -> Result<(), StoreError> {
        self.inner.read_with(organisation, act)
    }

    fn copy_with(
        &self,
        act: &mut dyn FnMut(&vouchsafe::store::backup::Copying<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.inner.copy_with(act)
    }

    fn organisations(&self) -> Result<Vec<OrganisationId>, StoreError> {
        self.inner.organisations()
    }

    fn remove_remnants(&self) -> Result<(), StoreError> {
        self.inner.remove_remnants()
    }
}

/// A service that loses the answer to the next commit whenever the flag is set.
fn forgetful(scene: &Scene) -> (Vouchsafe, Arc<AtomicBool>) {
    let (mut ports, lose) = (scene.ports(), Arc::new(AtomicBool::new(false)));
    ports.store = Arc::new(Forgetful { inner: ports.store, lose: Arc::clone(&lose) });
    (Vouchsafe::open_with(ports), lose)
}

fn is_lost<T>(answer: Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Store(StoreError::CommitUnknown)))
}

fn count(scene: &Scene, kind: EntryKind) -> usize {
    scene.kinds("acme").into_iter().filter(|known| *known == kind).count()
}

fn enrol_once(person: &Subject<'_>, key: IdempotencyKey, seed: u64) -> Result<String, Error> {
    let permit = permit(person);
    let enrolled = person.once(key).enrol_embedding(&permit, face(&permit, seed))?;
    enrolled.or_refuse().unwrap().receipt().to_json()
}

#[test]
fn what_was_done_although_the_answer_was_lost_is_not_done_again() {
    let scene = Scene::new();
    let (service, lose) = forgetful(&scene);
    let organisation = service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let served = person.serve_notice(FACE, &notice(&organisation)).unwrap();
    let give = || person.once(KEY).give_consent(served.ticket(), Act::checkbox().attesting_age(18));

    lose.store(true, Ordering::SeqCst);
    assert!(is_lost(give()));
    let receipt = give().unwrap().or_refuse().unwrap();
    assert_eq!(count(&scene, EntryKind::ConsentGiven), 1);
    assert!(receipt.receipt().is_consistent());

    let again = scene.again();
    let elsewhere = again.organisation("acme").unwrap();
    let same = elsewhere.subject("4711").unwrap();
    let repeated = same.once(KEY).give_consent(served.ticket(), Act::checkbox().attesting_age(18));
    let repeated = repeated.unwrap().or_refuse().unwrap();
    assert_eq!(repeated.receipt().to_json().unwrap(), receipt.receipt().to_json().unwrap());

    lose.store(true, Ordering::SeqCst);
    assert!(is_lost(enrol_once(&person, OTHER, 1)));
    // The face of a repeated call is not looked at: the first one is enrolled.
    assert_eq!(enrol_once(&same, OTHER, 2).unwrap(), enrol_once(&person, OTHER, 1).unwrap());
    assert_eq!(count(&scene, EntryKind::TemplateEnrolled), 1);
    assert!(verify(&person, 1).is_accepted());
}

/// Promise: WB-5-revoke
#[test]
fn a_withdrawal_whose_answer_was_lost_answers_again_and_leaves_what_came_later() {
    let scene = Scene::new();
    let (service, lose) = forgetful(&scene);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol_once(&person, OTHER, 1).unwrap();

    lose.store(true, Ordering::SeqCst);
    assert!(is_lost(person.once(KEY).withdraw(FACE)));
    assert!(person.permit(FACE).unwrap().or_refuse().is_err());
    let ended = person.once(KEY).withdraw(FACE).unwrap();
    let Destruction::Done(certificates) = ended.destruction else { panic!("{:?}", ended.destruction) };
    assert_eq!(certificates.len(), 1);
    assert_eq!(count(&scene, EntryKind::ConsentWithdrawn), 1);

    scene.pass(60);
    give(&person, FACE, &notice(&organisation));
    let late = person.once(KEY).withdraw(FACE).unwrap();
    assert_eq!(late.receipt.receipt().entry(), ended.receipt.receipt().entry());
    assert!(person.permit(FACE).unwrap().or_refuse().is_ok(), "another act gave it");
}

#[test]
fn a_key_names_one_request_of_one_person() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (person, other) = (consented(&organisation, "4711"), consented(&organisation, "4712"));
    enrol_once(&person, KEY, 1).unwrap();
    assert!(matches!(person.once(KEY).withdraw(FACE), Err(Error::KeyReused)));
    assert!(person.permit(FACE).unwrap().or_refuse().is_ok(), "nothing was withdrawn");
    enrol_once(&other, KEY, 2).unwrap();
    assert_eq!(count(&scene, EntryKind::TemplateEnrolled), 2);
}

#[test]
fn a_refusal_is_not_kept_and_a_key_is_forgotten_in_time() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let early = permit(&person);
    drop(person.withdraw(FACE).unwrap());
    let refused = person.once(KEY).enrol_embedding(&early, face(&early, 1)).unwrap();
    assert!(refused.or_refuse().is_err());
    scene.pass(60);
    give(&person, FACE, &notice(&organisation));
    let first = enrol_once(&person, KEY, 1).unwrap();

    let days = KEYS_KEPT_DAYS * 86_400;
    scene.pass(days - 1);
    assert_eq!(organisation.purge().unwrap().keys, 0);
    assert_eq!(enrol_once(&person, KEY, 1).unwrap(), first);
    scene.pass(1);
    // Over: it is a new request, whether the purge came first or not.
    let permit = permit(&person);
    let repeated = person.once(KEY).enrol_embedding(&permit, face(&permit, 1)).unwrap();
    assert_eq!(repeated.or_refuse().unwrap_err().as_slice(), [vouchsafe::Refusal::AlreadyEnrolled]);
    drop(person.once(OTHER).withdraw(FACE).unwrap());
    scene.pass(days);
    assert_eq!(organisation.purge().unwrap().keys, 1);
    assert_eq!(organisation.purge().unwrap().keys, 0);
}

#[test]
fn a_key_has_few_spellings() {
    let uuid = "0707070a-0707-4707-8707-070707070707";
    let key = IdempotencyKey::parse(uuid).unwrap();
    assert_eq!(IdempotencyKey::parse(&uuid.replace('-', "").to_uppercase()).unwrap(), key);
    assert_eq!(key.to_string(), uuid.replace('-', ""));
    for text in
        ["", "4111 1111 1111 1111", "4111111111111111", "0707070a0707-4707-8707-07070707-0707", "ask me"]
    {
        assert!(IdempotencyKey::parse(text).is_err(), "{text}");
    }
}
