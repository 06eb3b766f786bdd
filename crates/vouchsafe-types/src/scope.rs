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

impl Modality {
    /// Every value, in the order of its code.
    pub const ALL: [Self; 2] = [Self::Face, Self::Voice];

    /// The stable code used in rows and contexts, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Face => 1,
            Self::Voice => 2,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|value| value.code() == code).ok_or(TypeError::UnknownCode)
    }

    /// The stable name used in scope names and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Voice => "voice",
        }
    }
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

impl Role {
    /// Every value, in the order of its code.
    pub const ALL: [Self; 2] = [Self::Administrator, Self::EndUser];

    /// The stable code used in rows and contexts, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Administrator => 1,
            Self::EndUser => 2,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|value| value.code() == code).ok_or(TypeError::UnknownCode)
    }

    /// The stable name used in scope names and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::EndUser => "end_user",
        }
    }
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
    /// Every value, in the order of its code.
    pub const ALL: [Self; 6] = [
        Self::Verification,
        Self::FraudPrevention,
        Self::PresenceToken,
        Self::Audit,
        Self::Communication,
        Self::ServiceSecurity,
    ];

    /// The stable code used in rows and contexts, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Verification => 1,
            Self::FraudPrevention => 2,
            Self::PresenceToken => 3,
            Self::Audit => 4,
            Self::Communication => 5,
            Self::ServiceSecurity => 6,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|value| value.code() == code).ok_or(TypeError::UnknownCode)
    }

    /// The stable name used in scope names and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::FraudPrevention => "fraud_prevention",
            Self::PresenceToken => "presence_token",
            Self::Audit => "audit",
            Self::Communication => "communication",
            Self::ServiceSecurity => "service_security",
        }
    }

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
        Self::all().filter(|scope| scope.modality.is_some())
    }

    /// Every scope, biometric and not, in the order of its code.
    pub fn all() -> impl Iterator<Item = Self> {
        let modalities = [None, Some(Modality::Face), Some(Modality::Voice)];
        modalities.into_iter().flat_map(|modality| {
            Role::ALL.into_iter().flat_map(move |role| {
                let scopes = Purpose::ALL.into_iter().map(move |purpose| Self::new(modality, role, purpose));
                scopes.filter_map(Result::ok)
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
            Some(modality) => modality.code(),
        };
        [modality, self.role.code(), self.purpose.code()]
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: [u8; 3]) -> Result<Self, TypeError> {
        let [modality, role, purpose] = code;
        let modality = if modality == 0 { None } else { Some(Modality::from_code(modality)?) };
        Self::new(modality, Role::from_code(role)?, Purpose::from_code(purpose)?)
            .map_err(|_| TypeError::UnknownCode)
    }

    /// The stable name: `modality.role.purpose`, for example `face.end_user.verification`, or `role.purpose` where
    /// the purpose opens no template, for example `end_user.communication`.
    pub fn name(self) -> String {
        let tail = format!("{}.{}", self.role.name(), self.purpose.name());
        match self.modality {
            None => tail,
            Some(modality) => format!("{}.{tail}", modality.name()),
        }
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`TypeError::Scope`] for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Result<Self, TypeError> {
        Self::all().find(|scope| scope.name() == name).ok_or(TypeError::Scope)
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
    fn every_scope_has_a_name_of_its_own() {
        assert_eq!(Scope::all().count(), 2 * 4 + 2 * 2 * 2);
        assert!(Scope::all().map(Scope::code).is_sorted(), "the order of the codes");
        for scope in Scope::all() {
            assert_eq!(Scope::parse(&scope.name()), Ok(scope));
        }
        assert_eq!(Scope::FACE_VERIFICATION.name(), "face.end_user.verification");
        let mail = Scope::new(None, Role::EndUser, Purpose::Communication).unwrap();
        assert_eq!(mail.name(), "end_user.communication");
        for bad in ["", "face.end_user", "face.end_user.communication", "Face.end_user.verification"] {
            assert_eq!(Scope::parse(bad), Err(TypeError::Scope), "{bad}");
        }
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
