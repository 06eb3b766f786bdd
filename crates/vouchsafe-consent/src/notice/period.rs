use std::fmt;

use jiff::{Span, tz::TimeZone};
use vouchsafe_types::Timestamp;

use crate::ConsentError;

/// A length of time in calendar units, as ISO 8601 writes it: `P3Y`, `P18M`, `P2Y6M`, `P90D`.
///
/// One valid spelling: years, months, days in this order, each at most once, none of them 0, no leading zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    years: u16,
    months: u16,
    days: u16,
}

impl Period {
    /// The largest number of any unit.
    pub const MAX_UNITS: u16 = 9999;

    /// Parses `P[nY][nM][nD]`.
    ///
    /// # Errors
    /// [`ConsentError::Term`].
    pub fn parse(text: &str) -> Result<Self, ConsentError> {
        let mut rest = text.strip_prefix('P').ok_or(ConsentError::Term)?;
        let mut unit = |letter| match rest.split_once(letter) {
            None => Ok(0),
            Some((number, tail)) => {
                rest = tail;
                number.parse::<u16>().ok().filter(|n| *n <= Self::MAX_UNITS).ok_or(ConsentError::Term)
            }
        };
        let period = Self { years: unit('Y')?, months: unit('M')?, days: unit('D')? };
        let one_spelling = period.to_string() == text && text.len() > 1;
        if one_spelling { Ok(period) } else { Err(ConsentError::Term) }
    }

    /// As the calendar library has it.
    pub fn span(self) -> Span {
        Span::new().years(self.years).months(self.months).days(self.days)
    }

    /// The same time of day, so many years, months and days later, in UTC. A day that the month lacks becomes its last.
    ///
    /// # Errors
    /// [`ConsentError::Term`] when that lies beyond the calendar.
    pub fn after(self, instant: Timestamp) -> Result<Timestamp, ConsentError> {
        let later = instant.to_zoned_datetime(TimeZone::UTC).checked_add(self.span());
        later.map(|zoned| zoned.timestamp()).map_err(|_| ConsentError::Term)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        let units = [(self.years, 'Y'), (self.months, 'M'), (self.days, 'D')];
        units.iter().filter(|(n, _)| *n > 0).try_for_each(|(n, letter)| write!(f, "{n}{letter}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_and_calendar_arithmetic() {
        for good in ["P3Y", "P18M", "P2Y6M", "P90D", "P1Y2M3D"] {
            assert_eq!(Period::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "", "P", "3Y", "P0D", "P03Y", "P3Y0M", "P1M1Y", "PT1H", "P1W", "P-1Y", "P+1Y", "P1Y ", "P10000D",
            "P1YD",
        ] {
            assert_eq!(Period::parse(bad), Err(ConsentError::Term), "{bad}");
        }
        let leap: Timestamp = "2028-02-29T12:00:00Z".parse().unwrap();
        let year = Period::parse("P1Y").unwrap();
        assert_eq!(year.after(leap), Ok("2029-02-28T12:00:00Z".parse().unwrap()));
        assert_eq!(year.after(Timestamp::MAX), Err(ConsentError::Term));
    }
}
