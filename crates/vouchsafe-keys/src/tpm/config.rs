use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ring::digest::{Context, SHA256};
use tss_esapi::TctiNameConf;
use tss_esapi::handles::NvIndexTpmHandle;
use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_types::{Secret, SecretBytes, wipe_stack};

use crate::KeysError;

/// Where a TPM 2.0 is, which NV index of it is used, and where the file of sealed keys lies.
#[must_use]
pub struct TpmConfig {
    pub(super) tcti: TctiNameConf,
    pub(super) index: NvIndexTpmHandle,
    pub(super) auth: Secret<32>,
    pub(super) file: PathBuf,
    pub(super) strength: ErasureStrength,
}

/// NV indices that TCG's registry of reserved handles leaves to the owner.
const OWNER_INDICES: std::ops::RangeInclusive<u32> = 0x0180_0000..=0x01bf_ffff;
/// The shortest authorization secret, in bytes.
const MIN_AUTH_LEN: usize = 16;
const AUTH_LABEL: &[u8] = b"vouchsafe tpm auth v1\0";

impl TpmConfig {
    /// Names a TPM by its TCTI (`device:/dev/tpmrm0`, `swtpm:host=127.0.0.1,port=2321`, `tabrmd`), an NV
    /// index in `0x01800000..=0x01bfffff` and the file of sealed keys.
    ///
    /// `auth` authorizes the use of the index: at least 16 bytes, and best as many random ones, because the
    /// TPM does not slow down who guesses it (see [`Tpm`](crate::Tpm)). Of `device:` take the resource
    /// manager's (`tpmrm0`): on a raw device the sessions of a killed process stay until the next reset.
    ///
    /// # Errors
    /// [`KeysError::Misconfigured`] for a TCTI that cannot be read, another index or a shorter secret.
    pub fn new(
        tcti: &str,
        nv_index: u32,
        auth: &SecretBytes,
        file: impl Into<PathBuf>,
    ) -> Result<Self, KeysError> {
        let index = NvIndexTpmHandle::new(nv_index).map_err(|_| KeysError::Misconfigured)?;
        if !OWNER_INDICES.contains(&nv_index) || auth.expose_secret().len() < MIN_AUTH_LEN {
            return Err(KeysError::Misconfigured);
        }
        Ok(Self {
            tcti: TctiNameConf::from_str(tcti).map_err(|_| KeysError::Misconfigured)?,
            index,
            auth: auth_value(auth),
            file: file.into(),
            strength: ErasureStrength::HostOnly,
        })
    }

    /// Declares how strong a destruction at this TPM is; without it, [`ErasureStrength::HostOnly`].
    ///
    /// [`ErasureStrength::ServiceExcludedFromBackup`] is right for a TPM chip, whose NV memory nobody copies.
    /// It is wrong for a virtual TPM: its NV memory is a file of some host, and in that host's snapshots.
    ///
    /// # Errors
    /// [`KeysError::Misconfigured`] for [`ErasureStrength::ServiceAttested`]: a TPM signs no such statement.
    pub fn declared(mut self, strength: ErasureStrength) -> Result<Self, KeysError> {
        if strength == ErasureStrength::ServiceAttested {
            return Err(KeysError::Misconfigured);
        }
        self.strength = strength;
        Ok(self)
    }
}

impl fmt::Debug for TpmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TpmConfig").field("strength", &self.strength).finish_non_exhaustive()
    }
}

/// `SHA-256("vouchsafe tpm auth v1" || 0x00 || secret)`, the lowest bit of the last byte set.
///
/// An authorization value is at most as long as the index's name digest, and a TPM drops zero bytes at its
/// end.
fn auth_value(auth: &SecretBytes) -> Secret<32> {
    let value = Secret::init_with(|out| {
        let mut context = Context::new(&SHA256);
        context.update(AUTH_LABEL);
        context.update(auth.expose_secret());
        out.copy_from_slice(context.finish().as_ref());
        if let Some(last) = out.last_mut() {
            *last |= 1;
        }
    });
    wipe_stack();
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(tcti: &str, index: u32, auth: &[u8]) -> Result<TpmConfig, KeysError> {
        TpmConfig::new(tcti, index, &SecretBytes::new(auth.to_vec()), "keys")
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let auth = [7; 16];
        for tcti in ["device:/dev/tpmrm0", "device", "swtpm:host=127.0.0.1,port=2321", "tabrmd"] {
            assert!(config(tcti, 0x0180_0000, &auth).is_ok(), "{tcti}");
        }
        for tcti in ["", "tcp", "devices:/dev/tpmrm0", "swtpm:port=65536", "libtss2-tcti-cmd.so"] {
            assert_eq!(config(tcti, 0x0180_0000, &auth).unwrap_err(), KeysError::Misconfigured, "{tcti}");
        }
        for index in [0, 0x017f_ffff, 0x01c0_0002, 0x8100_0001, 0x0280_0000, u32::MAX] {
            assert_eq!(config("device", index, &auth).unwrap_err(), KeysError::Misconfigured, "{index:x}");
        }
        assert!(config("device", 0x01bf_ffff, &auth).is_ok());
        assert_eq!(config("device", 0x0180_0000, &auth[1..]).unwrap_err(), KeysError::Misconfigured);
    }

    #[test]
    fn a_strength_that_a_tpm_does_not_have_cannot_be_declared() {
        let config = || config("device", 0x0180_0000, &[7; 16]).unwrap();
        assert_eq!(config().strength, ErasureStrength::HostOnly);
        let declared = config().declared(ErasureStrength::ServiceExcludedFromBackup).unwrap();
        assert_eq!(declared.strength, ErasureStrength::ServiceExcludedFromBackup);
        assert_eq!(
            config().declared(ErasureStrength::ServiceAttested).unwrap_err(),
            KeysError::Misconfigured
        );
        assert_eq!(format!("{declared:?}"), "TpmConfig { strength: ServiceExcludedFromBackup, .. }");
    }

    /// The same value in a shell, but for the lowest bit: `printf 'vouchsafe tpm auth v1\0pass word pass
    /// word' | sha256sum`.
    #[test]
    fn the_authorization_value_is_fixed() {
        let hex = |auth: &[u8]| {
            let value = auth_value(&SecretBytes::new(auth.to_vec()));
            value.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        assert_eq!(
            hex(b"pass word pass word"),
            "ab8350f992a5747fe7a40e8487779c19079312e60b0c61ff28d2c4ad1fddcbaf"
        );
        assert!((0..64).all(|n| hex(&[n; 16]).ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f'])));
    }
}
