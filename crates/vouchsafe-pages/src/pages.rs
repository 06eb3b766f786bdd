use std::fmt;

use zeroize::Zeroize;

#[cfg(any(not(unix), miri))]
use crate::heap::Memory;
#[cfg(all(unix, not(miri)))]
use crate::mapping::Memory;

use crate::PagesError;

/// Secret bytes in pages of their own: locked, left out of core dumps and of children, wiped on drop.
///
/// The number of bytes is fixed. Never cloned, printed or serialised. What the system refused to protect,
/// [`Self::protection`] tells.
pub struct SecretPages(Memory);

/// What the system granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protection {
    /// The pages are never written to swap.
    pub locked: bool,
    /// The pages are left out of core dumps.
    pub undumpable: bool,
    /// A forked child finds zeros.
    pub unshared_with_children: bool,
}

impl Protection {
    pub(crate) const NONE: Self = Self { locked: false, undumpable: false, unshared_with_children: false };
}

impl SecretPages {
    /// `len` zeroed bytes, 0 or more, in whole pages of their own.
    ///
    /// # Errors
    /// [`PagesError::Unavailable`] when the system gives no memory. A protection that it refuses is no error.
    pub fn zeroed(len: usize) -> Result<Self, PagesError> {
        Memory::zeroed(len).map(Self)
    }

    /// The secret bytes. Grep for this name to find every reader.
    pub const fn expose_secret(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The secret bytes, to write them. Grep for this name to find every writer.
    pub const fn expose_secret_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }

    /// The number of bytes, as asked for.
    pub const fn len(&self) -> usize {
        self.expose_secret().len()
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the system granted when the pages were made.
    pub const fn protection(&self) -> Protection {
        self.0.protection()
    }
}

impl Zeroize for SecretPages {
    fn zeroize(&mut self) {
        self.expose_secret_mut().zeroize();
    }
}

impl Drop for SecretPages {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl fmt::Debug for SecretPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretPages").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_zero_at_first_and_keep_what_is_written() {
        for len in [0, 1, 31, 4095, 4096, 4097, 70_000] {
            let mut pages = SecretPages::zeroed(len).unwrap();
            assert_eq!((pages.len(), pages.is_empty()), (len, len == 0));
            assert!(pages.expose_secret().iter().all(|byte| *byte == 0));
            let pattern: Vec<u8> = (1..=251).cycle().take(len).collect();
            pages.expose_secret_mut().copy_from_slice(&pattern);
            assert_eq!(pages.expose_secret(), pattern);
        }
    }

    #[test]
    fn the_wipe_of_the_drop_leaves_zeros() {
        let mut pages = SecretPages::zeroed(10_000).unwrap();
        pages.expose_secret_mut().fill(0xa5);
        pages.zeroize();
        assert_eq!(pages.len(), 10_000);
        assert!(pages.expose_secret().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn sizes_no_system_has_are_refused() {
        for len in [usize::MAX, isize::MAX as usize, isize::MAX as usize - 4096] {
            assert_eq!(SecretPages::zeroed(len).unwrap_err(), PagesError::Unavailable);
        }
    }

    #[test]
    fn nothing_is_printed() {
        let mut pages = SecretPages::zeroed(3).unwrap();
        pages.expose_secret_mut().copy_from_slice(b"key");
        assert_eq!(format!("{pages:?}"), "SecretPages { .. }");
    }

    #[test]
    fn pages_move_between_threads() {
        let mut pages = SecretPages::zeroed(8).unwrap();
        let pages = std::thread::spawn(move || {
            pages.expose_secret_mut().fill(9);
            pages
        });
        let pages = pages.join().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert_eq!(pages.expose_secret(), [9; 8]));
            }
        });
    }
}
