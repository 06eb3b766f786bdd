//! The facade as its callers use it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

mod export;
mod folder;
mod keys;
mod life;
mod log;
mod photographs;
mod scene;
mod two_processes;
mod witness;
