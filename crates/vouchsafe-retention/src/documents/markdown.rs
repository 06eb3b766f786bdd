use std::fmt::Write as _;

use crate::Profile;
use crate::html::escaped;

/// Words of the organisation's pack as plain text of a Markdown document.
pub(super) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escaped(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '|') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// A name in code as words.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Who the organisation is, or that its pack does not say.
pub(super) fn contact(profile: Option<&Profile>, text: &mut String) {
    let Some(profile) = profile else {
        text.push_str("**The policy does not state the organisation.**\n");
        return;
    };
    let (name, address, email) = (plain(profile.name()), plain(profile.address()), plain(profile.email()));
    let _ = writeln!(text, "- {name}\n- {address}\n- {email}");
    if let Some(legal) = profile.legal_email() {
        let _ = writeln!(text, "- For authorities: {}", plain(legal));
    }
    if let Some(website) = profile.website() {
        let _ = writeln!(text, "- {}", plain(website));
    }
}
