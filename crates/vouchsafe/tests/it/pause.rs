//! Ports that stop one thread at a named place until another lets it go on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use vouchsafe::Clock;
use vouchsafe::embed::{EmbedError, FaceScene, Judge, Judgement};
use vouchsafe::store::backup::Copying;
use vouchsafe::store::{Store, StoreError, Transaction};
use vouchsafe::types::{Entropy, EntropyUnavailable};
use vouchsafe::{OrganisationId, Ports, Timestamp};

/// Where an injected port can stop its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The clock is asked; the number tells which time.
    Clock(u32),
    /// Randomness is asked for.
    Entropy,
    /// The judge of presentation attacks is asked.
    Judge,
    /// A reading transaction is about to begin.
    Read,
    /// A reading transaction has read everything and still holds its snapshot.
    Snapshot,
    /// A writing transaction is about to begin.
    Write,
    /// A writing transaction has done everything but its commit.
    Commit,
}

/// Stops one thread at one place, once.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    armed: Mutex<Option<(Place, ThreadId)>>,
    clock: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    Stopped,
    Released,
}

impl Stop {
    const PATIENCE: Duration = Duration::from_secs(60);

    /// The calling thread stops when it next comes to this place.
    pub(crate) fn here_at(&self, place: Place) {
        self.clock.store(0, Ordering::SeqCst);
        *self.state.lock().unwrap() = State::Free;
        *self.armed.lock().unwrap() = Some((place, thread::current().id()));
    }

    /// Stops the calling thread now.
    pub(crate) fn now(&self) {
        let mut state = self.state.lock().unwrap();
        *state = State::Stopped;
        self.changed.notify_all();
        let (state, late) =
            self.changed.wait_timeout_while(state, Self::PATIENCE, |now| *now != State::Released).unwrap();
        assert!(!late.timed_out(), "nobody let it go on: {state:?}");
    }

    /// Waits until the thread has stopped.
    pub(crate) fn reached(&self) {
        let state = self.state.lock().unwrap();
        let waited =
            self.changed.wait_timeout_while(state, Self::PATIENCE, |now| *now != State::Stopped).unwrap();
        assert!(!waited.1.timed_out(), "the place was never reached");
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.state.lock().unwrap() == State::Stopped
    }

    pub(crate) fn release(&self) {
        *self.state.lock().unwrap() = State::Released;
        self.changed.notify_all();
    }

    fn pass(&self, place: Place) {
        let mut armed = self.armed.lock().unwrap();
        if *armed == Some((place, thread::current().id())) {
            *armed = None;
            drop(armed);
            self.now();
        }
    }

    fn pass_clock(&self) {
        let mine = self.armed.lock().unwrap().is_some_and(|(_, thread)| thread == thread::current().id());
        if mine {
            self.pass(Place::Clock(self.clock.fetch_add(1, Ordering::SeqCst) + 1));
        }
    }
}

/// These ports, with a stop at every place.
pub(crate) fn stopping(mut ports: Ports, stop: &Arc<Stop>) -> Ports {
    ports.store = Arc::new(Stopping { inner: ports.store, stop: stop.clone() });
    ports.clock = Arc::new(Stopping { inner: ports.clock, stop: stop.clone() });
    ports.entropy = Arc::new(Stopping { inner: ports.entropy, stop: stop.clone() });
    ports.judge = Arc::new(Stopping { inner: ports.judge, stop: stop.clone() });
    ports
}

struct Stopping<P: ?Sized> {
    stop: Arc<Stop>,
    inner: Arc<P>,
}

type Act<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>;

impl Store for Stopping<dyn Store> {
    fn write_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError> {
        self.stop.pass(Place::Write);
        self.inner.write_with(organisation, &mut |rows| {
            let done = act(rows);
            self.stop.pass(Place::Commit);
            done
        })
    }

    fn read_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError> {
        self.stop.pass(Place::Read);
        self.inner.read_with(organisation, &mut |rows| {
            let done = act(rows);
            self.stop.pass(Place::Snapshot);
            done
        })
    }

    fn copy_with(
        &self,
        act: &mut dyn FnMut(&Copying<'_>) -> Result<(), StoreError>,
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

impl Clock for Stopping<dyn Clock> {
    fn now(&self) -> Timestamp {
        self.stop.pass_clock();
        self.inner.now()
    }
}

impl Entropy for Stopping<dyn Entropy> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.stop.pass(Place::Entropy);
        self.inner.fill(buffer)
    }
}

impl Judge for Stopping<dyn Judge> {
    fn judge(&self, scene: &FaceScene<'_>) -> Result<Judgement, EmbedError> {
        self.stop.pass(Place::Judge);
        self.inner.judge(scene)
    }
}
