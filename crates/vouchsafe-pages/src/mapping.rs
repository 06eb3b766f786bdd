//! An anonymous mapping between two pages that nobody may touch.
use std::{ffi::c_void, ptr::NonNull};

use rustix::{
    mm::{MapFlags, MprotectFlags, ProtFlags, mlock, mmap_anonymous, mprotect, munmap},
    param::page_size,
};

use crate::{PagesError, Protection};

/// `len` bytes at `start`, in the middle of a private mapping of `mapped` bytes at `base`.
pub(crate) struct Memory {
    base: NonNull<u8>,
    mapped: usize,
    start: NonNull<u8>,
    len: usize,
    protection: Protection,
}

#[expect(unsafe_code, reason = "the pointers are owned, like those of a box")]
// SAFETY: the mapping has one owner, no thread-local part, and is written through `&mut` only.
unsafe impl Send for Memory {}

#[expect(unsafe_code, reason = "the pointers are owned, like those of a box")]
// SAFETY: through `&` it is only read.
unsafe impl Sync for Memory {}

impl Memory {
    /// A mapping of its own, zeroed by the kernel. An empty one takes a page as well.
    pub(crate) fn zeroed(len: usize) -> Result<Self, PagesError> {
        let page = page_size();
        let usable = len.max(1).checked_next_multiple_of(page).ok_or(PagesError::Unavailable)?;
        let mapped = usable.checked_add(2 * page).filter(|mapped| isize::try_from(*mapped).is_ok());
        let mut memory = Self::reserved(mapped.ok_or(PagesError::Unavailable)?, page, len)?;
        memory.open(usable)?;
        memory.protection = protect(memory.start.as_ptr().cast(), usable);
        Ok(memory)
    }

    /// Address space that nobody may touch yet.
    fn reserved(mapped: usize, page: usize, len: usize) -> Result<Self, PagesError> {
        #[expect(unsafe_code, reason = "makes a mapping")]
        // SAFETY: the kernel chooses a free place; no existing mapping changes.
        let base =
            unsafe { mmap_anonymous(std::ptr::null_mut(), mapped, ProtFlags::empty(), MapFlags::PRIVATE) };
        let base = NonNull::new(base.map_err(|_| PagesError::Unavailable)?.cast::<u8>());
        let base = base.ok_or(PagesError::Unavailable)?;
        #[expect(unsafe_code, reason = "steps over the first page")]
        // SAFETY: the mapping has at least three pages and at most `isize::MAX` bytes.
        let start = unsafe { base.add(page) };
        Ok(Self { base, mapped, start, len, protection: Protection::NONE })
    }

    /// Makes the middle readable and writable.
    fn open(&mut self, usable: usize) -> Result<(), PagesError> {
        #[expect(unsafe_code, reason = "changes the access to own pages")]
        // SAFETY: `usable` bytes at `start` are whole pages of this mapping, and no reference to them exists yet.
        let opened = unsafe {
            mprotect(self.start.as_ptr().cast(), usable, MprotectFlags::READ | MprotectFlags::WRITE)
        };
        opened.map_err(|_| PagesError::Unavailable)
    }

    #[expect(unsafe_code, reason = "lends own memory")]
    pub(crate) const fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes at `start` are mapped readable and initialised until the drop; writers need `&mut`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    #[expect(unsafe_code, reason = "lends own memory")]
    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as `bytes`, and `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    pub(crate) const fn protection(&self) -> Protection {
        self.protection
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "gives the mapping back")]
        // SAFETY: the mapping is this value's own, and nothing borrows from it any more. A refusal leaves it mapped.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.mapped) };
    }
}

/// Asks for every protection before the first secret byte is written, and tells which were granted.
fn protect(start: *mut c_void, usable: usize) -> Protection {
    #[expect(unsafe_code, reason = "locks own pages")]
    // SAFETY: `usable` bytes at `start` are whole mapped pages of the caller; their content stays.
    let locked = unsafe { mlock(start, usable) }.is_ok();
    let (undumpable, unshared_with_children) = advise(start, usable);
    Protection { locked, undumpable, unshared_with_children }
}

/// Leaves the pages out of core dumps, and empty in forked children.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn advise(start: *mut c_void, usable: usize) -> (bool, bool) {
    use rustix::mm::{Advice, madvise};

    let granted = |advice| {
        #[expect(unsafe_code, reason = "advises on own pages")]
        // SAFETY: neither advice changes what this process reads or writes.
        let advised = unsafe { madvise(start, usable, advice) };
        advised.is_ok()
    };
    (granted(Advice::LinuxDontDump), granted(Advice::LinuxWipeOnFork))
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn advise(_: *mut c_void, _: usize) -> (bool, bool) {
    (false, false)
}
