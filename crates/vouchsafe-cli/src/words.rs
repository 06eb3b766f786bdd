//! Words of the command line: each names one value of a closed list, or is refused with the list.

use std::fmt::Display;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use vouchsafe::ledger::ActorRole;
use vouchsafe::retention::rights::{ExtensionReason, RefusalGround, RequestId, RequestKind};
use vouchsafe::retention::{Authority, RecipientId, Reference, Trigger};
use vouchsafe::types::{DataClass, Digest, Jurisdiction, RecordId};
use vouchsafe::{Modality, Role, Timestamp};

type Word<T> = Result<T, String>;

/// The names of a closed list, as one names them in a sentence.
pub(crate) fn or(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        names => names.concat(),
    }
}

/// One of a list, by its name; `-` may stand for `_`.
fn one_of<T: Copy>(what: &str, all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Word<T> {
    let same = |known: &str| known == text || known.replace('_', "-") == text;
    let found = all.iter().copied().find(|value| same(name(*value)));
    let known = || all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("no such {what}; known: {}", known()))
}

pub(crate) fn class(text: &str) -> Word<DataClass> {
    one_of("class of data", &DataClass::ALL, DataClass::name, text)
}

pub(crate) fn place(text: &str) -> Word<Jurisdiction> {
    one_of("jurisdiction", &Jurisdiction::ALL, Jurisdiction::name, text)
}

pub(crate) fn trigger(text: &str) -> Word<Trigger> {
    one_of("trigger", &Trigger::ALL, Trigger::name, text)
}

pub(crate) fn modality(text: &str) -> Word<Modality> {
    one_of("modality", &Modality::ALL, Modality::name, text)
}

pub(crate) fn role(text: &str) -> Word<Role> {
    one_of("role", &Role::ALL, Role::name, text)
}

pub(crate) fn authority(text: &str) -> Word<Authority> {
    one_of("authority", &Authority::ALL, Authority::name, text)
}

pub(crate) fn request_kind(text: &str) -> Word<RequestKind> {
    one_of("request", &RequestKind::ALL, RequestKind::name, text)
}

pub(crate) fn ground(text: &str) -> Word<RefusalGround> {
    one_of("ground", &RefusalGround::ALL, RefusalGround::name, text)
}

pub(crate) fn reason(text: &str) -> Word<ExtensionReason> {
    one_of("reason", &ExtensionReason::ALL, ExtensionReason::name, text)
}

/// Who acts; the service itself is nobody on a command line.
pub(crate) fn actor(text: &str) -> Word<ActorRole> {
    let all = [ActorRole::Administrator, ActorRole::Auditor, ActorRole::Operator, ActorRole::Person];
    one_of("role", &all, ActorRole::name, text)
}

pub(crate) fn reference(text: &str) -> Word<Reference> {
    Reference::parse(text).ok_or_else(|| "1 to 64 of a-z, 0-9, '.', '-', '_'".to_owned())
}

pub(crate) fn recipient(text: &str) -> Word<RecipientId> {
    RecipientId::parse(text).ok_or_else(|| "1 to 64 of a-z, 0-9, '.', '-', '_'".to_owned())
}

pub(crate) fn request_id(text: &str) -> Word<RequestId> {
    RequestId::parse(text).ok_or_else(|| "an id is 32 lower-case hexadecimal digits".to_owned())
}

pub(crate) fn record_id(text: &str) -> Word<RecordId> {
    request_id(text).map(|id| RecordId::from_bytes(*id.as_bytes()))
}

pub(crate) fn digest(text: &str) -> Word<Digest> {
    Digest::parse(text).map_err(|_| "a digest is 64 lower-case hexadecimal digits".to_owned())
}

/// A day of the calendar.
pub(crate) fn date(text: &str) -> Word<Date> {
    text.parse().map_err(|error: jiff::Error| format!("no day of the calendar: {error}"))
}

/// An instant (RFC 3339), or a day, which begins at midnight UTC.
pub(crate) fn instant(text: &str) -> Word<Timestamp> {
    if text.contains(['T', 't', ' ']) {
        return text.parse().map_err(|error: jiff::Error| format!("no instant: {error}"));
    }
    let midnight = date(text)?.to_datetime(Time::midnight());
    TimeZone::UTC.to_timestamp(midnight).map_err(|error| format!("no instant: {error}"))
}

/// Two words with something between them.
pub(crate) fn pair(text: &str, between: char, form: impl Display) -> Word<(&str, &str)> {
    text.split_once(between).ok_or_else(|| format!("not of the form {form}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_or_the_known_ones_are_named() {
        assert_eq!(trigger("last-interaction"), Ok(Trigger::LastInteraction));
        assert_eq!(trigger("last_interaction"), Ok(Trigger::LastInteraction));
        let refused = place("us-ny").unwrap_err();
        assert!(refused.starts_with("no such jurisdiction; known: elsewhere, us, us-ca, "), "{refused}");
        assert!(class("selfies").is_err() && authority("").is_err() && request_id("0").is_err());
    }

    #[test]
    fn a_day_that_is_not_in_the_calendar_is_refused() {
        assert_eq!(instant("2024-02-29"), Ok("2024-02-29T00:00:00Z".parse().unwrap()));
        assert_eq!(instant("2024-02-29T10:00:00+01:00"), Ok("2024-02-29T09:00:00Z".parse().unwrap()));
        for text in ["2026-02-29", "2026-02-29T00:00:00Z", "yesterday", "", "2026-01-01T00:00:00"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
