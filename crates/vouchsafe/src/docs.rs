//! Architecture, threat model, promises and decisions, as documentation.

#[doc = include_str!("../docs/ARCHITECTURE.md")]
pub mod architecture {}

#[doc = include_str!("../docs/audit-bundle.md")]
pub mod audit_bundle {}

#[doc = include_str!("../docs/THREAT_MODEL.md")]
pub mod threat_model {}

#[doc = include_str!("../docs/data-inventory.md")]
pub mod data_inventory {}

#[doc = include_str!("../docs/promises.md")]
pub mod promises {}

#[doc = include_str!("../docs/runbook-audit.md")]
pub mod runbook_audit {}

#[doc = include_str!("../docs/runbook-keys.md")]
pub mod runbook_keys {}

#[doc = include_str!("../docs/runbook-log.md")]
pub mod runbook_log {}

#[doc = include_str!("../docs/runbook-retention.md")]
pub mod runbook_retention {}

#[doc = include_str!("../docs/runbook-store-postgres.md")]
pub mod runbook_store_postgres {}

#[doc = include_str!("../docs/runbook-store-sqlite.md")]
pub mod runbook_store_sqlite {}

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
    #[doc = include_str!("../docs/adr/0007-key-cache.md")]
    pub mod adr_0007_key_cache {}
    #[doc = include_str!("../docs/adr/0008-fence-journal.md")]
    pub mod adr_0008_fence_journal {}
    #[doc = include_str!("../docs/adr/0009-key-services.md")]
    pub mod adr_0009_key_services {}
    #[doc = include_str!("../docs/adr/0010-lasting-key.md")]
    pub mod adr_0010_lasting_key {}
    #[doc = include_str!("../docs/adr/0011-group-commit.md")]
    pub mod adr_0011_group_commit {}
    #[doc = include_str!("../docs/adr/0012-checkpoint-outside-first.md")]
    pub mod adr_0012_checkpoint_outside_first {}
    #[doc = include_str!("../docs/adr/0013-what-was-shown.md")]
    pub mod adr_0013_what_was_shown {}
    #[doc = include_str!("../docs/adr/0014-log-key-handover.md")]
    pub mod adr_0014_log_key_handover {}
    #[doc = include_str!("../docs/adr/0015-look-again-index.md")]
    pub mod adr_0015_look_again_index {}
    #[doc = include_str!("../docs/adr/0016-over-and-kept.md")]
    pub mod adr_0016_over_and_kept {}
    #[doc = include_str!("../docs/adr/0017-documents-under-leaves.md")]
    pub mod adr_0017_documents_under_leaves {}
    #[doc = include_str!("../docs/adr/0018-approvers-sign.md")]
    pub mod adr_0018_approvers_sign {}
    #[doc = include_str!("../docs/adr/0019-two-engines.md")]
    pub mod adr_0019_two_engines {}
    #[doc = include_str!("../docs/adr/0020-object-storage.md")]
    pub mod adr_0020_object_storage {}
    #[doc = include_str!("../docs/adr/0021-a-backup-is-rows.md")]
    pub mod adr_0021_a_backup_is_rows {}
}
