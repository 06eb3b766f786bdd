//! A database that fails once, at every write of a call in turn: an error means that nothing was done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use vouchsafe::store::{Store, StoreError, Transaction};
use vouchsafe::{Destruction, Error, OrganisationId, Subject, Vouchsafe};

use crate::scene::{FACE, Scene, consented, enrol};

/// A database of which one write, counted down to, does not take place.
struct Failing {
    inner: Arc<dyn Store>,
    left: Arc<AtomicU32>,
}

type Act<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>;

impl Store for Failing {
    fn write_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError> {
        let fails = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if fails == Ok(1) {
            return Err(StoreError::Io);
        }
        self.inner.write_with(organisation, act)
    }

    fn read_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError> {
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

/// Calls with each write failing in turn until none is left to fail; gives how many calls answered an error.
fn at_every_write(call: impl Fn(&Subject<'_>) -> Result<Destruction, Error>) -> usize {
    let mut errors = 0;
    for write in 1..20 {
        let scene = Scene::new();
        let organisation = scene.service.organisation("acme").unwrap();
        let person = consented(&organisation, "4711");
        enrol(&person, 1);
        let (mut ports, left) = (scene.ports(), Arc::new(AtomicU32::new(0)));
        ports.store = Arc::new(Failing { inner: ports.store, left: Arc::clone(&left) });
        let failing = Vouchsafe::open_with(ports);
        let there = failing.organisation("acme").unwrap();
        let same = there.subject("4711").unwrap();
        left.store(write, Ordering::SeqCst);
        let answered = call(&same);
        let failed = left.swap(0, Ordering::SeqCst) == 0;
        let open = person.permit(FACE).unwrap().or_refuse().is_ok();
        assert_eq!(open, answered.is_err(), "write {write}: {answered:?}");
        errors += usize::from(answered.is_err());
        if !failed {
            assert!(matches!(answered, Ok(Destruction::Done(_))), "{answered:?}");
            assert!(write > 2, "it wrote {write} times");
            return errors;
        }
    }
    panic!("it writes for ever");
}

/// Promise: WB-5-delete
#[test]
fn a_deletion_that_answers_an_error_deleted_nothing() {
    assert_eq!(at_every_write(|person| person.erase()), 1);
}

/// Promise: WB-5-revoke
#[test]
fn a_withdrawal_that_answers_an_error_withdrew_nothing() {
    assert_eq!(at_every_write(|person| person.withdraw(FACE).map(|ended| ended.destruction)), 1);
}
