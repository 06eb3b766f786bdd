use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::envelope::port::KeyService;
use vouchsafe_keys::{Pkcs11, Pkcs11Config, TokenName};

use super::Declared;
use crate::CliError;
use crate::settings::SettingsFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    module: PathBuf,
    token_label: Option<String>,
    token_serial: Option<String>,
    pin_file: Option<PathBuf>,
    pin_env: Option<String>,
    lock_file: Option<PathBuf>,
    strength: Option<Declared>,
}

pub(super) fn open(file: &SettingsFile) -> Result<Arc<dyn KeyService>, CliError> {
    let settings: Settings = file.settings()?;
    let token = match (settings.token_label, settings.token_serial) {
        (Some(label), None) => TokenName::Label(label),
        (None, Some(serial)) => TokenName::Serial(serial),
        _ => return Err(file.fault("one of `token-label` and `token-serial` is needed")),
    };
    let pin = file.needed("the pin", settings.pin_file.as_ref(), settings.pin_env.as_ref())?;
    let mut config = Pkcs11Config::new(file.path(&settings.module), token, pin);
    if let Some(lock) = settings.lock_file {
        config = config.with_lock_file(file.path(&lock));
    }
    if let Some(declared) = settings.strength {
        config = config.with_strength(declared.into());
    }
    Ok(Arc::new(Pkcs11::open(config)?))
}
