use ring::digest::{Context, SHA256};
use vouchsafe_types::Digest;

use crate::policy::finish;
use crate::{PackFault, Policy, Problem, RetentionError};

/// What the signer of a pack signs: the pack's bytes, by their digest.
///
/// # Encoding
///
/// ASCII: `vouchsafe-policy-pack-1`, a line feed, SHA-256 of the pack's bytes in lower-case hexadecimal, a line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackStatement {
    digest: Digest,
}

impl PackStatement {
    /// The statement over these bytes.
    pub fn of(pack: &str) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(pack.as_bytes());
        Self { digest: finish(context) }
    }

    /// SHA-256 of the pack's bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes to sign.
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("vouchsafe-policy-pack-1\n{}\n", self.digest).into_bytes()
    }
}

/// Knows the keys whose holders may say how long data is kept.
pub trait PackVerifier {
    /// Whether `signature` is one of a known signer over exactly these bytes.
    fn is_signed(&self, statement: &[u8], signature: &[u8]) -> bool;
}

impl Policy {
    /// Loads the packs that ship, and behind them packs with a signature each.
    ///
    /// # Errors
    /// [`RetentionError::Pack`] with [`Problem::Signature`] for a pack whose signature is missing, of other bytes or by
    /// nobody who is known, before anything in it is read; else as [`Self::from_packs`].
    pub fn from_signed(
        packs: &[(&str, &[u8])],
        verifier: &(impl PackVerifier + ?Sized),
    ) -> Result<Self, RetentionError> {
        let mut texts = Self::shipped_packs();
        for (place, (text, signature)) in (texts.len() + 1..).zip(packs) {
            if !verifier.is_signed(&PackStatement::of(text).to_bytes(), signature) {
                let (pack, problem) = (format!("number {place}"), Problem::Signature);
                return Err(RetentionError::Pack(PackFault { pack, line: None, rule: None, problem }));
            }
            texts.push(text);
        }
        Self::from_packs(&texts)
    }
}
