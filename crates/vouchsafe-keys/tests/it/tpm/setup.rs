#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tss_esapi::attributes::NvIndexAttributesBuilder;
use tss_esapi::handles::{NvIndexHandle, NvIndexTpmHandle, ObjectHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::resource_handles::{NvAuth, Provision};
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{Auth, NvPublic};
use tss_esapi::{Context, TctiNameConf};
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_keys::{KeysError, Tpm, TpmConfig};
use vouchsafe_testkit::services::swtpm::Swtpm;
use vouchsafe_types::{Secret, SecretBytes};

use crate::setup::acme;

/// The first index that TCG leaves to the owner.
pub(crate) const INDEX: u32 = 0x0180_0000;
pub(crate) const AUTH: &[u8] = b"correct horse battery staple";

/// A software TPM of its own and a folder for the file of keys.
pub(crate) struct Host {
    pub(crate) tpm: Swtpm,
    folder: tempfile::TempDir,
}

impl Host {
    /// `None` where there is no `swtpm`.
    pub(crate) fn new() -> Option<Self> {
        Some(Self { tpm: Swtpm::new().unwrap()?, folder: tempfile::tempdir().unwrap() })
    }

    pub(crate) fn provisioned() -> Option<Self> {
        let host = Self::new()?;
        Tpm::provision(host.config(), &no_auth()).unwrap();
        Some(host)
    }

    pub(crate) fn config(&self) -> TpmConfig {
        self.config_over(&self.tpm.tcti())
    }

    pub(crate) fn config_over(&self, tcti: &str) -> TpmConfig {
        TpmConfig::new(tcti, INDEX, &SecretBytes::new(AUTH.to_vec()), self.file()).unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// What an interrupted destruction leaves.
    pub(crate) fn fresh(&self) -> PathBuf {
        self.folder.path().join("keys.next")
    }

    /// A folder for a copy of the TPM's state.
    pub(crate) fn snapshot(&self) -> PathBuf {
        self.folder.path().join("snapshot")
    }

    pub(crate) fn open(&self) -> Result<Tpm, KeysError> {
        Tpm::open(self.config())
    }

    pub(crate) fn service(&self) -> Arc<Tpm> {
        Arc::new(self.open().unwrap())
    }

    pub(crate) fn held(&self) -> Vec<u64> {
        self.service().list(&acme()).unwrap().iter().map(KeyHandle::generation).collect()
    }
}

/// Writes a file as the service has it, mode 0600.
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn handle(generation: u64) -> KeyHandle {
    KeyHandle::new(acme(), generation)
}

pub(crate) fn secret(value: u8) -> Secret<32> {
    Secret::init_with(|bytes| bytes.fill(value))
}

pub(crate) fn no_auth() -> SecretBytes {
    SecretBytes::new(Vec::new())
}

/// Whether a wrap opens to this secret.
pub(crate) fn opens(service: &dyn KeyService, generation: u64, wrapped: &[u8], value: u8) -> bool {
    let opened = service.unwrap(&handle(generation), wrapped, b"context");
    opened.is_ok_and(|opened| opened.expose_secret() == secret(value).expose_secret())
}

pub(crate) fn wrap(service: &dyn KeyService, generation: u64, value: u8) -> Vec<u8> {
    service.wrap(&handle(generation), &secret(value), b"context").unwrap()
}

/// `SHA-256("vouchsafe tpm auth v1" || 0x00 || secret)`, as the documentation has it.
pub(crate) fn auth_value() -> Vec<u8> {
    let mut input = b"vouchsafe tpm auth v1\0".to_vec();
    input.extend_from_slice(AUTH);
    let mut value = ring::digest::digest(&ring::digest::SHA256, &input).as_ref().to_vec();
    value[31] |= 1;
    value
}

/// Reads the root secret as no careful program does: the password and the secret pass in clear.
pub(crate) fn root_in_clear(tcti: &str) -> Vec<u8> {
    let (mut context, index) = index_of(tcti);
    context.tr_set_auth(index.into(), Auth::try_from(auth_value()).unwrap()).unwrap();
    let read = context.execute_with_session(Some(AuthSession::Password), |context| {
        context.nv_read(NvAuth::NvIndex(index), index, 32, 0)
    });
    read.unwrap().to_vec()
}

/// Defines an index at our place as other software may have: the owner reads it.
pub(crate) fn define_foreign_index(tcti: &str) {
    let mut context = Context::new(tcti.parse::<TctiNameConf>().unwrap()).unwrap();
    let attributes = NvIndexAttributesBuilder::new()
        .with_auth_read(true)
        .with_auth_write(true)
        .with_owner_read(true)
        .with_no_da(true)
        .build();
    let public = NvPublic::builder()
        .with_nv_index(NvIndexTpmHandle::new(INDEX).unwrap())
        .with_index_name_algorithm(HashingAlgorithm::Sha256)
        .with_index_attributes(attributes.unwrap())
        .with_data_area_size(32)
        .build();
    let defined = context.execute_with_session(Some(AuthSession::Password), |context| {
        context.nv_define_space(Provision::Owner, None, public.unwrap())
    });
    defined.unwrap();
}

/// Removes the index as its owner.
pub(crate) fn undefine_index(tcti: &str) {
    let (mut context, index) = index_of(tcti);
    let gone = context.execute_with_session(Some(AuthSession::Password), |context| {
        context.nv_undefine_space(Provision::Owner, index)
    });
    gone.unwrap();
}

fn index_of(tcti: &str) -> (Context, NvIndexHandle) {
    let mut context = Context::new(tcti.parse::<TctiNameConf>().unwrap()).unwrap();
    let handle = TpmHandle::NvIndex(NvIndexTpmHandle::new(INDEX).unwrap());
    let object: ObjectHandle = context.tr_from_tpm_public(handle).unwrap();
    (context, object.into())
}
