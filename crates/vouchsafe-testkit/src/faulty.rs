//! Adapters that fail on purpose: latency, time-outs, refusals, answers lost after the act, lies.
mod storage;

pub use storage::{FaultyFences, FaultyStates, Moment, Turn};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{Capabilities, DestructionEvidence, ErasureStrength, KeyHandle, KeyService};
use vouchsafe_types::{OrganisationId, Secret};

/// What goes wrong in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The act takes place and its answer is lost; the caller gets this error.
    Lost(KeyServiceError),
    /// The act does not take place, or does something else, and the answer is that of success: nothing is created;
    /// another secret is wrapped or comes out; a key is said to be destroyed, even attested; no key is listed.
    Lie,
    /// The act does not take place; the caller gets this error.
    Refused(KeyServiceError),
    /// The act and its answer come later by this much.
    Slow(Duration),
    /// The act takes place twice, as after a retry below the port; the second answer is given.
    Twice,
}

/// The calls of a key service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one for each method of the port")]
pub enum Call {
    /// [`KeyService::create`].
    Create,
    /// [`KeyService::destroy`].
    Destroy,
    /// [`KeyService::list`].
    List,
    /// [`KeyService::unwrap`].
    Unwrap,
    /// [`KeyService::wrap`].
    Wrap,
}

type Script = dyn Fn(usize, Call) -> Option<Fault> + Send + Sync;

/// A key service in front of another one, which goes wrong where a script says so.
pub struct FaultyService {
    inner: Arc<dyn KeyService>,
    script: Box<Script>,
    calls: AtomicUsize,
}

impl FaultyService {
    /// Asks the script before each call, with the call's number from 0 on.
    pub fn new(
        inner: Arc<dyn KeyService>,
        script: impl Fn(usize, Call) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, script: Box::new(script), calls: AtomicUsize::new(0) }
    }

    /// Goes wrong once, in the call of this number.
    pub fn once(inner: Arc<dyn KeyService>, number: usize, fault: Fault) -> Self {
        Self::new(inner, move |at, _| (at == number).then_some(fault))
    }

    /// Goes wrong in every call of one kind.
    pub fn always(inner: Arc<dyn KeyService>, kind: Call, fault: Fault) -> Self {
        Self::new(inner, move |_, call| (call == kind).then_some(fault))
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn pass<T>(
        &self,
        call: Call,
        act: impl Fn() -> Result<T, KeyServiceError>,
        lie: impl FnOnce() -> Result<T, KeyServiceError>,
    ) -> Result<T, KeyServiceError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match (self.script)(number, call) {
            None => act(),
            Some(Fault::Lie) => lie(),
            Some(Fault::Lost(error)) => act().and(Err(error)),
            Some(Fault::Refused(error)) => Err(error),
            Some(Fault::Slow(by)) => {
                std::thread::sleep(by);
                act()
            }
            Some(Fault::Twice) => act().and_then(|_| act()),
        }
    }
}

impl fmt::Debug for FaultyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyService").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl KeyService for FaultyService {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        self.pass(Call::Create, || self.inner.create(handle), || Ok(()))
    }

    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError> {
        let lie = || self.inner.wrap(handle, &another(secret), context);
        self.pass(Call::Wrap, || self.inner.wrap(handle, secret, context), lie)
    }

    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError> {
        let act = || self.inner.unwrap(handle, wrapped, context);
        self.pass(Call::Unwrap, act, || act().map(|secret| another(&secret)))
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        let claim = || Ok(DestructionEvidence::new(handle.clone(), ErasureStrength::ServiceAttested));
        self.pass(Call::Destroy, || self.inner.destroy(handle), claim)
    }

    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        self.pass(Call::List, || self.inner.list(organisation), || Ok(Vec::new()))
    }

    fn strength(&self) -> ErasureStrength {
        self.inner.strength()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

/// A secret that differs in every bit.
fn another(secret: &Secret<32>) -> Secret<32> {
    Secret::init_with(|other| {
        for (other, byte) in other.iter_mut().zip(secret.expose_secret()) {
            *other = !byte;
        }
    })
}
