use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::Ports;
use vouchsafe::envelope::port::StateStore;
use vouchsafe::types::SecretBytes;
use vouchsafe_keys::{FolderStates, ReplicatedStates};
use vouchsafe_objects::{
    Addressing, Bucket, BucketConfig, BucketCredentials, BucketFences, BucketLogs, BucketReport,
    BucketStates, LeaseTerms, ObjectsError,
};

use crate::settings::SettingsFile;
use crate::{CliError, files};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    endpoint: String,
    region: Option<String>,
    addressing: Option<Address>,
    ca_certificates: Option<PathBuf>,
    timeout_ms: Option<u64>,
    published: String,
    outside: String,
    states: Option<String>,
    fences: Option<String>,
    access_key_file: Option<PathBuf>,
    access_key_env: Option<String>,
    secret_key_file: Option<PathBuf>,
    secret_key_env: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Address {
    Host,
    Path,
}

/// The buckets of one place.
pub(crate) struct Buckets {
    settings: Settings,
    certificates: Vec<u8>,
    access_key: String,
    secret_key: SecretBytes,
}

impl Buckets {
    pub(super) fn read(file: &SettingsFile) -> Result<Self, CliError> {
        let settings: Settings = file.settings()?;
        let (from, env) = (settings.access_key_file.as_ref(), settings.access_key_env.as_ref());
        let access_key = file.needed("the access key", from, env)?;
        let access_key = str::from_utf8(access_key.expose_secret()).map(str::to_owned);
        let access_key = access_key.map_err(|_| file.fault("the access key is no text"))?;
        let (from, env) = (settings.secret_key_file.as_ref(), settings.secret_key_env.as_ref());
        let secret_key = file.needed("the secret key", from, env)?;
        let read = |path: &PathBuf| files::read(&file.path(path), "the file of CA certificates");
        let certificates = settings.ca_certificates.as_ref().map(read).transpose()?.unwrap_or_default();
        if settings.published == settings.outside {
            return Err(file.fault("what is published and what is kept outside need buckets of their own"));
        }
        Ok(Self { settings, certificates, access_key, secret_key })
    }

    pub(super) fn into_ports(self, dir: &Path, ports: &mut Ports) -> Result<(), CliError> {
        let (published, outside) =
            (self.bucket(&self.settings.published)?, self.bucket(&self.settings.outside)?);
        let clock = Arc::clone(&ports.clock);
        ports.logs = Arc::new(BucketLogs::open(published, outside, LeaseTerms::default(), clock)?);
        if let Some(states) = &self.settings.states {
            let local = FolderStates::open(dir.join("keys/state")).map_err(CliError::Place)?;
            let remote = BucketStates::open(self.bucket(states)?, ports.keys.strength())?;
            let places: Vec<Arc<dyn StateStore>> = vec![Arc::new(local), Arc::new(remote)];
            ports.states = Arc::new(ReplicatedStates::new(places)?);
        }
        if let Some(fences) = &self.settings.fences {
            ports.fences = Arc::new(BucketFences::open(self.bucket(fences)?)?);
        }
        Ok(())
    }

    /// What each bucket honours, by the part it plays.
    pub(crate) fn check(&self) -> Vec<(&'static str, Result<BucketReport, ObjectsError>)> {
        let settings = &self.settings;
        [
            ("published", Some(&settings.published)),
            ("outside", Some(&settings.outside)),
            ("states", settings.states.as_ref()),
            ("fences", settings.fences.as_ref()),
        ]
        .into_iter()
        .filter_map(|(part, name)| Some((part, self.bucket(name?).and_then(|bucket| bucket.check()))))
        .collect()
    }

    fn bucket(&self, name: &str) -> Result<Bucket, ObjectsError> {
        let secret = SecretBytes::new(self.secret_key.expose_secret().to_vec());
        let credentials = BucketCredentials::new(&self.access_key, secret);
        let mut config = BucketConfig::new(&self.settings.endpoint, name, credentials);
        if let Some(region) = &self.settings.region {
            config = config.region(region);
        }
        config = match self.settings.addressing {
            Some(Address::Host) => config.addressing(Addressing::Host),
            Some(Address::Path) => config.addressing(Addressing::Path),
            None => config,
        };
        if !self.certificates.is_empty() {
            config = config.ca_certificates(&self.certificates);
        }
        if let Some(milliseconds) = self.settings.timeout_ms {
            config = config.timeout(Duration::from_millis(milliseconds));
        }
        Bucket::new(config)
    }
}
