use crate::vocabulary::vocabulary;

vocabulary! {
    /// In which role somebody acted. It stands in the payload of a leaf, never in the leaf.
    ActorRole: u8, else WordUnknown;
    /// The person whom the record is about.
    Person = 1 "person",
    /// An administrator of the organisation.
    Administrator = 2 "administrator",
    /// Whoever runs the installation.
    Operator = 3 "operator",
    /// Whoever examines the log and its evidence.
    Auditor = 4 "auditor",
    /// A process that acts by itself: a schedule, a recovery.
    Service = 5 "service",
}

vocabulary! {
    /// How an act ended. It stands in the payload of a leaf, never in the leaf.
    EntryOutcome: u8, else WordUnknown;
    /// It was done.
    Done = 1 "done",
    /// A comparison accepted the person.
    Accepted = 2 "accepted",
    /// A comparison rejected the person.
    Rejected = 3 "rejected",
    /// A comparison came to no verdict.
    Undecided = 4 "undecided",
    /// It was refused before it began: no consent, no liveness, no permission.
    Refused = 5 "refused",
    /// It began and could not be finished.
    Failed = 6 "failed",
}

vocabulary! {
    /// Why a template or a payload was destroyed.
    DestructionReason: u8, else WordUnknown;
    /// The person withdrew consent.
    Withdrawal = 1 "withdrawal",
    /// The controller revoked the consent.
    Revocation = 2 "revocation",
    /// The consent expired.
    Expiry = 3 "expiry",
    /// The consent had never been valid.
    Invalidation = 4 "invalidation",
    /// The person's account was deleted.
    AccountDeletion = 5 "account_deletion",
    /// A retention rule was due.
    RetentionRule = 6 "retention_rule",
    /// It had been destroyed before a restore brought it back.
    DestroyedBeforeRestore = 7 "destroyed_before_restore",
    /// The person turned out to be a minor.
    LearnedMinor = 8 "learned_minor",
    /// The purpose of the collection was met.
    PurposeMet = 9 "purpose_met",
    /// The sign-in method that used it was disabled.
    MethodDisabled = 10 "method_disabled",
    /// The person's employment ended.
    EmploymentEnded = 11 "employment_ended",
    /// The organisation left.
    Offboarding = 12 "offboarding",
    /// The person asked for deletion by right.
    DeletionRequest = 13 "deletion_request",
    /// It was replaced by a corrected one.
    Correction = 14 "correction",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LedgerError;

    macro_rules! check {
        ($word:ident, $names:expr) => {
            assert_eq!($word::ALL.map($word::name), $names);
            for (word, code) in $word::ALL.into_iter().zip(1..) {
                assert_eq!(word.code(), code);
                assert_eq!($word::from_code(code), Ok(word));
                assert_eq!($word::from_name(word.name()), Ok(word));
            }
            for code in [0, u8::try_from($word::ALL.len()).unwrap() + 1, u8::MAX] {
                assert_eq!($word::from_code(code), Err(LedgerError::WordUnknown));
            }
            for name in ["", "Done", "person ", "unknown"] {
                assert_eq!($word::from_name(name), Err(LedgerError::WordUnknown));
            }
        };
    }

    #[test]
    fn codes_and_names_are_stable() {
        check!(ActorRole, ["person", "administrator", "operator", "auditor", "service"]);
        check!(EntryOutcome, ["done", "accepted", "rejected", "undecided", "refused", "failed"]);
        check!(
            DestructionReason,
            [
                "withdrawal",
                "revocation",
                "expiry",
                "invalidation",
                "account_deletion",
                "retention_rule",
                "destroyed_before_restore",
                "learned_minor",
                "purpose_met",
                "method_disabled",
                "employment_ended",
                "offboarding",
                "deletion_request",
                "correction"
            ]
        );
    }
}
