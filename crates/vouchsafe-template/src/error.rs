use std::fmt;

use thiserror::Error;

/// Why a template could not be read or compared. None of these is a verdict: callers treat them as no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Misuse: reference, probe and threshold were not made with one and the same model.
    #[error("reference, probe and threshold belong to different models")]
    ModelMismatch,
    /// Misuse: reference and probe are of different modalities.
    #[error("reference and probe are of different modalities")]
    ModalityMismatch,
    /// Misuse: no default threshold was reported for this model; the operator has to supply one.
    #[error("no threshold was reported for this model")]
    ThresholdUnknown,
    /// Malformed: the bytes are no protected reference of this version.
    #[error("protected reference is malformed: {0}")]
    Malformed(Part),
}

impl TemplateError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(self) -> bool {
        false
    }
}

/// Where the bytes of a protected reference stop making sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The dimension is not that of the modality.
    Dimension,
    /// There are too few or too many bytes.
    Length,
    /// The modality is unknown.
    Modality,
    /// The vector is not of unit length.
    Norm,
    /// The protection scheme is unknown.
    Scheme,
    /// A component of the vector is not a finite number.
    Value,
    /// The format version is unknown.
    Version,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dimension => "dimension",
            Self::Length => "length",
            Self::Modality => "modality",
            Self::Norm => "norm",
            Self::Scheme => "scheme",
            Self::Value => "value",
            Self::Version => "version",
        })
    }
}
