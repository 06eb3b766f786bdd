//! A calendar of its own: months are counted on fingers, days by walking.

/// Year, month, day.
pub(crate) type Day = (i32, u32, u32);

/// Years, months, days.
pub(crate) type Span = (u32, u32, u32);

/// A day and the seconds since its midnight, on the wall of the policy's zone.
pub(crate) type Moment = (Day, u32);

pub(crate) fn length_of(year: i32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub(crate) fn next((year, month, day): Day) -> Day {
    match (month, day) {
        (12, 31) => (year + 1, 1, 1),
        _ if day == length_of(year, month) => (year, month + 1, 1),
        _ => (year, month, day + 1),
    }
}

/// The moment a period ends: the time of day stays, a day that does not exist becomes the last of its month.
pub(crate) fn end(((mut year, mut month, day), second): Moment, (years, months, days): Span) -> Moment {
    for _ in 0..years {
        year += 1;
    }
    for _ in 0..months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let mut reached = (year, month, day.min(length_of(year, month)));
    for _ in 0..days {
        reached = next(reached);
    }
    (reached, second)
}
