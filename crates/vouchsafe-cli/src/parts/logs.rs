use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::Ports;
use vouchsafe::store::FolderLogs;

use crate::CliError;
use crate::settings::SettingsFile;

const WHAT: &str = "the logs file";
const KINDS: &[&str] = &["bucket", "folder"];

/// Where logs are published, and what must survive a restore.
pub(crate) enum Logs {
    #[cfg(feature = "objects")]
    Bucket(Box<super::buckets::Buckets>),
    Folder {
        published: PathBuf,
        outside: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FolderSettings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    published: Option<PathBuf>,
    outside: Option<PathBuf>,
}

impl Logs {
    /// Those that a file of settings names, or the folder's own.
    pub(crate) fn read(file: Option<&Path>, dir: &Path) -> Result<Self, CliError> {
        let (published, outside) = (dir.join("log"), dir.join("outside/checkpoints"));
        let Some(file) = file else { return Ok(Self::Folder { published, outside }) };
        let settings = SettingsFile::read(file, WHAT, KINDS)?;
        if settings.kind == "folder" {
            let own: FolderSettings = settings.settings()?;
            let path = |named: Option<PathBuf>, own| named.map_or(own, |path| settings.path(&path));
            return Ok(Self::Folder {
                published: path(own.published, published),
                outside: path(own.outside, outside),
            });
        }
        #[cfg(feature = "objects")]
        return super::buckets::Buckets::read(&settings).map(|buckets| Self::Bucket(Box::new(buckets)));
        #[cfg(not(feature = "objects"))]
        Err(CliError::NotBuilt("objects", "that place of logs"))
    }

    /// The folders of published logs and of what is kept outside, where they are folders.
    pub(crate) const fn folders(&self) -> Option<(&PathBuf, &PathBuf)> {
        match self {
            #[cfg(feature = "objects")]
            Self::Bucket(_) => None,
            Self::Folder { published, outside } => Some((published, outside)),
        }
    }

    #[cfg_attr(not(feature = "objects"), expect(clippy::unnecessary_wraps, reason = "buckets may refuse"))]
    pub(crate) fn into_ports(self, dir: &Path, ports: &mut Ports) -> Result<(), CliError> {
        match self {
            #[cfg(feature = "objects")]
            Self::Bucket(buckets) => buckets.into_ports(dir, ports)?,
            Self::Folder { published, outside } => ports.logs = Arc::new(FolderLogs::at(published, outside)),
        }
        #[cfg(not(feature = "objects"))]
        let _ = dir;
        Ok(())
    }
}
