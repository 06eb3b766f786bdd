use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::envelope::port::KeyService;
use vouchsafe_keys::{OpenBao, OpenBaoConfig, OpenBaoCredentials};

use crate::settings::SettingsFile;
use crate::{CliError, files};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    address: String,
    ca_certificates: Option<PathBuf>,
    token_file: Option<PathBuf>,
    token_env: Option<String>,
    role_id: Option<String>,
    secret_id_file: Option<PathBuf>,
    secret_id_env: Option<String>,
    mount: Option<String>,
    prefix: Option<String>,
    timeout_ms: Option<u32>,
    #[serde(default)]
    plaintext_loopback: bool,
    #[serde(default)]
    storage_excluded_from_backup: bool,
}

pub(super) fn open(file: &SettingsFile) -> Result<Arc<dyn KeyService>, CliError> {
    let settings: Settings = file.settings()?;
    let credentials = credentials(file, &settings)?;
    let read = |path: &PathBuf| files::read(&file.path(path), "the file of CA certificates");
    let certificates = settings.ca_certificates.as_ref().map(read).transpose()?.unwrap_or_default();
    let mut config = OpenBaoConfig::new(&settings.address, &certificates, credentials);
    if let Some(mount) = &settings.mount {
        config = config.mount(mount);
    }
    if let Some(prefix) = &settings.prefix {
        config = config.key_prefix(prefix);
    }
    if let Some(milliseconds) = settings.timeout_ms {
        config = config.timeout(Duration::from_millis(milliseconds.into()));
    }
    if settings.plaintext_loopback {
        config = config.plaintext_loopback();
    }
    if settings.storage_excluded_from_backup {
        config = config.storage_excluded_from_backup();
    }
    Ok(Arc::new(OpenBao::connect(config)?))
}

fn credentials(file: &SettingsFile, settings: &Settings) -> Result<OpenBaoCredentials, CliError> {
    let token = file.secret("the token", settings.token_file.as_ref(), settings.token_env.as_ref())?;
    let (from, env) = (settings.secret_id_file.as_ref(), settings.secret_id_env.as_ref());
    match (token, &settings.role_id) {
        (Some(token), None) if from.is_none() && env.is_none() => Ok(OpenBaoCredentials::Token(token)),
        (None, Some(role_id)) => {
            let secret_id = file.needed("the secret id", from, env)?;
            Ok(OpenBaoCredentials::AppRole { role_id: role_id.clone(), secret_id })
        }
        _ => Err(file.fault("it needs a token, or a role id with its secret id")),
    }
}
