use std::fmt;

/// An opaque name of a document, contract, rule, matter or officer: 1 to 64 bytes of `a-z`, `0-9`, `.`, `-`, `_`.
/// It never names a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// Parses a name; `None` for a text outside the alphabet or length.
    pub fn parse(text: &str) -> Option<Self> {
        fits(text).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a recipient in the organisation's pack: 1 to 64 bytes of `a-z`, `0-9`, `.`, `-`, `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecipientId(String);

impl RecipientId {
    /// Parses an id; `None` for a text outside the alphabet or length.
    pub fn parse(text: &str) -> Option<Self> {
        fits(text).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fits(text: &str) -> bool {
    let alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for text in ["a", "wb-1.1-billing", "matter_7", &"x".repeat(64)] {
            assert_eq!(Reference::parse(text).map(|name| name.to_string()).as_deref(), Some(text));
            assert!(RecipientId::parse(text).is_some());
        }
        for text in ["", "A", "a b", "é", "a\n", "a/b", &"x".repeat(65)] {
            assert!(Reference::parse(text).is_none() && RecipientId::parse(text).is_none(), "{text}");
        }
    }
}
