//! What the benches in `benches/` share; run them with `cargo bench -p vouchsafe-benches`.
//!
//! Two programs measure the keys: `key-growth` and `key-cache`, run with `cargo run -p vouchsafe-benches --bin NAME`.
#![forbid(unsafe_code)]

pub mod figures;
pub mod memory;
pub mod plot;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use vouchsafe::embed::{EmbedError, FaceEmbedding, danger::supplied_embedding};
use vouchsafe::template::Threshold;
use vouchsafe::{
    Act, Consented, Error, Notice, Organisation, Permit, Ports, Scope, Subject, Timestamp, VirtualClock,
    Vouchsafe,
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
    organisation.publish_notice("face", "1", "en", b"We measure your face.")
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
    person.give_consent(SCOPE, &notice(organisation)?, Act::Checkbox)?;
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
