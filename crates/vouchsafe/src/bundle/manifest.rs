//! What is signed of a bundle.

use std::fmt;

use vouchsafe_ledger::{Checkpoint, LogSigner};

use super::list::Content;
use crate::Error;

/// The signed note.
pub(super) const MANIFEST: &str = "MANIFEST";
/// The list.
pub(super) const FILES: &str = "FILES";

/// The checkpoint that the bundle covers, and its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) checkpoint: Checkpoint,
    pub(super) list: Content,
}

impl Manifest {
    /// Reads the signed text; it has one spelling.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?.strip_suffix('\n')?;
        let (checkpoint, list) = rest.rsplit_once('\n')?;
        let (list, name) = Content::split(list)?;
        let checkpoint = Checkpoint::parse(&format!("{checkpoint}\n")).ok()?;
        let manifest = Self { checkpoint, list };
        (name == FILES && manifest.to_string() == text).then_some(manifest)
    }

    /// One note with the signature of each.
    pub(super) fn sign(&self, signers: &[LogSigner]) -> Result<String, Error> {
        let (text, mut note) = (self.to_string(), String::new());
        for signer in signers {
            let signed = signer.sign(&text)?;
            let lines =
                if note.is_empty() { signed.as_str() } else { signed.get(text.len() + 1..).unwrap_or("") };
            note.push_str(lines);
        }
        Ok(note)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEADER}\n{}{} {FILES}\n", self.checkpoint, self.list)
    }
}

/// The first line of a manifest; no origin of a log reads like this.
const HEADER: &str = "vouchsafe.dev/audit-bundle@v1";
