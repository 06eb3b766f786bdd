//! The ports: where state keys live, where the sealed state lives, what is kept outside of both, who is told.
//!
//! Adapters are other crates. All ports are synchronous; an adapter that owns a runtime refuses to run inside
//! another.
mod audit;
mod fences;
mod service;
mod states;

pub use audit::{Alarm, NoAudit, OpenAudit, Opened, OpenedOutcome};
pub use fences::{FenceRecords, FenceStore};
pub use service::{Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService};
pub use states::{ShardName, StateGuard, StateStore, StateVersion};
