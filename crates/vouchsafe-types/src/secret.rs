use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, optimization_barrier};

use crate::port::{Entropy, EntropyUnavailable};

/// `N` secret bytes on the heap: wiped on drop, never cloned, printed or serialised.
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Lets the closure write the secret straight into its final place, so that no copy is left on the stack.
    pub fn init_with(write: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        write(&mut secret.0);
        secret
    }

    /// As [`Self::init_with`], for a closure that can fail.
    ///
    /// # Errors
    /// The closure's own error; what it wrote is wiped.
    pub fn try_init_with<E>(write: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        write(&mut secret.0)?;
        Ok(secret)
    }

    /// Fresh random bytes.
    ///
    /// # Errors
    /// [`EntropyUnavailable`] when the source cannot answer.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        Self::try_init_with(|bytes| entropy.fill(bytes))
    }

    /// Copies `N` bytes in; `None` when the length differs. The caller wipes the source.
    pub fn copy_from_slice(bytes: &[u8]) -> Option<Self> {
        let source: &[u8; N] = bytes.try_into().ok()?;
        Some(Self::init_with(|own| own.copy_from_slice(source)))
    }

    /// The secret bytes. Grep for this name to find every reader.
    pub fn expose_secret(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

/// Secret bytes of any length: wiped on drop, never cloned, printed or serialised.
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The secret bytes. Grep for this name to find every reader.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        // Emptied first: then all of the block is spare, and is wiped at once instead of byte by byte.
        self.0.clear();
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBytes").finish_non_exhaustive()
    }
}

/// Overwrites 32 KiB of the stack below the caller.
///
/// Ciphers, hashes and moves leave copies in dead stack frames that no destructor reaches. Calling this after
/// the last use of a key overwrites them, as deep as 32 KiB. The deepest user known is a puncture, which walks the
/// key tree down by recursion: the memory test finds remnants below 20 KiB with optimisation, below 24 KiB without.
#[inline(never)]
pub fn wipe_stack() {
    let frame = [0u64; 4096];
    optimization_barrier(&frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_nothing_and_compare_in_constant_time() {
        let a = Secret::<4>::copy_from_slice(&[1, 2, 3, 4]).unwrap();
        let b = Secret::<4>::init_with(|bytes| *bytes = [1, 2, 3, 5]);
        assert_eq!(format!("{a:?}"), "Secret { .. }");
        assert_eq!(format!("{:?}", SecretBytes::new(vec![1])), "SecretBytes { .. }");
        assert!(bool::from(a.ct_eq(&a)));
        assert!(!bool::from(a.ct_eq(&b)));
        assert!(Secret::<4>::copy_from_slice(&[1]).is_none());
    }
}
