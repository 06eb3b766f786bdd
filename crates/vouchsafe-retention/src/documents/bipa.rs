use std::fmt::Write as _;

use vouchsafe_types::{DataClass, Jurisdiction};

use super::edition::publisher;
use super::markdown::{contacts, plain};
use super::notice::honoured;
use super::schedule::kept_until;
use super::{DocumentError, Edition};
use crate::Policy;

/// The written policy that 740 ILCS 14/15(a) wants available to the public: a retention schedule and guidelines for
/// destroying biometric data for good, from the running policy, as Markdown.
///
/// # Errors
/// [`DocumentError::NoContact`] where the policy has no `[organisation]`.
pub fn biometric_policy(policy: &Policy, edition: &Edition) -> Result<String, DocumentError> {
    let profile = publisher(policy)?;
    let mut text = format!(
        "# Biometric retention and destruction policy of {}\n\n{}\nThis policy is the one of 740 ILCS 14/15(a). It \
         covers face geometry and voiceprints.\n\n## Retention schedule\n\nA template is destroyed, whichever is first:\n\n",
        plain(profile.name()),
        edition.head(),
    );
    for clause in kept_until(policy, DataClass::Biometric, Some(Jurisdiction::UsIl)) {
        let _ = writeln!(text, "- {clause}");
    }
    text.push_str(HOW);
    let holds: Vec<_> = policy
        .honours()
        .iter()
        .filter(|row| row.is_enabled() && row.class() == DataClass::Biometric)
        .filter(|row| row.jurisdiction().is_none_or(|law| law.contains(Jurisdiction::UsIl)))
        .collect();
    if holds.is_empty() {
        text.push_str("\nA legal hold of any authority lets the schedule be departed from.\n");
    }
    for row in holds {
        let _ = writeln!(text, "\n{} ({})", row.says(), honoured(row));
    }
    text.push_str(RELEASE);
    text.push_str("\n## Contact\n\n");
    text.push_str(&contacts(profile));
    Ok(text)
}

const HOW: &str = "\n## Guidelines for destruction\n\n\
    - No picture and no recording is stored; they are wiped when the template is made.\n\
    - Each template has a key of its own. Destroying it destroys that key at the key service, so that copies in backups \
      open no more.\n\
    - Each destruction has a signed certificate with its date, its rule and the strength that the key service attests. \
      A destruction that is late raises an alarm.\n\
    - What could not be reached is named, and counts as pending.\n";

const RELEASE: &str = "\n## Collection and disclosure\n\n\
    - Before anything is collected you are told in writing what, for which purpose and for how long, and you release it \
      in writing (740 ILCS 14/15(b)).\n\
    - Nothing is sold, leased, traded or otherwise profited from (740 ILCS 14/15(c)).\n\
    - Disclosure needs your consent or a legal duty, and stands in a register (740 ILCS 14/15(d)).\n";
