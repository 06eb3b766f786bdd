//! What the benches in `benches/` share; run them with `cargo bench -p vouchsafe-benches`.
//!
//! Two programs measure the keys, `key-growth` and `key-cache`, one the log, `log-append`, and one retention,
//! `sweep-cost`; run them with `cargo run -p vouchsafe-benches --bin NAME`.
#![forbid(unsafe_code)]

pub mod figures;
pub mod memory;
pub mod plot;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use vouchsafe::consent::{AttestedBy, ExpressionKind};
use vouchsafe::embed::{EmbedError, FaceEmbedding, danger::supplied_embedding};
use vouchsafe::template::Threshold;
use vouchsafe::{
    Act, ConsentReceipt, Consented, Error, Notice, NoticeDraft, Organisation, Permit, Ports, Scope, Subject,
    Timestamp, VirtualClock, Vouchsafe,
};

/// The scope of every consent in a bench.
pub const SCOPE: Scope = Scope::FACE_VERIFICATION;

/// A folder on the disk under test with everything but face models, on a clock that stands still.
///
/// # Errors
/// As [`Ports::in_folder`].
pub fn service(folder: &TempDir) -> Result<Vouchsafe, Error> {
    let clock = Arc::new(VirtualClock::starting_at(Timestamp::UNIX_EPOCH));
    Ok(Vouchsafe::open_with(Ports::in_folder(folder.path())?.with_clock(clock)))
}

/// Publishes the notice that everybody consents to; again and again it is the same.
///
/// # Errors
/// As [`Organisation::publish_notice`].
pub fn notice(organisation: &Organisation<'_>) -> Result<Notice, Error> {
    organisation.publish_notice(draft("1", "We measure your face."))
}

/// The notice that everybody consents to; every element stands in its one sentence.
pub fn draft<'a>(version: &'a str, text: &'a str) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox, ExpressionKind::TypedSignature];
    let draft =
        NoticeDraft::new("face", version, "en", text.as_bytes()).schedule(b"Destroyed when you withdraw.");
    let draft = draft.collected(text).purpose(text).until_destroyed(text).release(text, ways);
    Scope::all_biometric().fold(draft, NoticeDraft::covers).material(AttestedBy::PrivacyOfficer)
}

/// Shows a person the notice and gives their consent.
///
/// # Errors
/// What the showing or the act answers.
pub fn give(person: &Subject<'_>, notice: &Notice) -> Result<ConsentReceipt, Box<dyn std::error::Error>> {
    let served = person.serve_notice(SCOPE, notice)?;
    Ok(person.give_consent(served.ticket(), Act::checkbox().attesting_age(18))?.or_refuse()?)
}

/// A person who consented, with a permit.
///
/// # Errors
/// What the consent or the gate answers.
pub fn consented<'a>(
    organisation: &'a Organisation<'a>,
    id: &str,
) -> Result<(Subject<'a>, Permit<Consented>), Box<dyn std::error::Error>> {
    let person = organisation.subject(id)?;
    give(&person, &notice(organisation)?)?;
    let permit = person.permit(SCOPE)?.or_refuse()?;
    Ok((person, permit))
}

/// A supplied embedding: a direction that depends on the seed alone.
///
/// # Errors
/// Never: the numbers are finite.
pub fn embedding(permit: &Permit<Consented>, seed: u64) -> Result<FaceEmbedding<Consented>, EmbedError> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values = std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f32::from(state.to_le_bytes()[7]) - 127.5
    });
    supplied_embedding(permit, &values, Threshold::SHIPPED_FACE_MODEL)
}

/// A temporary folder within `place`: benches pass a folder of the build's own disk, because `/tmp` may be memory
/// and a sync would then cost nothing.
///
/// # Errors
/// The operating system's own.
pub fn folder(place: impl AsRef<Path>) -> std::io::Result<TempDir> {
    tempfile::tempdir_in(place)
}
