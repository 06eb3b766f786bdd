use proptest::prelude::*;

use super::*;

/// The same rules, told by hand: an open consent, and the name of what closed it or `None` before any act.
#[derive(Debug, Default)]
struct Naive {
    open: bool,
    acts_since_opened: u32,
    closed_by: Option<&'static str>,
}

impl Naive {
    fn name(&self) -> Option<&'static str> {
        match (self.open, self.acts_since_opened) {
            (true, 1) => Some("given"),
            (true, _) => Some("renewed"),
            (false, _) => self.closed_by,
        }
    }

    fn apply(&mut self, event: &str) -> bool {
        let end = match event {
            "give" => {
                self.acts_since_opened = if self.open { self.acts_since_opened + 1 } else { 1 };
                self.open = true;
                return true;
            }
            "refuse" if self.open => return false,
            "refuse" => "refused",
            _ if !self.open => return false,
            "withdraw" => "withdrawn",
            "revoke" => "revoked",
            "expire" => "expired",
            "invalidate" => "invalidated",
            _ => return false,
        };
        self.open = false;
        self.closed_by = Some(end);
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Promise: WB-11-consent-first
    #[test]
    fn walks_agree_with_the_rules_told_by_hand(codes in prop::collection::vec(1u8..=6, 0..40)) {
        let (mut status, mut naive) = (None, Naive::default());
        for code in codes {
            let event = ConsentEvent::from_code(code).unwrap();
            let after = next(status, event);
            prop_assert_eq!(after.is_some(), naive.apply(event.name()), "{:?} {}", status, event);
            status = after.or(status);
            prop_assert_eq!(status.map(ConsentStatus::name), naive.name());
            prop_assert_eq!(status.is_some_and(ConsentStatus::is_open), naive.open);
        }
    }
}

#[test]
fn codes_and_names_read_back() {
    for (i, status) in ConsentStatus::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(status.code()), i + 1);
        assert_eq!(ConsentStatus::from_code(status.code()), Some(status));
    }
    for (i, event) in ConsentEvent::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(event.code()), i + 1);
        assert_eq!(ConsentEvent::from_code(event.code()), Some(event));
    }
    assert_eq!(ConsentStatus::from_code(0), None);
    assert_eq!(ConsentStatus::from_code(8), None);
    assert_eq!(ConsentEvent::from_code(7), None);
}

#[test]
fn no_row_contradicts_another() {
    for (i, row) in TRANSITIONS.iter().enumerate() {
        let same = |other: &&Transition| other.from == row.from && other.event == row.event;
        assert_eq!(TRANSITIONS.iter().position(|other| same(&other)), Some(i), "{row:?}");
    }
}

fn rendered() -> String {
    let mut text = String::from("| from |");
    for event in ConsentEvent::ALL {
        text += &format!(" {event} |");
    }
    text += "\n|---|---|---|---|---|---|---|\n";
    for from in std::iter::once(None).chain(ConsentStatus::ALL.map(Some)) {
        text += &format!("| {} |", from.map_or("no act yet", ConsentStatus::name));
        for event in ConsentEvent::ALL {
            text += &format!(" {} |", next(from, event).map_or("-", ConsentStatus::name));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_page_shows_the_table() {
    let page = include_str!("../../docs/consent-states.md");
    assert!(page.contains(&rendered()), "docs/consent-states.md must contain:\n{}", rendered());
}
