use std::fmt;

use zeroize::Zeroizing;

use crate::TypeError;

/// Text that somebody typed and that would be stored: at most 8,192 bytes, and no payment card number in it.
///
/// A card number is 13 to 19 digits, together or in groups with a single space, hyphen or dot between them, whose last
/// digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B). One number in ten of that length that is no
/// card looks like one and is refused too; a number inside a longer run of digits is not looked for.
///
/// Promise: FP-2c-no-cards.
#[derive(Clone, PartialEq, Eq)]
pub struct FreeText(Zeroizing<String>);

impl FreeText {
    /// The longest text, in bytes.
    pub const MAX_LEN: usize = 8192;

    /// Takes a text.
    ///
    /// # Errors
    /// [`TypeError::CardNumber`]; [`TypeError::Text`] when it is empty, too long, or holds control characters other than
    /// line breaks and tabs.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.is_empty() || text.len() > Self::MAX_LEN || text.chars().any(control) {
            return Err(TypeError::Text);
        }
        if holds_card_number(text) {
            Err(TypeError::CardNumber)
        } else {
            Ok(Self(Zeroizing::new(text.to_owned())))
        }
    }

    /// The text.
    pub fn expose_text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FreeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeText").finish_non_exhaustive()
    }
}

fn holds_card_number(text: &str) -> bool {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    // Whether what comes next belongs to the last group, or begins one that goes on after a single separator.
    let (mut in_group, mut joined) = (false, false);
    for c in text.chars() {
        match digit(c) {
            Some(digit) if in_group => groups.last_mut().into_iter().for_each(|group| group.push(digit)),
            Some(digit) => {
                if !joined {
                    groups.clear();
                }
                groups.push(vec![digit]);
                in_group = true;
            }
            None => {
                if in_group && ends_with_card_number(&groups) {
                    return true;
                }
                joined = in_group && matches!(c, ' ' | '-' | '.' | '\u{a0}');
                in_group = false;
            }
        }
    }
    in_group && ends_with_card_number(&groups)
}

/// A digit, also of another script that reads as one: full width, Arabic-Indic.
fn digit(c: char) -> Option<u32> {
    let zeros = [0xff10, 0x0660, 0x06f0];
    let wide = || zeros.into_iter().find_map(|zero| (c as u32).checked_sub(zero).filter(|digit| *digit < 10));
    c.to_digit(10).or_else(wide)
}

/// Whether the last groups are a card number together.
fn ends_with_card_number(groups: &[Vec<u32>]) -> bool {
    let mut number: Vec<u32> = Vec::new();
    groups.iter().rev().any(|group| {
        number.splice(0..0, group.iter().copied());
        // The first digit names the industry; no payment card begins with 0, 7, 8 or 9.
        (13..=19).contains(&number.len()) && matches!(number.first(), Some(1..=6)) && luhn(&number)
    })
}

fn luhn(number: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| if i % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that the card schemes publish for tests.
    ///
    /// Promise: FP-2c-no-cards
    #[test]
    fn card_numbers_are_refused_however_they_are_written() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111.1111.1111.1111",
            "please charge 5555555555554444, thanks",
            "378282246310005",
            "3782 822463 10005",
            "6011000990139424",
            "30569309025904",
            "order12 4222222222222",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "\u{ff14}111111111111111",
        ] {
            assert_eq!(FreeText::parse(card).err(), Some(TypeError::CardNumber), "{card}");
        }
    }

    #[test]
    fn other_text_passes() {
        for text in [
            "4111111111111112",
            "call +383 44 123 456",
            "invoice 2026-000017",
            "4111  1111  1111  1111",
            "a\nb\tc",
            "é",
        ] {
            assert_eq!(FreeText::parse(text).map(|text| text.expose_text().len()), Ok(text.len()), "{text}");
        }
        for bad in ["", "a\u{0}b", &"x".repeat(FreeText::MAX_LEN + 1)] {
            assert_eq!(FreeText::parse(bad).err(), Some(TypeError::Text));
        }
        assert_eq!(format!("{:?}", FreeText::parse("secret").unwrap()), "FreeText { .. }");
    }
}
