use vouchsafe_types::Jurisdiction;

use crate::Period;

/// One sentence of a notice, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    /// The line where it begins, from 1.
    pub(super) line: usize,
    /// The number of the section, as the notice gives it; empty before the first.
    pub(super) section: String,
    /// The place whose people its heading is about.
    pub(super) place: Option<Jurisdiction>,
    /// The words as they stand, with single spaces between them.
    pub(super) words: String,
    /// The same in lower case, with plain quotation marks and hyphens.
    pub(super) folded: String,
}

impl Sentence {
    /// Whether a phrase stands in it, whatever the case.
    pub(super) fn says(&self, phrase: &str) -> bool {
        self.folded.contains(phrase)
    }

    /// Whether one of the phrases does.
    pub(super) fn says_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.says(phrase))
    }

    /// The place that it is about: its heading's, or the only one that it names.
    pub(super) fn about(&self) -> Option<Jurisdiction> {
        self.place.or_else(|| place_in(&self.folded))
    }

    /// Every period that it states: a number, or its word, before a unit.
    pub(super) fn periods(&self) -> Vec<Period> {
        let words: Vec<&str> = self.folded.split([' ', '-']).map(|word| word.trim_matches(is_mark)).collect();
        words.windows(2).filter_map(period).collect()
    }

    /// Every age that it states: a number after `under` or `age of`.
    pub(super) fn ages(&self) -> Vec<u8> {
        let words: Vec<&str> = self.folded.split(' ').map(|word| word.trim_matches(is_mark)).collect();
        let stated = |pair: &[&str]| match pair {
            ["under" | "below" | "of", number] => number.parse().ok(),
            _ => None,
        };
        words.windows(2).filter_map(stated).collect()
    }
}

fn is_mark(c: char) -> bool {
    !c.is_alphanumeric()
}

fn period(pair: &[&str]) -> Option<Period> {
    let [number, unit] = pair else { return None };
    let small = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let number = match small.iter().zip(1u32..).find(|(word, _)| *word == number) {
        Some((_, value)) => value,
        None => number.parse().ok()?,
    };
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let known = matches!(unit, "day" | "month" | "year");
    Period::parse(&format!("{number} {unit}s")).filter(|period| known && !period.is_at_once())
}

/// Splits a notice into sentences. Items of lists, rows of tables and headings are sentences of their own; a paragraph
/// that runs over several lines is joined.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut place = None;
    let mut paragraph: Option<(usize, String)> = None;
    for (line, number) in text.lines().zip(1..) {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let goes_on = paragraph.as_ref().is_some_and(|(_, before)| continues(before, &words));
        if goes_on {
            if let Some((_, before)) = &mut paragraph {
                before.push(' ');
                before.push_str(&words);
            }
            continue;
        }
        if let Some((begin, before)) = paragraph.take() {
            split(&before, begin, (&section, place), &mut found);
        }
        if let Some(number) = heading(&words) {
            (section, place) = (number, None);
        }
        if is_title(&words) {
            place = place_in(&folded(&words));
        }
        paragraph = (!words.is_empty()).then_some((number, words));
    }
    if let Some((begin, before)) = paragraph {
        split(&before, begin, (&section, place), &mut found);
    }
    found
}

/// Whether a line goes on with the paragraph before it.
fn continues(before: &str, line: &str) -> bool {
    let ended = before.ends_with(['.', '!', '?', ':', '|']);
    let own = line.starts_with(['-', '*', '•', '|', '#', '>']) || heading(line).is_some();
    let wrapped = before.len() >= WRAPPED || line.starts_with(char::is_lowercase);
    !line.is_empty() && !ended && !own && wrapped
}

/// The number of a section that a short line opens.
fn heading(line: &str) -> Option<String> {
    let line = line.trim_start_matches('#').trim_start();
    let (number, title) = line.split_once(' ')?;
    let number = number.trim_end_matches('.');
    let digits = !number.is_empty() && number.split('.').all(|part| part.parse::<u8>().is_ok());
    let title = title.starts_with(char::is_uppercase) && title.len() <= WRAPPED && !title.ends_with('.');
    (digits && title).then(|| number.to_owned())
}

/// A short line that is no item of a list and does not end as a sentence does.
fn is_title(line: &str) -> bool {
    let item = line.starts_with(['-', '*', '•', '|', '>']);
    !line.is_empty() && !item && line.len() <= WRAPPED && !line.ends_with(['.', '!', '?', ':', ',', ';'])
}

/// The only place that a text names, by its title.
fn place_in(folded: &str) -> Option<Jurisdiction> {
    let named = |place: &Jurisdiction| {
        *place != Jurisdiction::Elsewhere && folded.contains(&place.title().to_lowercase())
    };
    let mut places = Jurisdiction::ALL.into_iter().filter(named);
    places.next().filter(|_| places.next().is_none())
}

fn split(
    paragraph: &str,
    line: usize,
    (section, place): (&str, Option<Jurisdiction>),
    found: &mut Vec<Sentence>,
) {
    let mut rest = paragraph;
    while !rest.is_empty() {
        let (sentence, after) = match end_of_sentence(rest) {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        let words = sentence.trim().to_owned();
        let folded = folded(&words);
        found.push(Sentence { line, section: section.to_owned(), place, words, folded });
        rest = after.trim_start();
    }
}

/// Where a full stop stands before a space and a capital.
fn end_of_sentence(text: &str) -> Option<usize> {
    let ends = text.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len());
    ends.into_iter().find(|end| {
        let mut after = text.get(*end..).unwrap_or_default().chars();
        let (space, next) = (after.next(), after.next());
        let opened = text.get(..*end).unwrap_or_default();
        // A section's own number is no sentence.
        let opened = opened.trim_start_matches(['#', ' ']).trim_end_matches('.');
        let numbered = opened.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        space == Some(' ') && next.is_some_and(|c| !c.is_lowercase()) && !numbered
    })
}

fn folded(words: &str) -> String {
    let plain = words.chars().map(|c| match c {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2010}'..='\u{2015}' => '-',
        _ => c,
    });
    plain.flat_map(char::to_lowercase).collect()
}

/// A line at least this long, in bytes, may have been wrapped.
const WRAPPED: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_and_tables_are_told_apart() {
        let text = "Privacy Policy\n1. What We Collect\n1.1 Accounts\nWe keep names. We keep e-mail\naddresses.\n\
                    - Faces are never stored\n| Logs | 90 days |\n\n## 2. Rights\nAsk us.";
        let told: Vec<_> = sentences(text)
            .into_iter()
            .map(|s| (s.line, s.section, s.words))
            .map(|(line, section, words)| format!("{line} [{section}] {words}"))
            .collect();
        assert_eq!(
            told,
            [
                "1 [] Privacy Policy",
                "2 [1] 1. What We Collect",
                "3 [1.1] 1.1 Accounts",
                "4 [1.1] We keep names.",
                "4 [1.1] We keep e-mail addresses.",
                "6 [1.1] - Faces are never stored",
                "7 [1.1] | Logs | 90 days |",
                "9 [2] ## 2. Rights",
                "10 [2] Ask us.",
            ]
        );
    }

    #[test]
    fn a_heading_gives_its_place_to_what_follows() {
        let text = "11. Disclosures\nIllinois Residents (BIPA)\nKept for 3 years.\nOther Residents\nKept for long.\n\
                    Kept for 1 year in Texas.\nIn Texas as in Illinois.";
        let about: Vec<_> = sentences(text).iter().map(Sentence::about).collect();
        let (il, tx) = (Some(Jurisdiction::UsIl), Some(Jurisdiction::UsTx));
        assert_eq!(about, [None, il, il, None, None, tx, None]);
    }

    #[test]
    fn periods_and_ages_are_read() {
        let one = |text: &str| sentences(text).remove(0);
        let periods = |text: &str| one(text).periods().iter().map(Period::to_string).collect::<Vec<_>>();
        assert_eq!(periods("Within three (3) years, or 90 days (default)."), ["3 years", "90 days"]);
        assert_eq!(periods("A 5-minute cache and a 30-day limit, one month."), ["30 days", "1 month"]);
        assert!(periods("192-dimensional, 512, TLS 1.2+").is_empty());
        assert_eq!(one("Not for children under 13, or under the age of 18.").ages(), [13, 18]);
    }
}
