use std::fmt;
use std::marker::PhantomData;

use vouchsafe_consent::{Basis, Binding};
use zeroize::Zeroizing;

use crate::Assurance;

/// A face that the judge accepted, aligned and ready to embed. Made only by a capture session, used once.
///
/// It holds the pixels that were judged, so what was judged live is what is matched.
///
/// ```compile_fail
/// use vouchsafe_consent::{Consented, Permit};
/// use vouchsafe_embed::{FaceEngine, LiveFace};
/// use vouchsafe_types::Timestamp;
/// fn twice(engine: &FaceEngine, permit: &Permit<Consented>, face: LiveFace<Consented>) {
///     let _ = engine.embed(permit, face, Timestamp::UNIX_EPOCH);
///     let _ = engine.embed(permit, face, Timestamp::UNIX_EPOCH); // used already
/// }
/// ```
///
/// Once is fine:
///
/// ```
/// use vouchsafe_consent::{Consented, Permit};
/// use vouchsafe_embed::{FaceEngine, LiveFace};
/// use vouchsafe_types::Timestamp;
/// fn once(engine: &FaceEngine, permit: &Permit<Consented>, face: LiveFace<Consented>) {
///     let _ = engine.embed(permit, face, Timestamp::UNIX_EPOCH);
/// }
/// ```
/// ```compile_fail
/// fn show(face: vouchsafe_embed::LiveFace<vouchsafe_consent::Consented>) {
///     println!("{face}");
/// }
/// ```
/// ```compile_fail
/// fn forge(crop: Vec<u8>) -> vouchsafe_embed::LiveFace<vouchsafe_consent::Consented> {
///     vouchsafe_embed::LiveFace { crop }
/// }
/// ```
#[must_use]
pub struct LiveFace<B: Basis> {
    crop: Zeroizing<Vec<u8>>,
    binding: Binding,
    assurance: Assurance,
    basis: PhantomData<B>,
}

impl<B: Basis> LiveFace<B> {
    // INVARIANT (judged pixels): called by the capture session only, with the crop of the picture it judged.
    pub(crate) const fn new(crop: Zeroizing<Vec<u8>>, binding: Binding, assurance: Assurance) -> Self {
        Self { crop, binding, assurance, basis: PhantomData }
    }

    /// Whom and what it belongs to.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// How much the capture vouches for.
    pub const fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// 112x112 pixels of blue, green, red.
    pub(crate) fn crop(&self) -> &[u8] {
        &self.crop
    }
}

impl<B: Basis> fmt::Debug for LiveFace<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveFace").finish_non_exhaustive()
    }
}
