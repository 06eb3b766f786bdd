use vouchsafe_types::{Digest, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use crate::{ConsentError, Notice};

/// How a person expressed consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Act {
    /// Ticked an unticked box beside the notice.
    Checkbox,
    /// Typed their name as an electronic signature (740 ILCS 14/10, P.A. 103-0769).
    TypedSignature,
}

impl Act {
    /// The stable code used in rows and payloads.
    pub const fn code(self) -> u8 {
        match self {
            Self::Checkbox => 1,
            Self::TypedSignature => 2,
        }
    }
}

/// Where a line of consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentState {
    /// No act was recorded.
    Absent,
    /// The person consented to the notice with this digest.
    Given {
        /// SHA-256 of the bytes shown.
        notice: Digest,
        /// When.
        at: Timestamp,
    },
    /// The person withdrew.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

/// The consent of one person for one scope, with the number of its newest act.
///
/// The sequence number starts at 0 (no act) and grows by one with every act. A permit is bound to it, and the
/// transaction that commits what the permit allowed reads it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentLine {
    organisation: OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    sequence: u64,
    state: ConsentState,
}

impl ConsentLine {
    /// The line of a person who has not acted yet.
    pub const fn absent(organisation: OrganisationId, subject: SubjectPseudonym, scope: Scope) -> Self {
        Self { organisation, subject, scope, sequence: 0, state: ConsentState::Absent }
    }

    pub(crate) const fn stored(
        organisation: OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
        sequence: u64,
        state: ConsentState,
    ) -> Self {
        Self { organisation, subject, scope, sequence, state }
    }

    /// The line after the person consents to a notice; also renews a given consent.
    ///
    /// # Errors
    /// [`ConsentError::BackDated`] when `now` is before the line's newest act.
    pub fn give(&self, notice: &Notice, now: Timestamp) -> Result<Self, ConsentError> {
        self.next(ConsentState::Given { notice: notice.digest(), at: now }, now)
    }

    /// The line after the person withdraws. A clock that went back never stands in the way: the withdrawal is then
    /// dated as the act it follows.
    ///
    /// # Errors
    /// [`ConsentError::NothingToWithdraw`] when no consent is given.
    pub fn withdraw(&self, now: Timestamp) -> Result<Self, ConsentError> {
        match self.state {
            ConsentState::Given { at, .. } => {
                let at = now.max(at);
                self.next(ConsentState::Withdrawn { at }, at)
            }
            ConsentState::Absent | ConsentState::Withdrawn { .. } => Err(ConsentError::NothingToWithdraw),
        }
    }

    fn next(&self, state: ConsentState, now: Timestamp) -> Result<Self, ConsentError> {
        match self.state {
            ConsentState::Given { at, .. } | ConsentState::Withdrawn { at } if now < at => {
                Err(ConsentError::BackDated)
            }
            _ => Ok(Self { sequence: self.sequence + 1, state, ..self.clone() }),
        }
    }

    /// Whose tenant.
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// Whose consent.
    pub const fn subject(&self) -> SubjectPseudonym {
        self.subject
    }

    /// For what.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The number of the newest act; 0 when there is none.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where the line stands.
    pub const fn state(&self) -> ConsentState {
        self.state
    }
}
