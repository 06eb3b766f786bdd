//! The TPM commands that a root secret in an NV index takes, each in a session of its own.
//!
//! Every session is an HMAC session salted by the storage root key, and encrypts the secret on its way
//! (AES-128-CFB): who listens on the bus reads neither the secret nor the authorization value, and cannot
//! guess the latter. Who replaces what passes over the bus could feign another salt key; the secret is then
//! still encrypted under the authorization value, which is why that is no short PIN.
use tss_esapi::attributes::{
    NvIndexAttributes, NvIndexAttributesBuilder, ObjectAttributesBuilder, SessionAttributesBuilder,
};
use tss_esapi::constants::SessionType;
use tss_esapi::constants::response_code::Tss2ResponseCodeKind;
use tss_esapi::handles::{
    KeyHandle, NvIndexHandle, ObjectHandle, PersistentTpmHandle, SessionHandle, TpmHandle,
};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::dynamic_handles::Persistent;
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::resource_handles::{Hierarchy, NvAuth, Provision};
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{
    Auth, EccPoint, MaxNvBuffer, NvPublic, Public, PublicBuilder, PublicEccParametersBuilder,
    SymmetricDefinition, SymmetricDefinitionObject,
};
use tss_esapi::{Context, Error};
use vouchsafe_types::{Secret, SecretBytes, wipe_stack};

use crate::{KeysError, TpmConfig};

/// The storage root key's handle in TCG's provisioning guidance.
const STORAGE_ROOT_KEY: u32 = 0x8100_0001;
/// Bytes of the root secret.
const ROOT_LEN: u16 = 32;

/// A connection to the TPM. Whoever holds it holds the lock of the file of keys.
pub(super) struct Device<'a> {
    context: Context,
    config: &'a TpmConfig,
}

/// Which way a session encrypts the first parameter, in TCG's words.
#[derive(Clone, Copy)]
enum Parameter {
    /// The command's.
    Decrypt,
    /// The response's.
    Encrypt,
    /// Neither is secret.
    Plain,
}

impl<'a> Device<'a> {
    pub(super) fn connect(config: &'a TpmConfig) -> Result<Self, KeysError> {
        let context = Context::new(config.tcti.clone()).map_err(failed)?;
        Ok(Self { context, config })
    }

    /// Reads the root secret.
    pub(super) fn read_root(&mut self) -> Result<Secret<32>, KeysError> {
        let index = self.authorized_index()?;
        let read = self.in_session(Parameter::Encrypt, |context| {
            context.nv_read(NvAuth::NvIndex(index), index, ROOT_LEN, 0)
        });
        wipe_stack();
        Secret::copy_from_slice(read?.value()).ok_or(KeysError::Corrupt)
    }

    /// Overwrites the root secret: the one that was there is gone.
    ///
    /// After an error it may have been overwritten or not.
    pub(super) fn write_root(&mut self, root: &Secret<32>) -> Result<(), KeysError> {
        let index = self.authorized_index()?;
        let data = MaxNvBuffer::try_from(root.expose_secret().as_slice()).map_err(failed)?;
        let written = self.in_session(Parameter::Decrypt, |context| {
            context.nv_write(NvAuth::NvIndex(index), index, data, 0)
        });
        wipe_stack();
        written
    }

    /// Whether the NV index exists.
    pub(super) fn is_defined(&mut self) -> Result<bool, KeysError> {
        match self.index() {
            Ok(_) => Ok(true),
            Err(KeysError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Refuses an NV index that [`Self::define`] did not make.
    pub(super) fn check_index(&mut self) -> Result<(), KeysError> {
        let index = self.index()?;
        let (public, _) = self.context.nv_read_public(index).map_err(failed)?;
        let attributes = NvIndexAttributesBuilder::with_attributes(public.attributes()).with_written(false);
        let ours = attributes.build().map_err(failed)? == attributes_of_index()?
            && public.data_size() == usize::from(ROOT_LEN);
        if ours { Ok(()) } else { Err(KeysError::NotAuthentic) }
    }

    /// Defines the NV index; its contents are written afterwards.
    pub(super) fn define(&mut self, owner: &SecretBytes) -> Result<(), KeysError> {
        let public = NvPublic::builder()
            .with_nv_index(self.config.index)
            .with_index_name_algorithm(HashingAlgorithm::Sha256)
            .with_index_attributes(attributes_of_index()?)
            .with_data_area_size(usize::from(ROOT_LEN))
            .build()
            .map_err(failed)?;
        let auth = self.auth()?;
        self.authorize_owner(owner)?;
        self.in_session(Parameter::Decrypt, |context| {
            context.nv_define_space(Provision::Owner, Some(auth), public)
        })?;
        Ok(())
    }

    /// Removes the NV index and the root secret with it.
    pub(super) fn undefine(&mut self, owner: &SecretBytes) -> Result<(), KeysError> {
        let index = self.index()?;
        self.authorize_owner(owner)?;
        self.in_session(Parameter::Plain, |context| context.nv_undefine_space(Provision::Owner, index))
    }

    /// Makes the storage root key if the TPM has none.
    pub(super) fn ensure_storage_root_key(&mut self, owner: &SecretBytes) -> Result<(), KeysError> {
        match self.storage_root_key() {
            Err(KeysError::Missing) => {}
            other => return other.map(drop),
        }
        self.authorize_owner(owner)?;
        let persistent = Persistent::Persistent(persistent_handle()?);
        let template = storage_root_template().map_err(failed)?;
        let made = self.context.execute_with_session(Some(AuthSession::Password), |context| {
            let made = context.create_primary(Hierarchy::Owner, template, None, None, None, None)?;
            context.evict_control(Provision::Owner, made.key_handle.into(), persistent).map(drop)
        });
        made.map_err(failed)
    }

    fn authorized_index(&mut self) -> Result<NvIndexHandle, KeysError> {
        let (index, auth) = (self.index()?, self.auth()?);
        self.context.tr_set_auth(index.into(), auth).map_err(failed)?;
        Ok(index)
    }

    fn index(&mut self) -> Result<NvIndexHandle, KeysError> {
        let handle = TpmHandle::NvIndex(self.config.index);
        self.context.tr_from_tpm_public(handle).map(NvIndexHandle::from).map_err(failed)
    }

    fn storage_root_key(&mut self) -> Result<KeyHandle, KeysError> {
        let handle = TpmHandle::Persistent(persistent_handle()?);
        self.context.tr_from_tpm_public(handle).map(KeyHandle::from).map_err(failed)
    }

    fn auth(&self) -> Result<Auth, KeysError> {
        Auth::try_from(self.config.auth.expose_secret().as_slice()).map_err(failed)
    }

    fn authorize_owner(&mut self, owner: &SecretBytes) -> Result<(), KeysError> {
        let auth = Auth::try_from(owner.expose_secret()).map_err(|_| KeysError::Misconfigured)?;
        self.context.tr_set_auth(ObjectHandle::Owner, auth).map_err(failed)
    }

    fn in_session<T>(
        &mut self,
        parameter: Parameter,
        act: impl FnOnce(&mut Context) -> Result<T, Error>,
    ) -> Result<T, KeysError> {
        let salt_key = self.storage_root_key()?;
        let (hmac, aes, hash) =
            (SessionType::Hmac, SymmetricDefinition::AES_128_CFB, HashingAlgorithm::Sha256);
        let session = self.context.start_auth_session(Some(salt_key), None, None, hmac, aes, hash);
        let session = session.map_err(failed)?.ok_or(KeysError::Unavailable)?;
        let answer = self
            .configure(session, parameter)
            .and_then(|()| self.context.execute_with_session(Some(session), act).map_err(failed));
        // Without this the session stays until the connection ends. The answer stands, whatever comes of it.
        let _ = self.context.flush_context(SessionHandle::from(session).into());
        answer
    }

    fn configure(&mut self, session: AuthSession, parameter: Parameter) -> Result<(), KeysError> {
        let (attributes, mask) = SessionAttributesBuilder::new()
            .with_decrypt(matches!(parameter, Parameter::Decrypt))
            .with_encrypt(matches!(parameter, Parameter::Encrypt))
            .build();
        self.context.tr_sess_set_attributes(session, attributes, mask).map_err(failed)
    }
}

fn persistent_handle() -> Result<PersistentTpmHandle, KeysError> {
    PersistentTpmHandle::new(STORAGE_ROOT_KEY).map_err(failed)
}

/// Read and written by its own authorization value only, outside the dictionary attack logic.
fn attributes_of_index() -> Result<NvIndexAttributes, KeysError> {
    NvIndexAttributesBuilder::new()
        .with_auth_read(true)
        .with_auth_write(true)
        .with_no_da(true)
        .build()
        .map_err(failed)
}

/// A storage key on NIST P-256, outside the dictionary attack logic, with no authorization value.
fn storage_root_template() -> Result<Public, Error> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let cipher = SymmetricDefinitionObject::AES_128_CFB;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_ecc_parameters(
            PublicEccParametersBuilder::new_restricted_decryption_key(cipher, EccCurve::NistP256).build()?,
        )
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}

/// Sorts a response by who must act; what is not the caller's or the operator's is the environment's.
fn failed(error: Error) -> KeysError {
    use Tss2ResponseCodeKind as Kind;
    let kind = match error {
        Error::Tss2Error(code) => code.kind(),
        Error::WrapperError(_) => None,
    };
    match kind {
        Some(Kind::AuthFail | Kind::BadAuth | Kind::Lockout | Kind::NvAuthorization | Kind::NvLocked) => {
            KeysError::TooOpen
        }
        Some(Kind::Attributes | Kind::NvRange | Kind::NvUninitialized) => KeysError::Corrupt,
        Some(Kind::Handle) => KeysError::Missing,
        Some(Kind::NvDefined) => KeysError::Exists,
        _ => KeysError::Unavailable,
    }
}
