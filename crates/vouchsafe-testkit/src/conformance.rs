//! What every adapter of a port must do, whatever is behind it.
//!
//! ```
//! # use std::sync::Arc;
//! # use vouchsafe_envelope::port::KeyService;
//! fn check(open: impl Fn() -> Arc<dyn KeyService>) {
//!     vouchsafe_testkit::conformance::key_service(&open);
//! }
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a suite of tests: a failed case panics"
)]

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{Destroys, KeyHandle, KeyService};
use vouchsafe_types::{OrganisationId, Secret};

mod destruction;
mod sharing;
mod wrapping;

/// One requirement on a key service; it panics where the service fails it.
pub type Case = fn(&Bench<'_>);

/// Every case of [`key_service`], by name.
pub const CASES: &[(&str, Case)] = &[
    ("create is idempotent", wrapping::create_is_idempotent),
    ("a secret comes back", wrapping::a_secret_comes_back),
    ("two wraps of one secret differ", wrapping::two_wraps_of_one_secret_differ),
    ("long names and contexts are taken", wrapping::long_names_and_contexts_are_taken),
    ("another context opens nothing", wrapping::another_context_opens_nothing),
    ("another key opens nothing", wrapping::another_key_opens_nothing),
    ("a changed byte opens nothing", wrapping::a_changed_byte_opens_nothing),
    ("another length opens nothing", wrapping::another_length_opens_nothing),
    ("a key that was never made is no key", wrapping::a_key_that_was_never_made_is_no_key),
    ("generations may have gaps", wrapping::generations_may_have_gaps),
    ("a list names one organisation's keys", wrapping::a_list_names_one_organisations_keys),
    ("a destroyed key is no key", destruction::a_destroyed_key_is_no_key),
    ("a destroyed key does not come back", destruction::a_destroyed_key_does_not_come_back),
    ("destroying again changes nothing", destruction::destroying_again_changes_nothing),
    ("destroying what never was is harmless", destruction::destroying_what_never_was_is_harmless),
    ("the newest key is destroyed or kept, as declared", destruction::the_newest_key_goes_as_declared),
    ("a newer key survives", destruction::a_newer_key_survives),
    ("a handle opened later sees the same keys", sharing::a_later_handle_sees_the_same_keys),
    ("two handles agree", sharing::two_handles_agree),
    ("racing creations make one key", sharing::racing_creations_make_one_key),
    ("eight threads share one handle", sharing::eight_threads_share_one_handle),
    ("nothing opens after a destruction returned", sharing::nothing_opens_after_a_destruction_returned),
];

/// Runs every case against a service and panics with the names of those that failed.
///
/// `open` gives one more handle onto the same service. The organisations of a run have names of their own, so the
/// service may hold other keys and may be used by others; what a run creates it destroys as far as it can.
pub fn key_service(open: &dyn Fn() -> Arc<dyn KeyService>) {
    let mut failed = Vec::new();
    for (name, case) in CASES {
        let bench = Bench::new(open);
        if catch_unwind(AssertUnwindSafe(|| case(&bench))).is_err() {
            failed.push(*name);
        }
        bench.clear();
    }
    assert!(failed.is_empty(), "{} of {} cases failed: {failed:#?}", failed.len(), CASES.len());
}

/// What one case works with: a service, and organisations that nobody else uses.
pub struct Bench<'a> {
    open: &'a dyn Fn() -> Arc<dyn KeyService>,
    service: Arc<dyn KeyService>,
    suffix: String,
    used: RefCell<Vec<OrganisationId>>,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("suffix", &self.suffix).finish_non_exhaustive()
    }
}

impl<'a> Bench<'a> {
    fn new(open: &'a dyn Fn() -> Arc<dyn KeyService>) -> Self {
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).unwrap();
        let suffix = format!("{:016x}", u64::from_be_bytes(random));
        Self { open, service: open(), suffix, used: RefCell::default() }
    }

    /// One more handle onto the service.
    fn reopen(&self) -> Arc<dyn KeyService> {
        (self.open)()
    }

    /// An organisation of this case: the suffix of the run, then a name.
    fn organisation(&self, name: &str) -> OrganisationId {
        let organisation = OrganisationId::parse(&format!("c{}-{name}", self.suffix)).unwrap();
        self.used.borrow_mut().push(organisation.clone());
        organisation
    }

    /// A state key of the case's first organisation.
    fn handle(&self, generation: u64) -> KeyHandle {
        KeyHandle::new(self.organisation("a"), generation)
    }

    /// As [`Self::handle`], of a key that exists.
    fn key(&self, generation: u64) -> KeyHandle {
        let handle = self.handle(generation);
        self.service.create(&handle).unwrap();
        handle
    }

    /// As [`Self::key`], of a key that the service is able to destroy.
    fn doomed(&self, generation: u64) -> KeyHandle {
        let handle = self.key(generation);
        if self.only_older() {
            self.key(generation + 1);
        }
        handle
    }

    fn only_older(&self) -> bool {
        self.service.capabilities().destroys == Destroys::OlderThanNewest
    }

    fn held(&self, organisation: &OrganisationId) -> Vec<u64> {
        generations(&*self.service, organisation)
    }

    /// Panics unless these generations, ascending, are those that the service holds.
    ///
    /// Services whose generations are versions of one key hold those between, too; nobody asked for them.
    fn assert_held(&self, organisation: &OrganisationId, expected: &[u64]) {
        let mut held = self.held(organisation);
        assert!(held.is_sorted(), "not ascending: {held:?}");
        if self.only_older() {
            held.retain(|generation| expected.contains(generation) || Some(generation) > expected.last());
        }
        assert_eq!(held, expected);
    }

    /// Destroys what the case created, so that a persistent service does not fill up.
    fn clear(&self) {
        for organisation in self.used.take() {
            for handle in self.service.list(&organisation).unwrap_or_default() {
                // The newest key of some services stays; its organisation is never used again.
                let _ = self.service.destroy(&handle);
            }
        }
    }
}

fn generations(service: &dyn KeyService, organisation: &OrganisationId) -> Vec<u64> {
    let handles = service.list(organisation).unwrap();
    assert!(handles.iter().all(|handle| handle.organisation() == organisation), "another's key in the list");
    handles.iter().map(KeyHandle::generation).collect()
}

/// Tries again while the error says that it may help: a busy service may ask for patience.
fn patiently<T>(act: impl Fn() -> Result<T, KeyServiceError>) -> T {
    let begun = Instant::now();
    loop {
        match act() {
            Err(error) if error.is_retryable() && begun.elapsed() < PATIENCE => {}
            answer => return answer.unwrap(),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How long a call may ask for another try.
const PATIENCE: Duration = Duration::from_secs(60);

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|secret| {
        for (at, own) in secret.iter_mut().enumerate() {
            *own = byte.wrapping_add(u8::try_from(at).unwrap());
        }
    })
}

/// Panics unless the secret is that of [`secret`].
fn assert_secret(opened: Result<Secret<32>, KeyServiceError>, byte: u8) {
    assert!(opened.unwrap().expose_secret() == secret(byte).expose_secret(), "another secret came back");
}

/// Panics unless the wrap was refused as one that the service did not make, or as no wrap at all.
fn assert_refused(opened: Result<Secret<32>, KeyServiceError>, what: &str) {
    match opened {
        Err(KeyServiceError::NotAuthentic | KeyServiceError::Malformed) => {}
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what}: a secret came back"),
    }
}

/// Panics unless the service says that it does not hold the key.
fn assert_no_key<T>(result: Result<T, KeyServiceError>, what: &str) {
    match result {
        Err(KeyServiceError::NoSuchKey) => {}
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what}: the key is still there"),
    }
}
