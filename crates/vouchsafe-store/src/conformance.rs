//! What every engine of the storage port does alike. Not semver stable.
//!
//! A test makes as many empty stores as it needs, works them through the port, and goes past the port where it has to
//! see that damage is noticed.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test panics")]

use vouchsafe_types::{LeafIndex, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use crate::{Store, StoreError, Transaction, read, write};

/// A store to be tested, and a way past its port.
pub trait Stage {
    /// The store.
    fn store(&self) -> &dyn Store;
    /// Runs a statement on the rows of all organisations, in the words of SQLite, and checks no reference.
    ///
    /// Returns: how many rows it changed.
    fn alter(&self, sql: &str) -> u64;
    /// Pairs of a text and a number.
    fn look(&self, sql: &str) -> Vec<(String, i64)>;
}

/// Makes an empty store.
pub type Fresh<'a> = &'a dyn Fn() -> Box<dyn Stage + 'a>;

/// Declares the tests, and runs each on every engine that is compiled.
macro_rules! suite {
    ($($module:ident { $($test:ident)* })*) => {
        $(mod $module;)*

        /// Every test, with its name.
        pub const TESTS: &[(&str, fn(Fresh<'_>))] = &[
            $($((concat!(stringify!($module), "::", stringify!($test)), $module::$test),)*)*
        ];

        #[cfg(all(test, feature = "sqlite"))]
        mod on_sqlite {
            $(mod $module {
                $(#[test]
                fn $test() {
                    crate::conformance::$module::$test(&|| crate::sqlite::tests::stage());
                })*
            })*
        }

        #[cfg(all(test, feature = "postgres"))]
        mod on_postgres {
            $(mod $module {
                $(#[test]
                fn $test() {
                    if let Some(server) = crate::test_util::Postgres::shared().unwrap() {
                        crate::conformance::$module::$test(&|| crate::postgres::tests::stage(server));
                    }
                })*
            })*
        }
    };
}

suite! {
    transactions {
        a_failed_transaction_leaves_nothing
        entries_are_numbered_from_zero_without_a_gap
        a_transaction_that_reads_cannot_write
        a_snapshot_stays_as_it_was
        a_reader_sees_nothing_that_is_not_committed
        every_acknowledged_entry_of_many_writers_is_there_once_and_in_order
        closures_that_fail_or_panic_take_only_their_own_rows_with_them
    }
    isolation {
        a_transaction_of_one_organisation_finds_nothing_of_another
        a_transaction_of_one_organisation_changes_nothing_of_another
    }
    consent {
        the_notice_in_force_is_the_one_that_took_effect_last
        acts_of_consent_follow_each_other_without_a_gap
        due_are_only_the_newest_acts_that_are_open
        a_served_notice_is_used_once
        a_mark_stays_as_it_was_first_set_until_it_is_removed
        organisations_and_payloads_come_in_order
    }
    documents {
        documents_are_found_by_id_and_by_person_and_kind
        a_document_needs_a_new_id_a_holding_an_entry_a_kind_and_a_key
        open_documents_fall_due_in_order
        a_document_is_replaced_whole_and_removed_once
        documents_change_their_key_and_die_with_their_leaf
    }
    holdings {
        what_is_due_comes_in_the_order_of_its_instant_and_leaf_to_the_last_one
        only_a_live_holding_is_looked_at_again
        a_tally_that_lost_count_is_damage_and_nothing_is_condemned
        random_lives_of_holdings_agree_with_a_model
    }
    keys {
        a_row_keeps_its_key_version_to_the_last_one
        key_version_zero_is_never_stored
        a_key_version_beyond_the_type_is_damage
        usage_counts_templates_and_payloads_of_each_key
        usage_falls_only_when_the_bytes_are_deleted
        what_is_under_an_older_key_comes_oldest_key_first_up_to_the_limit
        resealing_replaces_bytes_and_version_and_nothing_else
        resealing_from_another_version_or_of_no_row_conflicts
    }
    leases {
        a_lease_has_one_holder_until_it_ends
        whoever_lost_the_lease_is_fenced
        a_lease_that_was_given_back_is_free_at_once
        of_many_who_ask_at_once_one_is_granted
    }
    lives {
        an_earlier_act_than_the_last_one_changes_nothing
        of_two_instants_of_an_event_the_earlier_one_stays
        places_are_added_and_known_since_the_earliest_instant
        a_person_is_forgotten_once_nothing_but_evidence_of_destruction_is_held
        rows_of_the_destroyed_go_before_an_instant_and_the_person_last
        spent_evidence_and_finished_jobs_go_and_the_person_with_the_last_of_them
        any_row_that_names_a_person_keeps_theirs
        every_table_that_names_a_person_is_known_to_their_end
    }
    orphans {
        each_table_of_the_inventory_is_looked_through
        bytes_that_outlive_their_destroyed_leaf_are_orphans
        what_is_told_of_a_person_is_an_orphan_once_only_evidence_of_destruction_is_held
        every_row_whose_parent_is_missing_is_an_orphan
    }
    retention {
        a_person_is_under_their_own_holds_and_those_on_everybody
        a_hold_needs_a_new_id_and_two_persons
        holds_that_ended_are_purged_and_no_others
        a_job_is_claimed_by_one_at_a_time_the_longest_due_first
        whoever_lost_the_claim_saves_nothing
        jobs_come_in_the_order_of_creation_and_go_when_removed
        how_retention_stands_is_one_row_for_each_organisation
    }
}

pub(crate) mod life;

#[cfg(all(test, feature = "postgres"))]
pub(crate) use isolation::answers;
#[cfg(test)]
pub(crate) use isolation::populate;

pub(crate) fn acme() -> OrganisationId {
    OrganisationId::parse("acme").unwrap()
}

pub(crate) fn other() -> OrganisationId {
    OrganisationId::parse("other").unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn person(number: u8) -> SubjectPseudonym {
    SubjectPseudonym::from_bytes([number; 32])
}

pub(crate) fn face() -> Scope {
    Scope::from_code([1, 1, 1]).unwrap()
}

pub(crate) fn leaf(number: u8) -> LeafIndex {
    LeafIndex::new(u64::from(number)).unwrap()
}

pub(crate) fn ask<T>(
    store: &dyn Store,
    organisation: &OrganisationId,
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    read(store, organisation, act)
}

pub(crate) fn change<T>(
    store: &dyn Store,
    organisation: &OrganisationId,
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    write(store, organisation, act)
}

/// Adds an organisation.
pub(crate) fn add(store: &dyn Store, organisation: &OrganisationId) {
    change(store, organisation, |rows| rows.insert_organisation(organisation, at(0))).unwrap();
}
