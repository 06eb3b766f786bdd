use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::envelope::port::KeyService;
use vouchsafe_keys::{Tpm, TpmConfig};

use super::Declared;
use crate::CliError;
use crate::settings::SettingsFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    tcti: String,
    nv_index: u32,
    auth_file: Option<PathBuf>,
    auth_env: Option<String>,
    file: PathBuf,
    strength: Option<Declared>,
}

pub(super) fn open(file: &SettingsFile) -> Result<Arc<dyn KeyService>, CliError> {
    let settings: Settings = file.settings()?;
    let (from, env) = (settings.auth_file.as_ref(), settings.auth_env.as_ref());
    let auth = file.needed("the authorization", from, env)?;
    let mut config = TpmConfig::new(&settings.tcti, settings.nv_index, &auth, file.path(&settings.file))?;
    if let Some(declared) = settings.strength {
        config = config.declared(declared.into())?;
    }
    Ok(Arc::new(Tpm::open(config)?))
}
