//! Where the system has no pages to give out: bytes on the heap, without any protection.
use crate::{PagesError, Protection};

/// Zeroed bytes on the heap.
pub(crate) struct Memory(Box<[u8]>);

impl Memory {
    pub(crate) fn zeroed(len: usize) -> Result<Self, PagesError> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| PagesError::Unavailable)?;
        bytes.resize(len, 0);
        Ok(Self(bytes.into_boxed_slice()))
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub(crate) const fn protection(&self) -> Protection {
        Protection::NONE
    }
}
