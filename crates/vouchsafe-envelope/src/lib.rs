//! Sealed records under a puncturable key tree, and the ports for key services, sealed states, fence journals, audit.
//!
//! ```text
//! key service          StateKey(organisation, n)              destroyed and replaced at every erasure
//!   └ wraps            state data key ▸ organisation state n: data keys, log seed, counters, key tree
//!        └ derives     leaf key                                one per subject × data class × scope
//!             ├        record key ▸ sealed record              see [`record`]
//!             └        template key
//! ```
//!
//! Destroying a leaf punctures the tree, writes the new state, and destroys the old state key at the service.
//! From then on neither this host nor a backup of its database derives the leaf's keys, and every other leaf's
//! keys are what they were. How strong that is depends on the key service: [`port::ErasureStrength`].
//! The steps, the stored forms and their limits: [`key_state`].
//!
//! Who is trusted: the key service with secrecy and destruction, the state store and the fence journal's place with
//! availability alone. Losing the sealed state loses the organisation. It belongs in two places and in no backup
//! history, because a copied state is as good as no erasure until its key is destroyed.
//!
//! An unsealed state is kept for five minutes at most ([`CachePolicy`]), in pages that are locked into memory and
//! left out of core dumps. This crate sees no name and no policy, opens no file and reads no clock.
#![forbid(unsafe_code)]

pub mod cobblestone;
mod context;
mod error;
mod fence;
mod gcm;
mod kdf;
#[doc = include_str!("../docs/key-state.md")]
pub mod key_state {}
mod keyring;
pub mod port;
mod reader;
pub mod record;
mod state;
#[cfg(feature = "test-util")]
#[doc(hidden)]
pub mod test_util;
pub mod tree;
mod vault;

pub use context::Context;
pub use error::{EnvelopeError, KeyServiceError, Malformed, Remaining, StateStoreError};
pub use keyring::{
    CacheMetrics, CachePolicy, FenceLoss, KeyPorts, KeyReport, KeyRing, LogIdentity, MAX_TTL, PunctureReport,
    Replay, Sweeper,
};
pub use record::RecordKey;
pub use state::{LeafStatus, OrganisationState, TemplateSecret};
