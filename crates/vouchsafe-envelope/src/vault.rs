//! Long-lived keys, 32 bytes each, in pages of their own: locked, left out of core dumps, wiped.
use vouchsafe_pages::SecretPages;

use crate::EnvelopeError;

/// What stands before the keys. A forked child finds zeros here and in every key: its pages were wiped.
const CANARY: [u8; KEY_LEN] = [0xa5; KEY_LEN];

/// Bytes of a key.
pub(crate) const KEY_LEN: usize = 32;

/// A growing list of keys. Growth copies into fresh pages and wipes the old ones.
pub(crate) struct Vault {
    pages: SecretPages,
    len: usize,
}

impl Vault {
    /// Room for this many keys.
    pub(crate) fn with_capacity(keys: usize) -> Result<Self, EnvelopeError> {
        let slots = keys.checked_add(1).and_then(|slots| slots.checked_mul(KEY_LEN));
        let bytes = slots.ok_or(EnvelopeError::NoResources)?;
        let mut pages = SecretPages::zeroed(bytes).map_err(|_| EnvelopeError::NoResources)?;
        let first = pages.expose_secret_mut().first_chunk_mut().ok_or(EnvelopeError::NoResources)?;
        *first = CANARY;
        Ok(Self { pages, len: 0 })
    }

    /// Lets the closure write one more key straight into its place.
    pub(crate) fn push<E: From<EnvelopeError>>(
        &mut self,
        write: impl FnOnce(&mut [u8; KEY_LEN]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.pages.len() / KEY_LEN == self.len + 1 {
            self.grow()?;
        }
        let (slots, _) = self.pages.expose_secret_mut().as_chunks_mut::<KEY_LEN>();
        let slot = slots.get_mut(self.len + 1).ok_or(EnvelopeError::NoResources)?;
        write(slot)?;
        self.len += 1;
        Ok(())
    }

    /// Copies one more key in.
    pub(crate) fn push_key(&mut self, key: &[u8; KEY_LEN]) -> Result<(), EnvelopeError> {
        self.push(|slot| {
            slot.copy_from_slice(key);
            Ok::<_, EnvelopeError>(())
        })
    }

    /// The key at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&[u8; KEY_LEN]> {
        let (keys, _) = self.pages.expose_secret().as_chunks::<KEY_LEN>();
        keys.get(place + 1).filter(|_| place < self.len)
    }

    /// Every key, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8; KEY_LEN]> {
        self.pages.expose_secret().as_chunks::<KEY_LEN>().0.iter().skip(1).take(self.len)
    }

    /// Whether the keys are those that were put in, and this is no forked child, whose pages are zeros.
    pub(crate) fn is_intact(&self) -> bool {
        self.pages.expose_secret().first_chunk() == Some(&CANARY)
    }

    /// Whether the operating system keeps the pages in memory and out of core dumps.
    pub(crate) fn is_locked(&self) -> bool {
        let protection = self.pages.protection();
        protection.locked && protection.undumpable
    }

    fn grow(&mut self) -> Result<(), EnvelopeError> {
        let mut larger = Self::with_capacity((self.len * 2).max(4))?;
        self.iter().try_for_each(|key| larger.push_key(key))?;
        *self = larger;
        Ok(())
    }
}
