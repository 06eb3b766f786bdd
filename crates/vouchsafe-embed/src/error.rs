use thiserror::Error;

use crate::ModelRole;

/// Why no verdict was reached. Refusals of a picture are not here: they are verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// Misuse: the face was captured under a permit for another person, organisation, scope or act of consent.
    #[error("face and permit belong to different bindings")]
    BindingMismatch,
    /// Misuse: a crop has another size than 112x112 pixels of three bytes.
    #[error("crop has the wrong number of bytes")]
    CropSize,
    /// Misuse: a graph was given an input of another length than it takes.
    #[error("input of the {model} model has the wrong length")]
    InputSize {
        /// Which model.
        model: ModelRole,
    },
    /// Misuse: the permit is for something other than a face.
    #[error("permit is not for a face")]
    NotForFace,
    /// Misuse: the permit is stale; ask the consent gate again.
    #[error("permit is stale")]
    PermitStale,

    /// Malformed: the file is an animation; a capture is one picture.
    #[error("image is an animation")]
    ImageAnimated,
    /// Malformed: the file is damaged.
    #[error("image is damaged")]
    ImageCorrupt,
    /// Malformed: there are no bytes.
    #[error("image is empty")]
    ImageEmpty,
    /// Malformed: the file is none of JPEG, PNG, WebP, or a kind of them that is not read (CMYK).
    #[error("image format is not supported")]
    ImageFormat,
    /// Malformed: the file or the picture exceeds a limit.
    #[error("image exceeds a size limit")]
    ImageTooLarge,
    /// Malformed: a side of the picture is below the limit.
    #[error("image is too small")]
    ImageTooSmall,
    /// Malformed: the file ends before the picture does.
    #[error("image is truncated")]
    ImageTruncated,
    /// Malformed: a model's bytes are not those the manifest names.
    #[error("the {model} model does not match its digest")]
    ModelCorrupt {
        /// Which model.
        model: ModelRole,
    },
    /// Malformed: a model is no graph that the engine can run with the recipe's shapes.
    #[error("the {model} model cannot be loaded")]
    ModelGraph {
        /// Which model.
        model: ModelRole,
    },
    /// Malformed: the manifest does not parse, misses a model, names one twice or states another shape.
    #[error("model manifest is malformed")]
    ModelManifest,
    /// Malformed: a model gave numbers that are not finite, too few, or all zero.
    #[error("the {model} model gave an unusable output")]
    ModelOutput {
        /// Which model.
        model: ModelRole,
    },

    /// Unavailable: the engine failed while it ran a model.
    #[error("the {model} model failed to run")]
    Engine {
        /// Which model.
        model: ModelRole,
    },
    /// Unavailable: the judge could not judge.
    #[error("the judge is unavailable")]
    JudgeUnavailable,
    /// Unavailable: the manifest cannot be read.
    #[error("model manifest cannot be read")]
    ManifestUnreadable,
    /// Unavailable: a model file cannot be read.
    #[error("the {model} model cannot be read")]
    ModelUnreadable {
        /// Which model.
        model: ModelRole,
    },
}

impl EmbedError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Engine { .. }
                | Self::JudgeUnavailable
                | Self::ManifestUnreadable
                | Self::ModelUnreadable { .. }
        )
    }
}
