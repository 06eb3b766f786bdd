//! Logs, checkpoints and key states in S3-compatible object storage, with conditional writes.
//!
//! | adapter | port | what it relies on |
//! |---|---|---|
//! | [`BucketTiles`] | [`TileStore`](vouchsafe_ledger::TileStore) | `If-None-Match: *` for what never changes, `If-Match` for the checkpoint |
//! | [`BucketLock`] | [`CheckpointLock`](vouchsafe_ledger::CheckpointLock) | `If-Match` |
//! | [`BucketLogs`] | [`LogPlace`](vouchsafe_ledger::LogPlace) | the two above, and a [`BucketLease`] |
//! | [`BucketStates`] | [`StateStore`](vouchsafe_envelope::port::StateStore), beside one with locks | `If-Match`, no old versions |
//! | [`BucketFences`] | [`FenceStore`](vouchsafe_envelope::port::FenceStore) | `If-Match` |
//!
//! # What a server has to honour
//!
//! A write with a condition takes place when the condition holds, and of several at once one takes place. Not every
//! server that speaks the protocol does that, so nothing is believed: [`Bucket::check`] tries it, alone and with eight
//! writers at once, and what relies on it does not open on a server that fails
//! ([`ObjectsError::ConditionIgnored`]). A race that did not show is no proof that there is none: read the
//! provider's documentation as well. Reads must see the write before them; the report says whether they did.
//!
//! What the servers of this crate's tests really do, found by the same check:
//!
//! | | `moto_server` 5.2.5 | `s3s-fs` 0.14.1 |
//! |---|---|---|
//! | `If-None-Match: *`, alone | honoured | honoured |
//! | `If-Match`, alone | honoured | honoured |
//! | `If-None-Match: *`, eight at once | one each time in 96 rounds | not honoured: two or more won in 14 of 16 rounds |
//! | `If-Match`, eight at once | one each time in 96 rounds | not honoured: two or more won in 16 of 16 rounds |
//! | both, one request at a time | honoured | honoured |
//! | reads and listings see the write before them | yes | yes |
//! | old versions | can be enabled | none |
//! | signature of a request, and of its conditions | not looked at | checked |
//! | a bucket that is not there | told | told by listings only; a write makes it |
//!
//! Both check a condition and then write, in two steps; in one of them the steps are short. The tests put a gate before them that lets one request at a time
//! through; a store for production has to make the two one by itself.
//!
//! # What is sent
//!
//! Requests are signed (AWS Signature Version 4, in the address), with their conditions and the checksum of what is
//! written, so that neither can be changed on the way. Plain `http://` is for this host alone; over TLS
//! one of the given roots must vouch for the server. The wall clock of this machine has to agree with the server's
//! within a minute where it is behind (a signature lives that long), within what the server allows where it is ahead. Neither credentials, addresses nor keys are shown in errors or `Debug`; because an address holds a
//! signature, nothing is sent while a logger would show the traffic of the HTTP library
//! ([`ObjectsError::Logged`]).
//!
//! Every call is bounded: the connection in time, the request in time, the answer in bytes, and the number of
//! attempts. What may safely happen twice is sent again with growing pauses when the server is busy or the
//! connection breaks. A conditional write is not; the adapters look up what became of it.
#![forbid(unsafe_code)]

mod answer;
mod bucket;
mod client;
mod config;
mod error;
mod fences;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod lease;
mod lock;
mod logs;
mod probe;
mod states;
mod tiles;

pub use bucket::{Bucket, Condition, ETag, Object, Put};
pub use config::{Addressing, BucketConfig, BucketCredentials};
pub use error::ObjectsError;
pub use fences::BucketFences;
pub use lease::{BucketLease, HeldLease, LeaseTerms};
pub use lock::BucketLock;
pub use logs::BucketLogs;
pub use probe::{BucketReport, Conditional, Verdict, Versioning};
pub use states::BucketStates;
pub use tiles::BucketTiles;
