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

/// How people reach the organisation.
pub(super) fn contacts(profile: &Profile) -> String {
    let line = |name: &str, value: Option<&str>| {
        value.map(|value| format!("- {name}: {}\n", plain(value))).unwrap_or_default()
    };
    [
        format!("{}, {}\n\n", plain(profile.name()), plain(profile.address())),
        line("E-mail", Some(profile.email())),
        line("Legal inquiries", profile.legal_email()),
        line("Website", profile.website()),
    ]
    .concat()
}
