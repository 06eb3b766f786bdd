use std::fmt;

use vouchsafe_consent::{Binding, Consented};
use vouchsafe_embed::{Assurance, FaceEmbedding};
use vouchsafe_types::{Digest, Modality, wipe_stack};

use crate::vector::Vector;
use crate::{ProtectedReference, TemplateKey, scheme};

/// Protects an embedding and consumes it; the raw embedding is wiped.
///
/// Only an embedding that rests on consent is accepted. One made under an evaluation permit is another type:
///
/// ```compile_fail,E0308
/// use vouchsafe_consent::Evaluation;
/// use vouchsafe_embed::FaceEmbedding;
/// use vouchsafe_template::{TemplateKey, protect};
///
/// fn sneak_in(key: &TemplateKey, embedding: FaceEmbedding<Evaluation>) {
///     let _ = protect(key, embedding);
/// }
/// ```
///
/// The same program with a consented embedding compiles:
///
/// ```
/// use vouchsafe_consent::Consented;
/// use vouchsafe_embed::FaceEmbedding;
/// use vouchsafe_template::{TemplateKey, protect};
///
/// fn walk_in(key: &TemplateKey, embedding: FaceEmbedding<Consented>) {
///     let _ = protect(key, embedding);
/// }
/// ```
pub fn protect(key: &TemplateKey, embedding: FaceEmbedding<Consented>) -> ProtectedProbe {
    let vector = scheme::transform(key, embedding.expose_embedding());
    let probe = ProtectedProbe {
        vector,
        model: embedding.model(),
        modality: Modality::Face,
        binding: embedding.binding().clone(),
        assurance: embedding.assurance(),
    };
    drop(embedding);
    wipe_stack();
    probe
}

/// A protected biometric probe (ISO/IEC 2382-37): single use, wiped on drop, never cloned or serialised.
#[must_use]
pub struct ProtectedProbe {
    pub(crate) vector: Vector,
    pub(crate) model: Digest,
    pub(crate) modality: Modality,
    pub(crate) binding: Binding,
    pub(crate) assurance: Assurance,
}

impl ProtectedProbe {
    /// Whom and what the permit behind it belongs to.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// How strong its capture was.
    pub const fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// SHA-256 of the model that made the embedding.
    pub const fn model(&self) -> Digest {
        self.model
    }

    /// Turns it into the reference that enrolment stores. The link to the person is kept by the record, not by
    /// the reference.
    pub fn into_reference(self) -> ProtectedReference {
        ProtectedReference { vector: self.vector, model: self.model, modality: self.modality }
    }
}

impl fmt::Debug for ProtectedProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedProbe").finish_non_exhaustive()
    }
}
