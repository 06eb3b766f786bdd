use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use vouchsafe::types::SecretBytes;

use crate::CliError;

/// The longest secret, in bytes.
const MAX_SECRET: usize = 4096;

/// Where a secret stands: never on the command line, and never among the settings.
pub(crate) struct SecretSource {
    /// In a private file; a line end at its end is not part of it.
    pub(crate) file: Option<PathBuf>,
    /// In an environment variable of this name.
    pub(crate) env: Option<String>,
}

impl SecretSource {
    /// Reads the secret; `None` when no place is named.
    pub(crate) fn read(&self, what: &'static str) -> Result<Option<SecretBytes>, CliError> {
        match (&self.file, &self.env) {
            (Some(file), _) => from_file(file, what).map(Some),
            (None, Some(name)) => from_environment(name, what).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn from_environment(name: &str, what: &'static str) -> Result<SecretBytes, CliError> {
    let value = std::env::var_os(name).map(OsString::into_vec).unwrap_or_default();
    if value.is_empty() { Err(CliError::NoVariable(what)) } else { Ok(SecretBytes::new(value)) }
}

fn from_file(path: &Path, what: &'static str) -> Result<SecretBytes, CliError> {
    let fail = |error: io::Error| CliError::secret_file(what, &error);
    // Asked before it is opened: a pipe would wait for its writer.
    if !fs::metadata(path).map_err(fail)?.is_file() {
        return Err(CliError::NotPrivate(what));
    }
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 {
        return Err(CliError::NotPrivate(what));
    }
    // Large enough from the start, so that growth leaves no copy behind.
    let mut secret = Vec::with_capacity(MAX_SECRET + 2);
    file.take(MAX_SECRET as u64 + 1).read_to_end(&mut secret).map_err(fail)?;
    if secret.ends_with(b"\n") {
        secret.pop();
        if secret.ends_with(b"\r") {
            secret.pop();
        }
    }
    let usable = (1..=MAX_SECRET).contains(&secret.len());
    let secret = SecretBytes::new(secret);
    if usable { Ok(secret) } else { Err(CliError::SecretLength(what)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], mode: u32) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let secret = SecretSource { file: Some(path), env: None }.read("the pin");
        secret.map(|secret| secret.unwrap().expose_secret().to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn one_line_end_is_not_part_of_a_secret() {
        for (stored, secret) in
            [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), ("x\ny", "x\ny"), ("x\r", "x\r")]
        {
            assert_eq!(read(stored.as_bytes(), 0o600), Ok(secret.into()), "{stored:?}");
        }
        assert_eq!(read(&[b'x'; MAX_SECRET], 0o400).unwrap().len(), MAX_SECRET);
        for bad in [&b""[..], b"\n", &[b'x'; MAX_SECRET + 1]] {
            assert_eq!(read(bad, 0o600), Err("the pin is empty or too long".into()));
        }
    }

    #[test]
    fn a_file_that_others_may_touch_is_refused() {
        for mode in [0o644, 0o640, 0o620, 0o604, 0o602, 0o610, 0o700] {
            let refused = Err("the pin must be in a private file (mode 0600)".to_owned());
            assert_eq!(read(b"x", mode), if mode == 0o700 { Ok(b"x".to_vec()) } else { refused }, "{mode:o}");
        }
        let folder = tempfile::tempdir().unwrap();
        let source = |path| SecretSource { file: Some(path), env: None }.read("the pin").unwrap_err();
        assert_eq!(source(folder.path().into()).exit_code(), 1);
        let missing = source(folder.path().join("x"));
        assert_eq!(
            (missing.to_string().as_str(), missing.exit_code()),
            ("the file of the pin does not exist", 2)
        );
    }

    #[test]
    fn a_variable_that_is_not_set_is_named_by_its_part() {
        let source = |env: &str| SecretSource { file: None, env: Some(env.into()) }.read("the pin");
        let unset = source("VOUCHSAFE_TEST_NO_SUCH_VARIABLE").unwrap_err();
        let said = "the environment variable of the pin is not set";
        assert_eq!((unset.to_string().as_str(), unset.exit_code()), (said, 2));
        assert!(!source("PATH").unwrap().unwrap().expose_secret().is_empty());
    }
}
