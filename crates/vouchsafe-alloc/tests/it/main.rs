//! The wiping allocator serves this whole test binary, above an allocator that looks at every block it gets back.
#![expect(unsafe_code, reason = "an inspecting allocator is an unsafe contract")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use vouchsafe_alloc::WipingAllocator;

/// Counts the blocks given back, and those among them that still hold something.
#[derive(Debug)]
struct Inspector {
    freed: AtomicUsize,
    dirty: AtomicUsize,
    resized: AtomicUsize,
}

impl Inspector {
    const fn new() -> Self {
        Self { freed: AtomicUsize::new(0), dirty: AtomicUsize::new(0), resized: AtomicUsize::new(0) }
    }
}

// SAFETY: every call goes on to the system allocator; `dealloc` reads only the block it is given.
unsafe impl GlobalAlloc for Inspector {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the tests below write every block in full before they free it, or the wrapper wiped it.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        self.freed.fetch_add(1, SeqCst);
        self.dirty.fetch_add(usize::from(bytes.iter().any(|&byte| byte != 0)), SeqCst);
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.resized.fetch_add(1, SeqCst);
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static WIPING: WipingAllocator<Inspector> = WipingAllocator::new(Inspector::new());

/// Frees a block full of `0xA5` through `allocator`.
fn plant_and_free(allocator: &impl GlobalAlloc, layout: Layout) {
    // SAFETY: the layout has a size; the block is written in full, within its size, and freed once.
    unsafe {
        let block = allocator.alloc(layout);
        assert!(!block.is_null());
        block.write_bytes(0xA5, layout.size());
        allocator.dealloc(black_box(block), layout);
    }
}

#[test]
fn a_secret_is_gone_when_its_block_is_given_back() {
    let layout = Layout::from_size_align(4099, 64).unwrap();
    let bare = Inspector::new();
    plant_and_free(&bare, layout);
    assert_eq!(
        (bare.freed.load(SeqCst), bare.dirty.load(SeqCst)),
        (1, 1),
        "the inspector sees a planted secret"
    );

    let wiping = WipingAllocator::new(Inspector::new());
    for size in [1, 7, 8, 64, 4096, 4099, 1 << 20] {
        plant_and_free(&wiping, Layout::from_size_align(size, 1).unwrap());
    }
    assert_eq!((wiping.inner().freed.load(SeqCst), wiping.inner().dirty.load(SeqCst)), (7, 0));
}

#[test]
fn resizing_keeps_the_content_and_wipes_the_old_block() {
    for new_size in [1, 50, 100, 101, 5000] {
        let wiping = WipingAllocator::new(Inspector::new());
        let layout = Layout::from_size_align(100, 16).unwrap();
        // SAFETY: both blocks are written within their sizes and each is freed once with its own layout.
        unsafe {
            let old = wiping.alloc(layout);
            old.write_bytes(0x5A, 100);
            let new = wiping.realloc(old, layout, new_size);
            let kept = std::slice::from_raw_parts(new, new_size.min(100));
            assert!(kept.iter().all(|&byte| byte == 0x5A));
            wiping.dealloc(new, Layout::from_size_align(new_size, 16).unwrap());
        }
        let inner = wiping.inner();
        assert_eq!((inner.freed.load(SeqCst), inner.dirty.load(SeqCst)), (2, 0), "to {new_size} bytes");
        assert_eq!(inner.resized.load(SeqCst), 0, "the inner allocator never moves a block on its own");
    }
}

#[test]
fn zeroed_blocks_are_zeroed() {
    let layout = Layout::from_size_align(4096, 8).unwrap();
    // SAFETY: the block is read within its size and freed once.
    unsafe {
        let block = WIPING.alloc_zeroed(layout);
        assert!(std::slice::from_raw_parts(block, 4096).iter().all(|&byte| byte == 0));
        WIPING.dealloc(block, layout);
    }
}

#[test]
fn everything_this_process_frees_is_zeroed_first() {
    let mut grown = Vec::new();
    for round in 0..100_000_u32 {
        grown.push(round | 0x0101_0101);
    }
    grown.truncate(10);
    grown.shrink_to_fit();
    let text: Vec<String> = (0..1000).map(|number| format!("secret {number}")).collect();
    drop(black_box((grown, text)));
    assert!(WIPING.inner().freed.load(SeqCst) > 1000);
    assert_eq!(WIPING.inner().dirty.load(SeqCst), 0);
}
