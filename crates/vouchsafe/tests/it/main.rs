//! The facade as its callers use it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

mod adversary;
mod buckets;
mod bundle;
mod bundle_lives;
mod bundle_tamper;
mod consent_bad_input;
mod consent_life;
mod failing_writes;
mod folder;
mod in_flight;
mod keys;
mod leases;
mod life;
mod log;
mod on_postgres;
mod once;
mod pause;
mod photographs;
mod receipt_scan;
mod residence;
mod restored;
mod retention;
mod rights_export;
mod rights_kept;
mod scene;
mod scopes;
mod second;
mod tampered;
mod two_processes;
mod witness;
