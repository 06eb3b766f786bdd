//! The list of a bundle: every file by its path, with what it holds, and which paths there are.

use std::collections::BTreeMap;
use std::fmt;

use vouchsafe_ledger::{EntryKind, is_log_path};
use vouchsafe_types::Digest;

use crate::digest::sha256;

/// Origin and keys.
pub(super) const KEYS: &str = "keys";

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    sha256: Digest,
    len: u64,
}

impl Content {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { sha256: sha256(bytes), len: bytes.len() as u64 }
    }

    /// Whether it has this digest.
    pub(super) fn is(&self, sha256: &Digest) -> bool {
        self.sha256 == *sha256
    }

    /// Reads digest and length, in their one spelling, and gives what follows them.
    pub(super) fn split(line: &str) -> Option<(Self, &str)> {
        let (sha256, rest) = line.split_once(' ')?;
        let (len, rest) = rest.split_once(' ')?;
        let content = Self { sha256: Digest::parse(sha256).ok()?, len: decimal(len)? };
        Some((content, rest))
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sha256, self.len)
    }
}

/// A number without leading zeros.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Every file by its path, with what it holds.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, Content>);

impl Files {
    pub(super) fn insert(&mut self, path: &str, content: Content) {
        self.0.insert(path.to_owned(), content);
    }

    pub(super) fn get(&self, path: &str) -> Option<&Content> {
        self.0.get(path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|content| content.len).sum()
    }

    /// Reads a list; it has one spelling, and names paths of a bundle only.
    pub(super) fn parse(list: &[u8]) -> Option<Self> {
        let mut files = BTreeMap::new();
        for line in str::from_utf8(list).ok()?.strip_suffix('\n')?.split('\n') {
            let (content, path) = Content::split(line)?;
            let sorted = files.last_key_value().is_none_or(|(last, _): (&String, _)| last.as_str() < path);
            if !sorted || !is_bundle_path(path) {
                return None;
            }
            files.insert(path.to_owned(), content);
        }
        Some(Self(files))
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(path, content)| writeln!(f, "{content} {path}"))
    }
}

/// Whether a path is one that a list may name. None of them leads out of the folder.
fn is_bundle_path(path: &str) -> bool {
    let numbered = |name: &str, form: &str| name.strip_suffix(form).and_then(decimal).is_some();
    let notice = |name: &str| {
        let digest = name.strip_suffix(".json").or(name.strip_suffix(".schedule")).unwrap_or(name);
        Digest::parse(digest).is_ok()
    };
    match path.split_once('/') {
        None => path == KEYS,
        Some(("certificates", name)) => numbered(name, ""),
        Some(("log", path)) => is_log_path(path),
        Some(("notices", name)) => notice(name),
        Some(("policy", path)) => policy_part(path).is_some(),
        Some(("public", name)) => numbered(name, ".json") || numbered(name, ".txt"),
        Some(_) => false,
    }
}

/// Where the certificates of a page of entries lie.
pub(super) fn certificates_path(page: u64) -> String {
    format!("certificates/{page}")
}

/// Where a notice lies, or a part of it.
pub(super) fn notice_path(digest: &Digest, part: &str) -> String {
    format!("notices/{digest}{part}")
}

/// Where the payload of a public entry lies.
pub(super) fn public_path(entry: u64, kind: EntryKind) -> String {
    let form = if kind == EntryKind::LogKeyRotated { "txt" } else { "json" };
    format!("public/{entry}.{form}")
}

/// A file of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyPart {
    /// The pack at this place, from 0.
    Pack(u64),
    /// The name of the zone in whose calendar periods count.
    Zone,
}

/// Where a part of the policy with this digest lies.
pub(super) fn policy_path(digest: &Digest, part: PolicyPart) -> String {
    match part {
        PolicyPart::Pack(place) => format!("policy/{digest}/{place}.toml"),
        PolicyPart::Zone => format!("policy/{digest}/zone"),
    }
}

/// What lies at a path below `policy/`.
pub(super) fn policy_part(path: &str) -> Option<(Digest, PolicyPart)> {
    let (digest, name) = path.split_once('/')?;
    let part = match name.strip_suffix(".toml") {
        Some(place) => PolicyPart::Pack(decimal(place)?),
        None => (name == "zone").then_some(PolicyPart::Zone)?,
    };
    Some((Digest::parse(digest).ok()?, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_a_bundle_are_listed() {
        let digest = "a".repeat(64);
        let good = [
            "keys",
            "log/checkpoint",
            "log/tile/0/000.p/3",
            "log/handover/000",
            "public/0.json",
            "public/7.txt",
            "certificates/0",
            "certificates/12",
        ];
        let named = [digest.clone(), format!("{digest}.json"), format!("{digest}.schedule")];
        let named = named.map(|name| format!("notices/{name}"));
        let policy = ["0.toml", "12.toml", "zone"].map(|name| format!("policy/{digest}/{name}"));
        let all = good.into_iter().chain(named.iter().chain(&policy).map(String::as_str));
        assert!(all.into_iter().all(is_bundle_path));
        let other = ["1", "01.toml", "x.toml", "../0.toml", "zone.toml", "", "a/zone"];
        let other = other.map(|name| format!("policy/{digest}/{name}"));
        let bad = [
            "",
            "MANIFEST",
            "FILES",
            "key",
            "/keys",
            "../keys",
            "log",
            "log/",
            "log/../keys",
            "log/tile/0/0",
            "public/",
            "public/01.json",
            "public/-1.json",
            "public/1",
            "public/1.json.json",
            "public/../1.json",
            "notices/",
            "notices/abc",
            "notices/../x",
            "notices/x.json",
            "certificates/",
            "certificates/01",
            "certificates/1.json",
            "policy/0.toml",
            "policy/../0.toml",
            "other/1.json",
            "public/1.json\n",
        ];
        assert!(!bad.into_iter().chain(other.iter().map(String::as_str)).any(is_bundle_path));
    }

    #[test]
    fn a_list_has_one_spelling() {
        let mut files = Files::default();
        files.insert("public/1.json", Content::of(b"{}"));
        files.insert("keys", Content::of(b"k"));
        let list = files.to_string();
        assert_eq!(Files::parse(list.as_bytes()).unwrap().to_string(), list);
        let lines: Vec<&str> = list.lines().collect();
        let swapped = format!("{}\n{}\n", lines[1], lines[0]);
        let doubled = format!("{list}{}\n", lines[1]);
        let torn = list.trim_end();
        let padded = list.replace(" 1 ", " 01 ");
        for bad in [&swapped, &doubled, torn, &padded, "", "\n", &list.replace("keys", "../keys")] {
            assert!(Files::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
