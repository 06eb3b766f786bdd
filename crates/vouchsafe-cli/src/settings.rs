//! Files of settings: TOML with a kind, and secrets that stand elsewhere.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use vouchsafe::types::SecretBytes;

use crate::secret::SecretSource;
use crate::{CliError, files};

/// A file of settings whose kind is known.
pub(crate) struct SettingsFile {
    /// The part that the file plays.
    pub(crate) what: &'static str,
    text: String,
    pub(crate) kind: &'static str,
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Head {
    kind: String,
}

impl SettingsFile {
    pub(crate) fn read(
        path: &Path,
        what: &'static str,
        kinds: &'static [&'static str],
    ) -> Result<Self, CliError> {
        let text = files::read_text(path, what)?;
        let Head { kind: named } = parse(&text, what)?;
        let known = kinds.iter().copied().find(|kind| *kind == named);
        let kind = known.ok_or(CliError::UnknownKind(what, kinds))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { what, text, kind, folder })
    }

    pub(crate) fn settings<T: DeserializeOwned>(&self) -> Result<T, CliError> {
        parse(&self.text, self.what)
    }

    /// A path of the file; a relative one starts at its folder.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// A fault of the file.
    pub(crate) fn fault(&self, said: impl Into<String>) -> CliError {
        CliError::Settings(self.what, said.into())
    }

    /// A secret that one setting or the other names, if any does.
    pub(crate) fn secret(
        &self,
        what: &'static str,
        file: Option<&PathBuf>,
        env: Option<&String>,
    ) -> Result<Option<SecretBytes>, CliError> {
        if file.is_some() && env.is_some() {
            return Err(self.fault(format!("{what} stands in a file or in the environment, not both")));
        }
        SecretSource { file: file.map(|file| self.path(file)), env: env.cloned() }.read(what)
    }

    /// As [`Self::secret`], where there must be one.
    #[cfg(any(
        feature = "objects",
        feature = "openbao",
        feature = "pkcs11",
        feature = "postgres",
        feature = "tpm"
    ))]
    pub(crate) fn needed(
        &self,
        what: &'static str,
        file: Option<&PathBuf>,
        env: Option<&String>,
    ) -> Result<SecretBytes, CliError> {
        self.secret(what, file, env)?.ok_or_else(|| self.fault(format!("{what} is missing")))
    }
}

/// Says where the text is wrong, and never what stands there: it may be a secret in the wrong place.
fn parse<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, CliError> {
    toml::from_str(text).map_err(|error| {
        let line = |span: std::ops::Range<usize>| Some(text.get(..span.start)?.matches('\n').count() + 1);
        let fault = match (error.message().strip_prefix("missing field "), error.span().and_then(line)) {
            (Some(field), _) => format!("{field} is missing"),
            (None, Some(line)) => format!("line {line} is not understood"),
            (None, None) => "it is not understood".to_owned(),
        };
        CliError::Settings(what, fault)
    })
}
