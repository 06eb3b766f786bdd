use std::fmt;

use vouchsafe_consent::{Basis, Permit};
use vouchsafe_types::{Modality, Outcome, Reasons, Refusal, Timestamp, wipe_stack};

use crate::quality::Quality;
use crate::{CapturePolicy, EmbedError, FaceBox, FaceEngine, Image, Judge, Judgement, LiveFace};

/// One capture under one permit: takes one picture and gives at most one [`LiveFace`].
///
/// Nobody's geometry is scanned before the permit exists, and the picture is consumed:
///
/// ```compile_fail
/// use vouchsafe_consent::{Consented, Permit};
/// use vouchsafe_embed::{CapturePolicy, CaptureSession, FaceEngine};
/// use vouchsafe_types::Timestamp;
/// fn without_permit(engine: &FaceEngine) {
///     let now = Timestamp::UNIX_EPOCH;
///     let _ = CaptureSession::<Consented>::open(engine, CapturePolicy::default(), now);
/// }
/// ```
/// ```
/// use vouchsafe_consent::{Consented, Permit};
/// use vouchsafe_embed::{CapturePolicy, CaptureSession, EmbedError, FaceEngine, Image, Judge, LiveFace};
/// use vouchsafe_types::{Outcome, Timestamp};
/// fn capture(
///     engine: &FaceEngine,
///     permit: &Permit<Consented>,
///     image: Image,
///     judge: &dyn Judge,
///     now: Timestamp,
/// ) -> Result<Outcome<LiveFace<Consented>>, EmbedError> {
///     CaptureSession::open(engine, permit, CapturePolicy::default(), now)?.submit(image, judge)
/// }
/// ```
#[must_use]
pub struct CaptureSession<'e, 'p, B: Basis> {
    engine: &'e FaceEngine,
    permit: &'p Permit<B>,
    policy: CapturePolicy,
}

impl<'e, 'p, B: Basis> CaptureSession<'e, 'p, B> {
    /// Opens a session.
    ///
    /// # Errors
    /// [`EmbedError::PermitStale`], or [`EmbedError::NotForFace`] when the permit's scope is another modality.
    pub fn open(
        engine: &'e FaceEngine,
        permit: &'p Permit<B>,
        policy: CapturePolicy,
        now: Timestamp,
    ) -> Result<Self, EmbedError> {
        if !permit.is_live(now) {
            return Err(EmbedError::PermitStale);
        }
        if permit.binding().scope().modality() != Some(Modality::Face) {
            return Err(EmbedError::NotForFace);
        }
        Ok(Self { engine, permit, policy })
    }

    /// Detects, measures quality, asks the judge, and gives the aligned face; the picture is wiped on return.
    ///
    /// Returns [`Outcome::Refused`] with
    /// - [`Refusal::NoFace`] or [`Refusal::SeveralFaces`],
    /// - [`Refusal::FaceTooSmall`], [`Refusal::FaceTurned`], [`Refusal::TooDark`], [`Refusal::TooBright`],
    ///   [`Refusal::TooBlurred`], as many as apply,
    /// - the judge's own reasons.
    ///
    /// # Errors
    /// [`EmbedError::Engine`], [`EmbedError::ModelOutput`], or the judge's own: no verdict.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the session consumes the picture, so that nobody keeps it"
    )]
    pub fn submit(self, image: Image, judge: &dyn Judge) -> Result<Outcome<LiveFace<B>>, EmbedError> {
        let outcome = self.examine(&image, judge);
        wipe_stack();
        outcome
    }

    // Never inlined: its frames hold points and pixels, and the caller wipes them.
    #[inline(never)]
    fn examine(&self, image: &Image, judge: &dyn Judge) -> Result<Outcome<LiveFace<B>>, EmbedError> {
        let face = match self.only_face(&self.engine.detect(image)?) {
            Ok(face) => face,
            Err(refusal) => return Ok(Outcome::Refused(Reasons::one(refusal))),
        };
        let placed = self.engine.place(image, &face)?;
        if let Some(reasons) = Quality::measure(&placed.crop, &placed.five).refusals(&self.policy) {
            return Ok(Outcome::Refused(reasons));
        }
        match judge.judge(&self.engine.scene(image, face, &placed))? {
            Judgement::Refused(reasons) => Ok(Outcome::Refused(reasons)),
            Judgement::Live(assurance) => {
                Ok(Outcome::Done(LiveFace::new(placed.crop, self.permit.binding().clone(), assurance)))
            }
        }
    }

    /// The largest face, if no other is nearly as tall.
    fn only_face(&self, faces: &[FaceBox]) -> Result<FaceBox, Refusal> {
        let largest = largest(faces).ok_or(Refusal::NoFace)?;
        let counts = |face: &&FaceBox| face.height() >= largest.height() * self.policy.second_face_ratio;
        // The largest counts too, unless the policy's ratio is above 1.
        if faces.iter().filter(counts).count() > 1 { Err(Refusal::SeveralFaces) } else { Ok(largest) }
    }
}

impl<B: Basis> fmt::Debug for CaptureSession<'_, '_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureSession").field("policy", &self.policy).finish_non_exhaustive()
    }
}

pub(crate) fn largest(faces: &[FaceBox]) -> Option<FaceBox> {
    faces.iter().copied().max_by(|a, b| a.area().total_cmp(&b.area()))
}
