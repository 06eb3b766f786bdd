use std::fmt;

use vouchsafe_types::Secret;

/// The key of one person's templates for one scope: 32 secret bytes, wiped on drop.
///
/// It is derived from the person's leaf of the key tree under the label `template`; destroying the leaf
/// destroys it. Another key gives another, unlinkable template of the same face (ISO/IEC 24745, renewability).
pub struct TemplateKey(Secret<32>);

impl TemplateKey {
    /// Takes 32 uniformly random or derived bytes over.
    pub const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn expose_key(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateKey").finish_non_exhaustive()
    }
}
