//! A picture file: whatever it is, limits hold and the pixels are whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_embed::{Image, Limits};

const LIMITS: Limits = Limits { max_bytes: 64 << 10, max_pixels: 64 << 10, max_side: 1 << 10, min_side: 2 };

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = Image::decode(bytes, &LIMITS) {
        let (width, height) = (image.width() as u64, image.height() as u64);
        assert!(bytes.len() <= LIMITS.max_bytes);
        assert!(width * height <= LIMITS.max_pixels);
        assert!(width.min(height) >= u64::from(LIMITS.min_side));
        assert!(width.max(height) <= u64::from(LIMITS.max_side));
    }
});
