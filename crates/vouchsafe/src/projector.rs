//! Publishing in the background: about once a second, every log that grew gets its tiles and its checkpoint.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use vouchsafe_types::OrganisationId;

use crate::core::Core;
use crate::{Error, Organisation, Vouchsafe};

/// A thread that publishes; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "publishing ends when it is dropped"]
pub struct Publishing {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What background publishing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishStatus {
    /// Rounds over all organisations.
    pub rounds: u64,
    /// Checkpoints published.
    pub published: u64,
    /// Logs that could not be published; each is tried again in the next round.
    pub failed: u64,
    /// Rounds in which a witness contradicted a published log: somebody must look at once.
    pub contradicted: u64,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    status: PublishStatus,
}

impl Vouchsafe {
    /// Publishes every log that grew, in rounds that begin this far apart; one second is a good choice.
    ///
    /// An act is acknowledged by its commit; until the next round it has no proof yet. Witnesses are asked in the same
    /// round. What fails is counted and tried again.
    ///
    /// # Errors
    /// [`Error::Folder`] when no thread can be started.
    pub fn publish_every(&self, interval: Duration) -> Result<Publishing, Error> {
        let shared = Arc::new(Shared::default());
        let (core, inner) = (Arc::downgrade(&self.core), Arc::clone(&shared));
        let thread = thread::Builder::new().name("vouchsafe-publish".to_owned());
        let thread = thread.spawn(move || run(&core, &inner, interval));
        let thread = thread.map_err(|error| Error::Folder(error.kind()))?;
        Ok(Publishing { shared, thread: Some(thread) })
    }
}

impl Publishing {
    /// What was done so far.
    pub fn status(&self) -> PublishStatus {
        self.shared.lock().status
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(core: &Weak<Core>, shared: &Shared, interval: Duration) {
    let mut sizes = HashMap::new();
    loop {
        let Some(core) = core.upgrade() else { return };
        let tally = round(&core, &mut sizes);
        drop(core);
        let mut state = shared.lock();
        state.status.rounds += 1;
        state.status.published += tally.published;
        state.status.failed += tally.failed;
        state.status.contradicted += tally.contradicted;
        let waited = shared.wake.wait_timeout_while(state, interval, |state| !state.stopped);
        if waited.unwrap_or_else(PoisonError::into_inner).0.stopped {
            return;
        }
    }
}

/// One pass over all organisations.
fn round(core: &Core, sizes: &mut HashMap<OrganisationId, u64>) -> PublishStatus {
    let mut tally = PublishStatus::default();
    let Ok(grown) = grown(core, sizes) else { return PublishStatus { failed: 1, ..tally } };
    for (id, size) in grown {
        let organisation = Organisation { core, id: id.clone() };
        let done = if core.ports.witnesses.is_empty() {
            organisation.publish_log().map(drop)
        } else {
            organisation.cosign_log().map(drop)
        };
        match done {
            Err(Error::WitnessContradicts) => {
                tally.published += 1;
                tally.contradicted += 1;
            }
            Ok(()) => {
                sizes.insert(id, size);
                tally.published += 1;
            }
            Err(_) => tally.failed += 1,
        }
    }
    tally
}

fn grown(core: &Core, sizes: &HashMap<OrganisationId, u64>) -> Result<Vec<(OrganisationId, u64)>, Error> {
    let (store, mut grown) = (&*core.ports.store, Vec::new());
    for id in store.organisations()? {
        let size = vouchsafe_store::read(store, &id, |rows| rows.entry_count(&id))?;
        if sizes.get(&id) != Some(&size) {
            grown.push((id, size));
        }
    }
    Ok(grown)
}
