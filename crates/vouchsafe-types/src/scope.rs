use crate::TypeError;

/// What is measured of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Modality {
    /// A face: 512-d embeddings.
    Face,
    /// A voice: 192-d embeddings.
    Voice,
}

/// In which capacity a person consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// Somebody who administers the organisation's account.
    Administrator,
    /// Somebody whose identity the organisation verifies.
    EndUser,
}

/// Why personal data is used. The list is closed: sale, lease, trade and training cannot be expressed.
///
/// Promise: WB-2-exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the notices' six purposes; a seventh is a breaking change on purpose"
)]
pub enum Purpose {
    /// Keeping evidence of what was done.
    Audit,
    /// Messages to the person.
    Communication,
    /// Finding duplicate or forged identities; opens a template.
    FraudPrevention,
    /// Tokens for the person's agents.
    PresenceToken,
    /// Security and performance of the service.
    ServiceSecurity,
    /// Confirming that a person is who they claim to be; opens a template.
    Verification,
}

impl Purpose {
    /// Whether a biometric template may be opened for this purpose.
    pub const fn opens_template(self) -> bool {
        matches!(self, Self::FraudPrevention | Self::Verification)
    }
}

/// What one act of consent covers: modality × role × purpose.
///
/// A purpose that opens a template has a modality; the others have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    modality: Option<Modality>,
    role: Role,
    purpose: Purpose,
}

impl Scope {
    /// An end user's face, for verification.
    pub const FACE_VERIFICATION: Self =
        Self { modality: Some(Modality::Face), role: Role::EndUser, purpose: Purpose::Verification };
    /// An administrator's face, for verification (the second factor).
    pub const ADMIN_FACE_VERIFICATION: Self =
        Self { modality: Some(Modality::Face), role: Role::Administrator, purpose: Purpose::Verification };

    /// Combines the three parts.
    ///
    /// # Errors
    /// [`TypeError::Scope`] when a purpose that opens a template lacks a modality, or another has one.
    pub const fn new(modality: Option<Modality>, role: Role, purpose: Purpose) -> Result<Self, TypeError> {
        if modality.is_some() == purpose.opens_template() {
            Ok(Self { modality, role, purpose })
        } else {
            Err(TypeError::Scope)
        }
    }

    /// Every scope that opens a template, in a fixed order.
    pub fn all_biometric() -> impl Iterator<Item = Self> {
        let modalities = [Modality::Face, Modality::Voice];
        let roles = [Role::Administrator, Role::EndUser];
        let purposes = [Purpose::FraudPrevention, Purpose::Verification];
        modalities.into_iter().flat_map(move |modality| {
            roles.into_iter().flat_map(move |role| {
                purposes.into_iter().map(move |purpose| Self { modality: Some(modality), role, purpose })
            })
        })
    }

    /// What is measured, where the purpose opens a template.
    pub const fn modality(self) -> Option<Modality> {
        self.modality
    }

    /// In which capacity.
    pub const fn role(self) -> Role {
        self.role
    }

    /// Why.
    pub const fn purpose(self) -> Purpose {
        self.purpose
    }

    /// The stable three-byte code used in rows, contexts and leaves: modality, role, purpose.
    pub const fn code(self) -> [u8; 3] {
        let modality = match self.modality {
            None => 0,
            Some(Modality::Face) => 1,
            Some(Modality::Voice) => 2,
        };
        let role = match self.role {
            Role::Administrator => 1,
            Role::EndUser => 2,
        };
        let purpose = match self.purpose {
            Purpose::Verification => 1,
            Purpose::FraudPrevention => 2,
            Purpose::PresenceToken => 3,
            Purpose::Audit => 4,
            Purpose::Communication => 5,
            Purpose::ServiceSecurity => 6,
        };
        [modality, role, purpose]
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub const fn from_code(code: [u8; 3]) -> Result<Self, TypeError> {
        let [modality, role, purpose] = code;
        let modality = match modality {
            0 => None,
            1 => Some(Modality::Face),
            2 => Some(Modality::Voice),
            _ => return Err(TypeError::UnknownCode),
        };
        let role = match role {
            1 => Role::Administrator,
            2 => Role::EndUser,
            _ => return Err(TypeError::UnknownCode),
        };
        let purpose = match purpose {
            1 => Purpose::Verification,
            2 => Purpose::FraudPrevention,
            3 => Purpose::PresenceToken,
            4 => Purpose::Audit,
            5 => Purpose::Communication,
            6 => Purpose::ServiceSecurity,
            _ => return Err(TypeError::UnknownCode),
        };
        match Self::new(modality, role, purpose) {
            Ok(scope) => Ok(scope),
            Err(_) => Err(TypeError::UnknownCode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: WB-2-exclusive
    #[test]
    fn only_two_purposes_open_a_template_and_every_code_reads_back() {
        let mut opened = 0;
        for bytes in 0..=0xff_ff_ffu32 {
            let [_, modality, role, purpose] = bytes.to_be_bytes();
            if let Ok(scope) = Scope::from_code([modality, role, purpose]) {
                assert_eq!(scope.code(), [modality, role, purpose]);
                assert_eq!(scope.modality().is_some(), scope.purpose().opens_template());
                opened += usize::from(scope.purpose().opens_template());
            }
        }
        assert_eq!(opened, Scope::all_biometric().count());
        assert_eq!(opened, 2 * 2 * 2, "modality x role x the two purposes that open a template");
    }

    #[test]
    fn communication_has_no_modality() {
        assert_eq!(
            Scope::new(Some(Modality::Face), Role::EndUser, Purpose::Communication),
            Err(TypeError::Scope)
        );
        assert_eq!(Scope::new(None, Role::EndUser, Purpose::Verification), Err(TypeError::Scope));
    }
}
