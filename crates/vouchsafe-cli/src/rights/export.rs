//! The copy of a person's data, handed over in the session or encrypted to the person.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vouchsafe::ledger::ActorRole;
use vouchsafe::retention::rights::RequestId;

use crate::folder::Place;
use crate::{CliError, files, words};

/// Makes the copy that answers a request to know or to export.
///
/// Without a key the copy goes to the standard output, and so to nowhere that lasts; a file of it in plain has to be
/// asked for by name.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id
    subject: String,
    /// The request's id, of a verified request on which work has begun
    #[arg(value_parser = words::request_id)]
    id: RequestId,
    /// As what: json follows the schema of copies, html is a page for readers
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Encrypt it to the person's age public key, age1…
    #[arg(long, value_name = "KEY", requires = "out", conflicts_with = "plain_file")]
    to: Option<String>,
    /// Encrypt it with age under the passphrase in this file, a private one (mode 0600)
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with_all = ["to", "plain_file"])]
    passphrase_file: Option<PathBuf>,
    /// Where the encrypted copy is written; never over an existing file
    #[arg(long, value_name = "COPY.age", conflicts_with = "plain_file")]
    out: Option<PathBuf>,
    /// Write the copy in plain to this file, for its owner alone; never over an existing file
    #[arg(long, value_name = "FILE")]
    plain_file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Json,
}

impl Export {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        // What cannot be delivered is not made.
        let key = self.key()?;
        if self.out.is_some() && key.is_none() {
            return Err(CliError::NoCopyKey);
        }
        let opened = self.place.open_in_force()?;
        let organisation = opened.organisation()?;
        let document = organisation.subject(&self.subject)?.export(self.id, ActorRole::Administrator)?;
        let copy = match self.format {
            Format::Json => document.to_json().map_err(vouchsafe::Error::from)?,
            Format::Html => document.to_html().into_bytes(),
        };
        match (&self.out, key, &self.plain_file) {
            (Some(path), Some(key), _) => {
                files::write_new(path, "the encrypted copy", &encrypt(&key, &copy)?)?;
                Ok(writeln!(out, "encrypted copy written; the request's tasks are answered")?)
            }
            (_, _, Some(path)) => {
                files::write_new(path, "the copy", &copy)?;
                Ok(writeln!(out, "copy written in plain; the request's tasks are answered")?)
            }
            _ => Ok(out.write_all(&copy)?),
        }
    }

    #[cfg(feature = "age")]
    fn key(&self) -> Result<Option<vouchsafe::ExportKey>, CliError> {
        use vouchsafe::ExportKey;
        if let Some(key) = &self.to {
            return ExportKey::public(key).map(Some).map_err(|_| CliError::Malformed("the person's key"));
        }
        let Some(path) = &self.passphrase_file else { return Ok(None) };
        let text = private(path)?;
        let phrase = str::from_utf8(text.expose_secret()).map(str::trim_end);
        let phrase = phrase.map_err(|_| CliError::Malformed(PASSPHRASE))?;
        ExportKey::passphrase(phrase).map(Some).map_err(|_| CliError::SecretLength(PASSPHRASE))
    }

    #[cfg(not(feature = "age"))]
    fn key(&self) -> Result<Option<std::convert::Infallible>, CliError> {
        match self.to.is_some() || self.passphrase_file.is_some() {
            true => Err(CliError::NotBuilt("age", "an encrypted copy")),
            false => Ok(None),
        }
    }
}

#[cfg(feature = "age")]
const PASSPHRASE: &str = "the passphrase of the copy";

#[cfg(feature = "age")]
fn private(path: &std::path::Path) -> Result<vouchsafe::types::SecretBytes, CliError> {
    use std::os::unix::fs::PermissionsExt;
    let about = std::fs::metadata(path).map_err(|error| CliError::secret_file(PASSPHRASE, &error))?;
    if about.permissions().mode() & 0o077 != 0 {
        return Err(CliError::NotPrivate(PASSPHRASE));
    }
    Ok(vouchsafe::types::SecretBytes::new(files::read(path, PASSPHRASE)?))
}

#[cfg(feature = "age")]
fn encrypt(key: &vouchsafe::ExportKey, copy: &[u8]) -> Result<Vec<u8>, CliError> {
    Ok(key.encrypt(copy)?)
}

#[cfg(not(feature = "age"))]
fn encrypt(key: &std::convert::Infallible, _copy: &[u8]) -> Result<Vec<u8>, CliError> {
    match *key {}
}
