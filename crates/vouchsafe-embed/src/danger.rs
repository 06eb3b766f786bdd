//! Doors around the capture session, for accuracy runs on pictures whose people consented elsewhere.
//!
//! What is lost: no quality gate, no judge, no consent to this system. What is kept: what comes out belongs to
//! an evaluation by type, which neither protection nor storage nor tokens accept.

use std::fmt;

use vouchsafe_consent::{Evaluation, Permit};
use zeroize::Zeroizing;

use crate::session::largest;
use crate::{Assurance, EmbedError, FaceEmbedding, FaceEngine, Image, Judge, Judgement};

/// The largest face of a picture, embedded, with the crop it was embedded from.
pub struct Evaluated {
    embedding: FaceEmbedding<Evaluation>,
    crop: Zeroizing<Vec<u8>>,
}

impl Evaluated {
    /// The embedding.
    pub const fn embedding(&self) -> &FaceEmbedding<Evaluation> {
        &self.embedding
    }

    /// The embedding alone.
    pub fn into_embedding(self) -> FaceEmbedding<Evaluation> {
        self.embedding
    }

    /// The aligned crop: 112x112 pixels of blue, green, red, row after row.
    pub fn expose_crop(&self) -> &[u8] {
        &self.crop
    }
}

impl fmt::Debug for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluated").finish_non_exhaustive()
    }
}

/// Embeds the largest face; `None` when there is none.
///
/// # Errors
/// [`EmbedError::Engine`] or [`EmbedError::ModelOutput`].
pub fn evaluate(
    engine: &FaceEngine,
    permit: &Permit<Evaluation>,
    image: &Image,
) -> Result<Option<Evaluated>, EmbedError> {
    let Some(face) = largest(&engine.detect(image)?) else {
        return Ok(None);
    };
    let crop = engine.place(image, &face)?.crop;
    let embedding = embed_crop(engine, permit, &crop)?;
    Ok(Some(Evaluated { embedding, crop }))
}

/// Embeds a crop that was aligned elsewhere: 112x112 pixels of blue, green, red.
///
/// # Errors
/// [`EmbedError::CropSize`], [`EmbedError::Engine`] or [`EmbedError::ModelOutput`].
pub fn embed_crop(
    engine: &FaceEngine,
    permit: &Permit<Evaluation>,
    bgr_crop: &[u8],
) -> Result<FaceEmbedding<Evaluation>, EmbedError> {
    engine.embed_crop(bgr_crop, permit.binding().clone(), Assurance::Weak)
}

/// Asks a judge about the largest face, without the quality gate; `None` when there is none.
///
/// # Errors
/// [`EmbedError::Engine`], [`EmbedError::ModelOutput`] or the judge's own.
pub fn judge(
    engine: &FaceEngine,
    _permit: &Permit<Evaluation>,
    image: &Image,
    judge: &dyn Judge,
) -> Result<Option<Judgement>, EmbedError> {
    let Some(face) = largest(&engine.detect(image)?) else {
        return Ok(None);
    };
    let placed = engine.place(image, &face)?;
    judge.judge(&engine.scene(image, face, &placed)).map(Some)
}

/// An embedding from numbers instead of a face, for tests of what comes after; normalised to length 1.
///
/// # Errors
/// [`EmbedError::ModelOutput`] when the values are not finite or all zero.
#[cfg(feature = "test-util")]
pub fn supplied_embedding(
    permit: &Permit<vouchsafe_consent::Consented>,
    values: &[f32; 512],
    model: vouchsafe_types::Digest,
) -> Result<FaceEmbedding<vouchsafe_consent::Consented>, EmbedError> {
    FaceEmbedding::normalised(values, permit.binding().clone(), Assurance::Weak, model)
        .ok_or(EmbedError::ModelOutput { model: crate::ModelRole::Feature })
}
