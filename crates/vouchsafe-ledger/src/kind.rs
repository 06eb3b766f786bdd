use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a leaf says happened. The vocabulary is closed: codes and names are stable and never reused. The upper
    /// byte of a code is the thing, the lower one what happened to it.
    EntryKind: u16, else LeafMalformed;
    /// A person gave consent for one scope.
    ConsentGiven = 0x0101 "consent.given",
    /// A person withdrew consent for one scope.
    ConsentWithdrawn = 0x0102 "consent.withdrawn",
    /// A person gave consent again for a scope whose notice had changed or whose term had ended.
    ConsentRenewed = 0x0103 "consent.renewed",
    /// A person was asked for consent for one scope and refused it.
    ConsentRefused = 0x0104 "consent.refused",
    /// The controller ended a consent; the person did not.
    ConsentRevoked = 0x0105 "consent.revoked",
    /// A consent reached the end of its term.
    ConsentExpired = 0x0106 "consent.expired",
    /// A consent was found never to have been valid.
    ConsentInvalidated = 0x0107 "consent.invalidated",
    /// Evidence of a consent was opened to answer a question.
    ConsentDisclosed = 0x0108 "consent.disclosed",
    /// A person acted, and the act was not taken as consent: for want of age, or because they are a minor.
    ConsentNotTaken = 0x0109 "consent.not_taken",
    /// The exact bytes of a notice came into force.
    NoticePublished = 0x0201 "notice.published",
    /// A notice was shown to a person, whatever they did then.
    NoticeServed = 0x0202 "notice.served",
    /// An organisation was created; the first leaf of its log.
    OrganisationCreated = 0x0301 "organisation.created",
    /// A protected template was made and stored.
    TemplateEnrolled = 0x0401 "template.enrolled",
    /// A stored template was opened to compare it. Every opening is one leaf.
    TemplateOpened = 0x0402 "template.opened",
    /// The fence: from this leaf on the template is refused; its keys are about to be destroyed.
    TemplateDestroyRequested = 0x0403 "template.destroy_requested",
    /// The keys of a template are destroyed.
    TemplateDestroyed = 0x0404 "template.destroyed",
    /// A destroyed template was found after a restore; its destruction was repeated.
    TemplateDestroyedAgain = 0x0405 "template.destroyed_again",
    /// The payload of an earlier leaf was destroyed on its own schedule; the leaf and its proofs remain.
    PayloadDestroyed = 0x0501 "payload.destroyed",
    /// A destroyed payload was found after a restore; its destruction was repeated.
    PayloadDestroyedAgain = 0x0502 "payload.destroyed_again",
    /// Evidence of destructions reached the end of its own period and was destroyed; nothing further is kept of it.
    EvidenceExpired = 0x0503 "evidence.expired",
    /// A verification was refused: by liveness, by policy or for want of a template.
    VerificationRefused = 0x0601 "verification.refused",
    /// An enrolment was refused: by liveness, by policy, or because consent ended meanwhile.
    EnrolmentRefused = 0x0602 "enrolment.refused",
    /// The consent gate refused a permit.
    PermitRefused = 0x0701 "permit.refused",
    /// A retention plan was approved, before it acts.
    RetentionPlanApproved = 0x0801 "retention.plan_approved",
    /// A retention policy came into force.
    RetentionPolicyActivated = 0x0802 "retention.policy_activated",
    /// A retention plan was executed.
    RetentionPlanExecuted = 0x0803 "retention.plan_executed",
    /// Destructions are later than the policy allows: somebody must look.
    RetentionLate = 0x0804 "retention.late",
    /// A legal hold was placed: destruction of what it covers stops.
    HoldPlaced = 0x0805 "hold.placed",
    /// A legal hold was released.
    HoldReleased = 0x0806 "hold.released",
    /// An organisation left: what it held was destroyed, but for what the payload names.
    OrganisationOffboarded = 0x0807 "organisation.offboarded",
    /// The log was continued after a restore; the payload names the gap.
    LogRecovered = 0x0901 "log.recovered",
    /// The key of the log was handed over; the payload is the `HandoverStatement`.
    LogKeyRotated = 0x0902 "log.key_rotated",
    /// The log was exported for an audit.
    LogExported = 0x0903 "log.exported",
    /// Keys of the organisation were rotated.
    KeysRotated = 0x0a01 "keys.rotated",
    /// Destroyed keys came back with a restore and were destroyed again.
    KeysRecovered = 0x0a02 "keys.recovered",
    /// A record that nothing legitimate opens was opened: somebody must look.
    HoneyTouched = 0x0a03 "honey.touched",
    /// A person was marked: processing restricted, objected to, or they are a minor.
    SubjectMarked = 0x0c01 "subject.marked",
    /// Such a mark was lifted.
    SubjectUnmarked = 0x0c02 "subject.unmarked",
    /// Something happened to a person that starts a period of retention.
    SubjectEvent = 0x0c03 "subject.event",
    /// A person was found to live under the law of a place.
    SubjectResidence = 0x0c04 "subject.residence",
    /// A person asked for something by right.
    RightsRequested = 0x0d01 "rights.requested",
    /// A request moved on: identity checked, confirmed, extended, a task done.
    RightsProgressed = 0x0d02 "rights.progressed",
    /// A request was answered.
    RightsAnswered = 0x0d03 "rights.answered",
    /// A request was refused, with the reason that the law accepts.
    RightsRefused = 0x0d04 "rights.refused",
    /// What is held about a person was exported to them.
    RightsExported = 0x0d05 "rights.exported",
    /// A fact about a person was recorded.
    FactRecorded = 0x0e01 "fact.recorded",
    /// A fact about a person was corrected.
    FactCorrected = 0x0e02 "fact.corrected",
    /// Data was disclosed to a recipient.
    DisclosureMade = 0x0f01 "disclosure.made",
    /// A disclosure was asked for and refused.
    DisclosureRefused = 0x0f02 "disclosure.refused",
    /// A recipient was ordered to delete what it had got.
    DeletionOrdered = 0x0f03 "deletion.ordered",
    /// A recipient acknowledged that it deleted.
    DeletionAcknowledged = 0x0f04 "deletion.acknowledged",
}

impl EntryKind {
    /// Whether the payload of such a leaf is about the organisation itself, is no secret, and lies under the public
    /// opening of 32 zero bytes, so that anybody can check it.
    pub const fn has_public_opening(self) -> bool {
        matches!(
            self,
            Self::HoneyTouched
                | Self::KeysRecovered
                | Self::KeysRotated
                | Self::LogExported
                | Self::LogKeyRotated
                | Self::LogRecovered
                | Self::NoticePublished
                | Self::OrganisationCreated
                | Self::RetentionPlanApproved
                | Self::EvidenceExpired
                | Self::HoldPlaced
                | Self::HoldReleased
                | Self::OrganisationOffboarded
                | Self::RetentionLate
                | Self::RetentionPlanExecuted
                | Self::RetentionPolicyActivated
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_and_names_are_distinct_and_read_back() {
        let names: BTreeSet<_> = EntryKind::ALL.map(EntryKind::name).into();
        assert_eq!(names.len(), EntryKind::ALL.len());
        let known = (0..=u16::MAX).filter_map(|code| EntryKind::from_code(code).ok()).collect::<Vec<_>>();
        assert_eq!(known, EntryKind::ALL);
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::from_name(kind.name()), Ok(kind));
        }
        assert!(EntryKind::from_name("consent.given ").is_err());
    }

    /// The table of `docs/log-format.md` is the vocabulary, in its order.
    #[test]
    fn the_specification_lists_every_kind() {
        let spec = include_str!("../docs/log-format.md");
        let rows = spec.lines().filter_map(|line| line.strip_prefix("| `0x")).collect::<Vec<_>>();
        let expected = EntryKind::ALL.map(|kind| format!("{:04x}` | `{}` |", kind.code(), kind.name()));
        assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(expected) {
            assert!(row.starts_with(&expected), "{row}");
        }
    }
}
