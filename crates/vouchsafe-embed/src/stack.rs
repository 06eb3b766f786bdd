//! Wipes the stack that decoders and engines used.

use zeroize::Zeroize;

/// Overwrites 128 KiB of the stack below the caller: decoders and engines reach deeper than ciphers do.
#[inline(never)]
pub(crate) fn wipe_deep_stack() {
    let mut frame = [0u64; 16 * 1024];
    frame.zeroize();
    std::hint::black_box(&frame);
}
