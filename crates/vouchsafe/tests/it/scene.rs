//! A folder, a virtual clock and people whose embeddings are supplied.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use vouchsafe::consent::{AttestedBy, ExpressionKind};
use vouchsafe::embed::FaceEmbedding;
use vouchsafe::embed::danger::supplied_embedding;
use vouchsafe::template::Threshold;
use vouchsafe::{
    Act, ConsentReceipt, Consented, Decision, EnrolmentReceipt, Error, Notice, NoticeDraft, Organisation,
    Outcome, Permit, Ports, Scope, Subject, Timestamp, VirtualClock, Vouchsafe,
};

pub(crate) const FACE: Scope = Scope::FACE_VERIFICATION;

/// One folder, opened without face models.
pub(crate) struct Scene {
    pub(crate) dir: TempDir,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) service: Vouchsafe,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(VirtualClock::starting_at("2026-04-01T12:00:00Z".parse().unwrap()));
        let service = open(dir.path(), &clock);
        Self { dir, clock, service }
    }

    /// Closes nothing, opens the same folder again: a second process as far as files can tell.
    pub(crate) fn again(&self) -> Vouchsafe {
        open(self.dir.path(), &self.clock)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        let now = vouchsafe::Clock::now(&*self.clock).as_second();
        self.clock.set(Timestamp::from_second(now + seconds).unwrap());
    }
}

pub(crate) fn open(dir: &Path, clock: &Arc<VirtualClock>) -> Vouchsafe {
    Vouchsafe::open_with(Ports::in_folder(dir).unwrap().with_clock(clock.clone()))
}

/// The notice that everybody consents to; every element stands in its one sentence.
pub(crate) fn draft<'a>(version: &'a str, text: &'a str) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox, ExpressionKind::TypedSignature];
    let draft =
        NoticeDraft::new("face", version, "en", text.as_bytes()).schedule(b"Destroyed when you withdraw.");
    let draft = draft.collected(text).purpose(text).until_destroyed(text).release(text, ways);
    Scope::all_biometric().fold(draft, NoticeDraft::covers).material(AttestedBy::PrivacyOfficer)
}

pub(crate) fn notice(organisation: &Organisation<'_>) -> Notice {
    organisation.publish_notice(draft("1", "we measure your face")).unwrap()
}

/// Shows the person a notice and gives their consent.
pub(crate) fn try_give(
    person: &Subject<'_>,
    scope: Scope,
    notice: &Notice,
    act: Act,
) -> Result<ConsentReceipt, Error> {
    let served = person.serve_notice(scope, notice)?;
    Ok(person.give_consent(served.ticket(), act.attesting_age(18))?.or_refuse().unwrap())
}

pub(crate) fn give(person: &Subject<'_>, scope: Scope, notice: &Notice) -> ConsentReceipt {
    try_give(person, scope, notice, Act::checkbox()).unwrap()
}

/// A person who has consented to face verification.
pub(crate) fn consented<'a>(organisation: &'a Organisation<'a>, id: &str) -> Subject<'a> {
    let person = organisation.subject(id).unwrap();
    give(&person, FACE, &notice(organisation));
    person
}

pub(crate) fn permit(person: &Subject<'_>) -> Permit<Consented> {
    person.permit(FACE).unwrap().or_refuse().unwrap()
}

/// A reproducible direction in 512 dimensions; another seed gives an unlike one.
pub(crate) fn face(permit: &Permit<Consented>, seed: u64) -> FaceEmbedding<Consented> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values = std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    });
    supplied_embedding(permit, &values, Threshold::SHIPPED_FACE_MODEL).unwrap()
}

pub(crate) fn enrol(person: &Subject<'_>, seed: u64) -> EnrolmentReceipt {
    let permit = permit(person);
    person.enrol_embedding(&permit, face(&permit, seed)).unwrap().or_refuse().unwrap()
}

pub(crate) fn verify(person: &Subject<'_>, seed: u64) -> Decision {
    let permit = permit(person);
    person.verify_embedding(&permit, face(&permit, seed)).unwrap()
}

pub(crate) fn refusal<T>(outcome: Outcome<T>) -> vouchsafe::Refusal {
    outcome.or_refuse().err().unwrap().as_slice()[0]
}
