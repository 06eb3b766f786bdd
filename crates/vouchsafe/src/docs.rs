//! Architecture, threat model, promises and decisions, as documentation.

#[doc = include_str!("../docs/ARCHITECTURE.md")]
pub mod architecture {}

#[doc = include_str!("../docs/THREAT_MODEL.md")]
pub mod threat_model {}

#[doc = include_str!("../docs/promises.md")]
pub mod promises {}

/// Architecture decision records: one page each, never edited, only superseded.
pub mod decisions {
    #[doc = include_str!("../docs/adr/0001-inference-engine.md")]
    pub mod adr_0001_inference_engine {}
    #[doc = include_str!("../docs/adr/0002-aead.md")]
    pub mod adr_0002_aead {}
    #[doc = include_str!("../docs/adr/0003-key-tree.md")]
    pub mod adr_0003_key_tree {}
    #[doc = include_str!("../docs/adr/0004-outbox-and-projection.md")]
    pub mod adr_0004_outbox_and_projection {}
    #[doc = include_str!("../docs/adr/0005-capture-consumes-frames.md")]
    pub mod adr_0005_capture_consumes_frames {}
    #[doc = include_str!("../docs/adr/0006-sync-facade.md")]
    pub mod adr_0006_sync_facade {}
}
