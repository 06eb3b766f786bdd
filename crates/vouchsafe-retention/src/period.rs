use std::fmt;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A calendar period: 0 to 1,000 years, 0 to 12,000 months, 0 to 366,000 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    years: u32,
    months: u32,
    days: u32,
}

impl Period {
    /// No time at all.
    pub const AT_ONCE: Self = Self { years: 0, months: 0, days: 0 };

    /// Reads `at once`, or numbers with units, largest first: `3 years`, `1 year 6 months`, `30 days`.
    ///
    /// `None` for anything else, negative numbers among it.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "at once" {
            return Some(Self::AT_ONCE);
        }
        let mut period = Self::AT_ONCE;
        let mut smallest = 0;
        let mut words = text.split(' ');
        while let Some(number) = words.next() {
            let (rank, part, most) = match words.next()? {
                "year" | "years" => (1, &mut period.years, 1_000),
                "month" | "months" => (2, &mut period.months, 12_000),
                "day" | "days" => (3, &mut period.days, 366_000),
                _ => return None,
            };
            let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let value = number.parse().ok().filter(|value| plain && *value <= most)?;
            if rank <= smallest {
                return None;
            }
            (smallest, *part) = (rank, value);
        }
        Some(period)
    }

    /// Whether the period is none.
    pub fn is_at_once(self) -> bool {
        self == Self::AT_ONCE
    }

    /// The instant this long after `start`, in the calendar of the zone; `None` beyond the calendar's range.
    pub(crate) fn after(self, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.is_at_once() {
            return Some(start);
        }
        let moved = start.to_zoned_datetime(zone.clone()).checked_add(self.span()?).ok()?;
        Some(moved.timestamp())
    }

    /// Whether there is a day from which this period ends later than the other.
    ///
    /// Months have no fixed length, so every day of four years is tried.
    pub(crate) fn may_exceed(self, other: Self) -> bool {
        let ends = |start: Date, period: Self| period.span().and_then(|span| start.checked_add(span).ok());
        let mut day = Some(date(2023, 1, 1));
        for _ in 0..LEAP_CYCLE {
            let Some(start) = day else { break };
            if ends(start, self) > ends(start, other) {
                return true;
            }
            day = start.tomorrow().ok();
        }
        false
    }

    fn span(self) -> Option<Span> {
        let [years, months, days] = [self.years, self.months, self.days].map(i64::from);
        Span::new().try_years(years).ok()?.try_months(months).ok()?.try_days(days).ok()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_at_once() {
            return f.write_str("at once");
        }
        let mut gap = "";
        for (number, unit) in [(self.years, "year"), (self.months, "month"), (self.days, "day")] {
            if number > 0 {
                write!(f, "{gap}{number} {unit}{}", if number == 1 { "" } else { "s" })?;
                gap = " ";
            }
        }
        Ok(())
    }
}

/// Days of four years, one of them a leap year.
const LEAP_CYCLE: u32 = 1461;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: &str, period: &str) -> String {
        let period = Period::parse(period).unwrap();
        period.after(start.parse().unwrap(), &TimeZone::UTC).unwrap().to_string()
    }

    #[test]
    fn periods_have_one_grammar() {
        for (text, printed) in [
            ("3 years", "3 years"),
            ("1 year 6 months", "1 year 6 months"),
            ("0 days", "at once"),
            ("1 days", "1 day"),
        ] {
            assert_eq!(Period::parse(text).unwrap().to_string(), printed);
        }
        let bad = [
            "",
            "3",
            "years",
            "-3 years",
            "+3 years",
            "3 weeks",
            "3  years",
            " 3 years",
            "3.5 years",
            "6 months 1 year",
            "1 day 1 day",
            "not stated",
            "1001 years",
            "99999999999 days",
        ];
        for text in bad {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_is_kept() {
        assert_eq!(after("2024-02-29T10:00:00Z", "3 years"), "2027-02-28T10:00:00Z");
        assert_eq!(after("2024-02-29T10:00:00Z", "4 years"), "2028-02-29T10:00:00Z");
        assert_eq!(after("2023-02-28T10:00:00Z", "1 year"), "2024-02-28T10:00:00Z");
        assert_eq!(after("2025-12-31T23:59:59Z", "2 months"), "2026-02-28T23:59:59Z");
        assert_eq!(after("2025-12-31T23:59:59Z", "30 days"), "2026-01-30T23:59:59Z");
        assert_eq!(after("2025-01-31T00:00:00Z", "1 month 1 day"), "2025-03-01T00:00:00Z");
        assert_eq!(after("2025-01-31T00:00:00.5Z", "at once"), "2025-01-31T00:00:00.5Z");
    }

    #[test]
    fn the_day_is_that_of_the_zone() {
        let east = TimeZone::fixed(jiff::tz::offset(9));
        let start: Timestamp = "2024-02-28T20:00:00Z".parse().unwrap();
        let due = Period::parse("1 year").unwrap().after(start, &east).unwrap();
        assert_eq!(
            due.to_string(),
            "2025-02-27T20:00:00Z",
            "29 February in the east becomes 28 February there"
        );
    }

    #[test]
    fn periods_compare_by_their_worst_day() {
        let may_exceed = |a, b| Period::parse(a).unwrap().may_exceed(Period::parse(b).unwrap());
        assert!(may_exceed("1 month", "30 days"));
        assert!(may_exceed("31 days", "1 month"));
        assert!(!may_exceed("7 years", "7 years"));
        assert!(!may_exceed("12 months", "1 year"));
        assert!(may_exceed("366 days", "1 year"));
        assert!(may_exceed("1 day", "at once"));
    }

    #[test]
    fn beyond_the_calendar_there_is_no_instant() {
        assert_eq!(Period::parse("1000 years").unwrap().after(Timestamp::MAX, &TimeZone::UTC), None);
    }
}
