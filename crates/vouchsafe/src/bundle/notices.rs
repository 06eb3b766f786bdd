//! The notices of a bundle.

use vouchsafe_consent::Notice;
use vouchsafe_types::Digest;

use super::list::Content;
use crate::payload::Payload;

/// Whether these are the files of the notice that the entry's payload describes.
pub(super) fn is_notice(
    payload: &Payload,
    digest: &Digest,
    shown: &[u8],
    terms: Option<&[u8]>,
    schedule: Option<&[u8]>,
) -> bool {
    let Some(stated) = &payload.terms else {
        // One of schema 2, which states no terms.
        return Content::of(shown).is(digest) && terms.is_none() && schedule.is_none();
    };
    let Some(json) = terms.and_then(|terms| str::from_utf8(terms).ok()) else { return false };
    let Ok(notice) = Notice::from_json(json) else { return false };
    let labelled = payload.notice.as_ref().is_some_and(|label| {
        label.id == notice.id()
            && label.version == notice.version()
            && label.locale == notice.locale()
            && notice.digest() == *digest
    });
    let scheduled = match (notice.terms(), schedule) {
        (Some(terms), Some(schedule)) => terms.schedule().matches(schedule),
        (terms, schedule) => terms.is_none() && schedule.is_none(),
    };
    let same = serde_json::from_str::<serde_json::Value>(json).is_ok_and(|terms| terms == *stated);
    labelled && scheduled && same && notice.matches(shown)
}
