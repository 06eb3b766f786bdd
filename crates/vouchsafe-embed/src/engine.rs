use std::fmt;

use vouchsafe_consent::{Basis, Binding, Permit};
use vouchsafe_types::{Digest, Timestamp};
use zeroize::Zeroizing;

use crate::align::{CROP_BYTES, SIDE, align};
use crate::detect::{centred, detect, fill};
use crate::landmark::{Landmarks, Point, landmarks};
use crate::port::Inference;
use crate::{Assurance, EmbedError, FaceBox, FaceEmbedding, FaceScene, Image, LiveFace, ModelRole};

/// The five graphs of the face recipe, each loaded by some engine.
pub struct Graphs {
    /// Finds faces; [`ModelRole::Detect`].
    pub detect: Box<dyn Inference>,
    /// Says whether an eye is open; [`ModelRole::Eye`].
    pub eye: Box<dyn Inference>,
    /// Gives embeddings; [`ModelRole::Feature`].
    pub feature: Box<dyn Inference>,
    /// Places points; [`ModelRole::Landmark`].
    pub landmark: Box<dyn Inference>,
    /// Scores presentation attacks; [`ModelRole::Liveness`].
    pub liveness: Box<dyn Inference>,
}

impl fmt::Debug for Graphs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graphs").finish_non_exhaustive()
    }
}

/// The face recipe over five loaded graphs. Immutable; share it in an `Arc`.
pub struct FaceEngine {
    graphs: Graphs,
    model: Digest,
}

impl FaceEngine {
    /// An engine over graphs loaded elsewhere; `model` is SHA-256 of the feature model's file.
    pub const fn from_graphs(graphs: Graphs, model: Digest) -> Self {
        Self { graphs, model }
    }

    /// Loads the five models into the crate's own engine.
    ///
    /// # Errors
    /// [`EmbedError::ModelGraph`] when a model is no graph of the recipe's shapes.
    #[cfg(feature = "engine-tract")]
    pub fn load(models: &crate::ModelSet) -> Result<Self, EmbedError> {
        let graphs = crate::tract::load(models)?;
        Ok(Self::from_graphs(graphs, models.digest_of(ModelRole::Feature)))
    }

    /// SHA-256 of the model that makes the embeddings.
    pub const fn model_digest(&self) -> Digest {
        self.model
    }

    /// Embeds a face that a capture session accepted; the face is used up, whatever comes of it.
    ///
    /// # Errors
    /// [`EmbedError::PermitStale`], [`EmbedError::BindingMismatch`] when the face was captured under a permit for
    /// something else, [`EmbedError::ModelOutput`], [`EmbedError::Engine`].
    pub fn embed<B: Basis>(
        &self,
        permit: &Permit<B>,
        face: LiveFace<B>,
        now: Timestamp,
    ) -> Result<FaceEmbedding<B>, EmbedError> {
        if !permit.is_live(now) {
            return Err(EmbedError::PermitStale);
        }
        if permit.binding() != face.binding() {
            return Err(EmbedError::BindingMismatch);
        }
        self.embed_crop(face.crop(), permit.binding().clone(), face.assurance())
    }

    /// Embeds an aligned crop: 112x112 pixels of blue, green, red.
    pub(crate) fn embed_crop<B: Basis>(
        &self,
        crop: &[u8],
        binding: Binding,
        assurance: Assurance,
    ) -> Result<FaceEmbedding<B>, EmbedError> {
        let outputs = self.graphs.feature.run(&feature_input(crop)?)?;
        let raw = outputs.of_len(FaceEmbedding::<B>::DIM).unwrap_or(&[]);
        FaceEmbedding::normalised(raw, binding, assurance, self.model)
            .ok_or(EmbedError::ModelOutput { model: ModelRole::Feature })
    }

    pub(crate) fn detect(&self, image: &Image) -> Result<Vec<FaceBox>, EmbedError> {
        detect(self.graphs.detect.as_ref(), image)
    }

    /// Landmarks, the five points of alignment, and the aligned crop.
    pub(crate) fn place(&self, image: &Image, face: &FaceBox) -> Result<Placed, EmbedError> {
        let landmarks = landmarks(self.graphs.landmark.as_ref(), image, face)?;
        let five = Zeroizing::new(landmarks.five());
        let crop = align(image, &five).ok_or(EmbedError::ModelOutput { model: ModelRole::Landmark })?;
        Ok(Placed { landmarks, five, crop })
    }

    pub(crate) fn scene<'a>(&'a self, image: &'a Image, face: FaceBox, placed: &'a Placed) -> FaceScene<'a> {
        FaceScene::new(
            image,
            face,
            &placed.landmarks,
            [self.graphs.liveness.as_ref(), self.graphs.eye.as_ref()],
        )
    }
}

impl fmt::Debug for FaceEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaceEngine").field("model", &self.model).finish_non_exhaustive()
    }
}

/// A face with its geometry and its aligned crop, all wiped on drop.
pub(crate) struct Placed {
    pub(crate) landmarks: Landmarks,
    pub(crate) five: Zeroizing<[Point; 5]>,
    pub(crate) crop: Zeroizing<Vec<u8>>,
}

/// `[1, 3, 112, 112]`, NCHW, blue, green, red, (value - 127) / 128.
fn feature_input(crop: &[u8]) -> Result<Zeroizing<Vec<f32>>, EmbedError> {
    if crop.len() != CROP_BYTES {
        return Err(EmbedError::CropSize);
    }
    let mut input = Zeroizing::new(vec![0f32; ModelRole::Feature.input_len()]);
    fill(&mut input, SIDE * SIDE, |put| {
        for (at, bgr) in crop.as_chunks::<3>().0.iter().enumerate() {
            put(at, bgr.map(centred));
        }
    });
    Ok(input)
}
