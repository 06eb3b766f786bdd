use vouchsafe_embed::{Assurance, EmbedError, FaceScene, Judge, Judgement, ModelRole};
use vouchsafe_types::{Reasons, Refusal};
use zeroize::Zeroizing;

use crate::PassivePolicy;
use crate::evidence::{Evidence, Finding};
use crate::signal::{detail, smooth};

/// A judge of one still picture; what it accepts is [`Assurance::Weak`], always.
///
/// The method, its measurements and its limits are in [`passive_judge`](crate::passive_judge).
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct PassiveJudge {
    policy: PassivePolicy,
}

impl PassiveJudge {
    /// A judge with its own limits; [`Self::default`] has the measured ones.
    pub const fn new(policy: PassivePolicy) -> Self {
        Self { policy }
    }

    /// The limits it judges by.
    pub const fn policy(&self) -> &PassivePolicy {
        &self.policy
    }
}

impl Judge for PassiveJudge {
    /// Judges one picture.
    ///
    /// Returns:
    /// - [`Judgement::Live`] with [`Assurance::Weak`],
    /// - [`Judgement::Refused`] with [`Refusal::PresentationAttackSuspected`],
    /// - [`Judgement::Refused`] with [`Refusal::Undecided`] when the opinions disagree, lie between the limits, or
    ///   the picture is outside what the judge was measured on.
    ///
    /// # Errors
    /// The engine's, or [`EmbedError::ModelOutput`] when the model gives no usable score.
    fn judge(&self, scene: &FaceScene<'_>) -> Result<Judgement, EmbedError> {
        let finding = examine(scene)?.weigh(&self.policy);
        Ok(match finding {
            Finding::Live => Judgement::Live(Assurance::Weak),
            Finding::Attack => Judgement::Refused(Reasons::one(Refusal::PresentationAttackSuspected)),
            Finding::Undecided => Judgement::Refused(Reasons::one(Refusal::Undecided)),
        })
    }
}

/// The side of the model's input, in pixels.
const SIDE: usize = 128;
/// The wide crop, in face boxes: what the model was made for.
const WIDE: f32 = 2.7;
/// The close crop, in face boxes: other surroundings for the second opinion.
const CLOSE: f32 = 1.5;

fn examine(scene: &FaceScene<'_>) -> Result<Evidence, EmbedError> {
    let mut evidence = Evidence { wide: f32::NAN, close: f32::NAN, detail: f32::NAN };
    let wide = scene.crop(WIDE, SIDE);
    evidence.detail = detail(wide.expose_pixels(), SIDE);
    evidence.wide = score(scene, wide.expose_pixels())?;
    let close = scene.crop(CLOSE, SIDE);
    evidence.close = score(scene, &smooth(close.expose_pixels(), SIDE))?;
    Ok(evidence)
}

/// The model's probability of 'live', `[0, 1]`.
fn score(scene: &FaceScene<'_>, crop: &[f32]) -> Result<f32, EmbedError> {
    let outputs = scene.liveness(crop)?;
    live_probability(outputs.expose_output(0)).ok_or(EmbedError::ModelOutput { model: ModelRole::Liveness })
}

/// The softmax of class 0 of three logits; `None` unless there are three, all finite.
fn live_probability(logits: &[f32]) -> Option<f32> {
    let finite = logits.len() == 3 && logits.iter().all(|logit| logit.is_finite());
    let &live = logits.first().filter(|_| finite)?;
    let powers = Zeroizing::new(logits.iter().map(|logit| (logit - live).exp()).collect::<Vec<f32>>());
    Some(1.0 / powers.iter().sum::<f32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_softmax_of_class_zero() {
        let close = |logits: &[f32], expected: f32| {
            let found = live_probability(logits).unwrap();
            assert!((found - expected).abs() < 1e-6, "{logits:?}");
        };
        close(&[0.0; 3], 1.0 / 3.0);
        close(&[2f32.ln(), 0.0, 0.0], 0.5);
        close(&[300.0, -300.0, -300.0], 1.0);
        close(&[-300.0, 300.0, -300.0], 0.0);
    }

    #[test]
    fn an_unusable_output_is_no_score() {
        for bad in [&[][..], &[1.0, 2.0], &[0.0; 4], &[f32::NAN, 0.0, 0.0], &[0.0, f32::INFINITY, 0.0]] {
            assert_eq!(live_probability(bad), None);
        }
    }

    #[test]
    fn what_is_printed_holds_the_limits_only() {
        let printed = format!("{:?}", PassiveJudge::default());
        assert!(printed.starts_with("PassiveJudge { policy: PassivePolicy {"), "{printed}");
    }
}
