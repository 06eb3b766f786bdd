//! A transparency log of consent and audit leaves in the C2SP tlog formats.
//!
//! A log that somebody must be able to trust is one that its keeper cannot rewrite unnoticed and never needs to
//! edit. Leaves are pseudonymous envelopes of 55 bytes that hold a hiding [`commitment`], so payloads can be
//! destroyed on their own schedule while every proof stays valid; the tree is that of RFC 6962 section 2.1; what
//! outsiders read are tiles ([C2SP tlog-tiles]), a signed [`Checkpoint`] ([C2SP tlog-checkpoint], [C2SP
//! signed-note]) and receipts ([C2SP tlog-proof]). The byte formats are specified in `docs/log-format.md`.
//!
//! - The rows of the database are the truth ([`LeafSource`]); tiles and checkpoint are a projection of them
//!   ([`publish`], [`Publisher`], [`rebuild`]) into a [`TileStore`], behind a [`CheckpointLock`] that a restore does
//!   not set back.
//! - [`prove_inclusion`] makes the [`Receipt`] that a person keeps; [`verify_receipt`] checks it offline.
//! - [`verify_log`] recomputes everything from the rows, [`verify_tiles`] does it for an outsider, and [`monitor`]
//!   for one who remembers the last look.
//! - [`cosign`] has a checkpoint cosigned by each [`Witness`]; a [`Policy`] says how many of them [`Trust`] demands.
//! - A [`Handover`] gives the log another key; a [`KeyChain`] follows it.
//!
//! This crate opens no file, reads no clock and owns no source of randomness. It never edits and never prunes.
//! No verifier can see a fork or a rollback that is signed with the log's own key unless it remembers an older
//! checkpoint or demands witnesses: give [`Trust::remembering`] a checkpoint from outside the domain that can be
//! restored, or [`Trust::demanding`] a policy.
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles
//! [C2SP tlog-checkpoint]: https://c2sp.org/tlog-checkpoint
//! [C2SP signed-note]: https://c2sp.org/signed-note
//! [`publish`]: fn@publish
//! [`monitor`]: fn@monitor
//! [`cosign`]: fn@cosign
//! [C2SP tlog-proof]: https://c2sp.org/tlog-proof
#![forbid(unsafe_code)]

mod audit;
mod builder;
mod checkpoint;
pub mod commitment;
mod cosign;
mod cosignature;
mod entries;
mod error;
mod handover;
mod heads;
mod key;
mod kind;
mod leaf;
pub mod merkle;
mod monitor;
mod note;
mod policy;
mod port;
mod projection;
mod proof;
mod text;
mod tiles;
mod trust;
mod verify;
mod vocabulary;
pub mod witness;

#[cfg(doc)]
#[doc = include_str!("../docs/log-format.md")]
pub mod log_format {}

pub use audit::{ActorRole, DestructionReason, EntryOutcome};
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use commitment::Opening;
pub use cosign::{CosignOutcome, CosignReport, CosignedSizes, cosign};
#[cfg(any(test, feature = "test-util"))]
pub use cosignature::Cosigner;
pub use cosignature::{Cosignature, WitnessKey};
pub use entries::read_entries;
pub use error::LedgerError;
pub use handover::{Handover, HandoverReason, HandoverStatement, KeyChain, read_handovers};
pub use kind::EntryKind;
pub use leaf::Leaf;
pub use monitor::{MonitorReport, MonitorState, monitor};
pub use note::{LogSigner, Note, VerifierKey};
pub use policy::Policy;
pub use port::{
    CheckpointLock, LeafSource, LogFiles, LogPlace, PublisherLease, TileStore, Witness, is_log_name,
};
pub use projection::{Publisher, publish, rebuild};
pub use proof::{Receipt, prove_consistency, prove_inclusion, verify_receipt};
pub use tiles::{CHECKPOINT_PATH, TILE_WIDTH, TilePath, TileReader, handover_path, is_log_path};
pub use trust::{Trust, published};
pub use verify::{Finding, Report, verify_log, verify_tiles};
pub use witness::WitnessError;
