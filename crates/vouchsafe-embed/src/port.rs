use std::fmt;

use vouchsafe_types::Reasons;
use zeroize::Zeroizing;

use crate::{EmbedError, FaceScene};

/// One loaded graph of fixed shapes. An engine implements it; the crate has one behind feature `engine-tract`.
pub trait Inference: Send + Sync {
    /// Runs the graph on one input, in the order and range that the model's manifest states.
    ///
    /// The implementation wipes what it copied of the input and of the outputs, as far as it can reach it.
    ///
    /// # Errors
    /// [`EmbedError::InputSize`] when the length is wrong, [`EmbedError::Engine`] when the engine fails.
    fn run(&self, input: &[f32]) -> Result<Outputs, EmbedError>;
}

/// The outputs of a graph in the graph's order, wiped on drop.
pub struct Outputs(Vec<Zeroizing<Vec<f32>>>);

impl Outputs {
    /// Takes outputs over.
    pub const fn new(outputs: Vec<Zeroizing<Vec<f32>>>) -> Self {
        Self(outputs)
    }

    /// The output at this position; empty when there is none.
    pub fn expose_output(&self, position: usize) -> &[f32] {
        self.0.get(position).map_or(&[], |output| output.as_slice())
    }

    /// The first output with this many numbers.
    pub(crate) fn of_len(&self, length: usize) -> Option<&[f32]> {
        self.0.iter().map(|output| output.as_slice()).find(|output| output.len() == length)
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs").finish_non_exhaustive()
    }
}

/// Who decides whether a face in front of the camera is a person's.
///
/// The session asks it once, on the very pixels that are matched later.
pub trait Judge: Send + Sync {
    /// Judges one scene.
    ///
    /// Returns:
    /// - [`Judgement::Live`] with the assurance that the evidence supports,
    /// - [`Judgement::Refused`] with the reasons, also when the judge is undecided.
    ///
    /// # Errors
    /// No verdict: the caller treats it as no. [`EmbedError::JudgeUnavailable`] or the engine's error.
    fn judge(&self, scene: &FaceScene<'_>) -> Result<Judgement, EmbedError>;
}

/// What a [`Judge`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "both verdicts are matched on purpose")]
pub enum Judgement {
    /// A person in front of the camera, as far as the evidence goes.
    Live(Assurance),
    /// Not accepted, and why.
    Refused(Reasons),
}

/// How much a capture vouches for; a later variant vouches for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "policies match every level on purpose")]
pub enum Assurance {
    /// One still picture that no passive check refused.
    Weak,
    /// The person answered a challenge that a recording could not foresee.
    Challenged,
}
