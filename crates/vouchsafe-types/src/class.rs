use crate::TypeError;

/// A kind of stored data with its own purpose, retention rule and key-tree leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DataClass {
    /// Name, e-mail, organisation, password hash.
    Account,
    /// Who administered what, when.
    AuditLog,
    /// Billing name, address, transaction metadata.
    Billing,
    /// Protected templates.
    Biometric,
    /// What was consented, to which notice, how and when.
    ConsentEvidence,
    /// What was destroyed, when and why.
    DestructionEvidence,
    /// To whom data was disclosed, on which basis, and whom deletion was ordered of.
    Disclosure,
    /// What a person asked for by right, and what became of it.
    RightsRequest,
    /// Messages to support or sales.
    Support,
    /// Pages, times, referrers, device, city.
    Usage,
    /// That a verification took place, and its verdict.
    VerificationLog,
}

impl DataClass {
    /// Every class, in the order of its code.
    pub const ALL: [Self; 11] = [
        Self::Biometric,
        Self::ConsentEvidence,
        Self::Account,
        Self::Billing,
        Self::Support,
        Self::Usage,
        Self::VerificationLog,
        Self::AuditLog,
        Self::DestructionEvidence,
        Self::RightsRequest,
        Self::Disclosure,
    ];

    /// The stable code used in rows, contexts and key-tree indices, 1 to 11.
    pub const fn code(self) -> u8 {
        match self {
            Self::Biometric => 1,
            Self::ConsentEvidence => 2,
            Self::Account => 3,
            Self::Billing => 4,
            Self::Support => 5,
            Self::Usage => 6,
            Self::VerificationLog => 7,
            Self::AuditLog => 8,
            Self::DestructionEvidence => 9,
            Self::RightsRequest => 10,
            Self::Disclosure => 11,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code outside 1 to 11.
    pub fn from_code(code: u8) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|class| class.code() == code).ok_or(TypeError::UnknownCode)
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|class| class.name() == name).ok_or(TypeError::UnknownCode)
    }

    /// The stable name used in policy packs and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::AuditLog => "audit_log",
            Self::Billing => "billing",
            Self::Biometric => "biometric",
            Self::ConsentEvidence => "consent_evidence",
            Self::DestructionEvidence => "destruction_evidence",
            Self::Disclosure => "disclosure",
            Self::RightsRequest => "rights_request",
            Self::Support => "support",
            Self::Usage => "usage",
            Self::VerificationLog => "verification_log",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_distinct_and_read_back() {
        for (i, class) in DataClass::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(class.code()), i + 1);
            assert_eq!(DataClass::from_code(class.code()), Ok(class));
            assert_eq!(DataClass::parse(class.name()), Ok(class));
        }
        assert_eq!(DataClass::from_code(0), Err(TypeError::UnknownCode));
        assert_eq!(DataClass::from_code(12), Err(TypeError::UnknownCode));
    }
}
