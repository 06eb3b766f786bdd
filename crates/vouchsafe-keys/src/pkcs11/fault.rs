//! What a return value of the token means to whoever must act.
use cryptoki::error::{Error, RvError};
use vouchsafe_envelope::KeyServiceError;

/// Why a call of the token gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The session is gone or logged out; a new one may do.
    Session,
    /// The PIN is wrong or locked. Never tried again: every try may be the last.
    Pin,
    /// The object was destroyed meanwhile.
    Gone,
    /// The token says that the ciphertext is wrong.
    Ciphertext,
    /// The token, its module or this configuration cannot do it.
    Refused,
    /// Anything else; some tokens say so for a wrong tag.
    Trouble,
    /// The token holds, or gave, what this adapter never makes.
    Corrupt,
}

impl Fault {
    pub(super) const fn as_service(self) -> KeyServiceError {
        match self {
            Self::Ciphertext => KeyServiceError::NotAuthentic,
            Self::Corrupt => KeyServiceError::Corrupt,
            Self::Gone => KeyServiceError::NoSuchKey,
            Self::Pin | Self::Refused => KeyServiceError::Denied,
            Self::Session | Self::Trouble => KeyServiceError::Unavailable,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(value, _) => of_value(value),
            Error::NotSupported | Error::NullFunctionPointer => Self::Refused,
            _ => Self::Trouble,
        }
    }
}

const fn of_value(value: RvError) -> Fault {
    use RvError as Rv;
    match value {
        Rv::CryptokiNotInitialized
        | Rv::DeviceRemoved
        | Rv::OperationActive
        | Rv::OperationNotInitialized
        | Rv::SessionClosed
        | Rv::SessionHandleInvalid
        | Rv::SlotIdInvalid
        | Rv::TokenNotPresent
        | Rv::TokenNotRecognized
        | Rv::UserNotLoggedIn => Fault::Session,
        Rv::NewPinMode
        | Rv::NextOtp
        | Rv::PinExpired
        | Rv::PinIncorrect
        | Rv::PinInvalid
        | Rv::PinLenRange
        | Rv::PinLocked
        | Rv::PinTooWeak
        | Rv::UserPinNotInitialized => Fault::Pin,
        Rv::KeyHandleInvalid | Rv::ObjectHandleInvalid => Fault::Gone,
        Rv::EncryptedDataInvalid
        | Rv::EncryptedDataLenRange
        | Rv::SignatureInvalid
        | Rv::SignatureLenRange => Fault::Ciphertext,
        Rv::ActionProhibited
        | Rv::AttributeReadOnly
        | Rv::AttributeTypeInvalid
        | Rv::AttributeValueInvalid
        | Rv::FunctionNotSupported
        | Rv::FunctionRejected
        | Rv::KeyFunctionNotPermitted
        | Rv::KeySizeRange
        | Rv::KeyTypeInconsistent
        | Rv::MechanismInvalid
        | Rv::MechanismParamInvalid
        | Rv::SessionReadOnly
        | Rv::TemplateIncomplete
        | Rv::TemplateInconsistent
        | Rv::TokenWriteProtected
        | Rv::UserAnotherAlreadyLoggedIn
        | Rv::UserTooManyTypes
        | Rv::UserTypeInvalid => Fault::Refused,
        _ => Fault::Trouble,
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn faults_are_sorted_by_who_must_act() {
        for (value, expected) in [
            (RvError::PinIncorrect, KeyServiceError::Denied),
            (RvError::PinLocked, KeyServiceError::Denied),
            (RvError::MechanismInvalid, KeyServiceError::Denied),
            (RvError::ObjectHandleInvalid, KeyServiceError::NoSuchKey),
            (RvError::EncryptedDataInvalid, KeyServiceError::NotAuthentic),
            (RvError::DeviceError, KeyServiceError::Unavailable),
            (RvError::DeviceMemory, KeyServiceError::Unavailable),
            (RvError::GeneralError, KeyServiceError::Unavailable),
            (RvError::SessionClosed, KeyServiceError::Unavailable),
            (RvError::TokenNotPresent, KeyServiceError::Unavailable),
            (RvError::VendorDefined, KeyServiceError::Unavailable),
        ] {
            let fault = Fault::from(Error::Pkcs11(value, Function::Decrypt));
            assert_eq!(fault.as_service(), expected, "{value:?}");
        }
    }
}
