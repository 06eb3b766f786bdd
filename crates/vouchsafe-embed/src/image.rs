use std::fmt;

use zeroize::Zeroizing;

use crate::EmbedError;
use crate::stack::wipe_deep_stack;

mod decode;
mod jpeg;
#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "drawn levels and chunk lengths are small")]
mod tests;

/// What a picture may cost, checked before anything of its size is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest file, in bytes. Default 16 MiB.
    pub max_bytes: usize,
    /// The most pixels. Default 40 million; decoding takes up to 10 bytes a pixel for a short while.
    pub max_pixels: u64,
    /// The longest side, in pixels. Default 16,384.
    pub max_side: u32,
    /// The shortest side, in pixels. Default 32.
    pub min_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 16 << 20, max_pixels: 40_000_000, max_side: 16_384, min_side: 32 }
    }
}

impl Limits {
    fn check(&self, width: u32, height: u32) -> Result<(), EmbedError> {
        let pixels = u64::from(width) * u64::from(height);
        if width.max(height) > self.max_side || pixels > self.max_pixels {
            return Err(EmbedError::ImageTooLarge);
        }
        if width.min(height) < self.min_side.max(1) { Err(EmbedError::ImageTooSmall) } else { Ok(()) }
    }
}

/// A decoded picture: 8-bit RGB, upright, wiped on drop.
///
/// It is neither cloned nor printed nor stored:
///
/// ```compile_fail
/// fn copy(image: vouchsafe_embed::Image) -> vouchsafe_embed::Image {
///     image.clone()
/// }
/// ```
/// ```compile_fail
/// fn show(image: &vouchsafe_embed::Image) {
///     println!("{image}");
/// }
/// ```
pub struct Image {
    // INVARIANT (whole pixels): `rgb` holds exactly width x height x 3 bytes, and neither side is 0.
    rgb: Zeroizing<Vec<u8>>,
    width: usize,
    height: usize,
}

impl Image {
    /// Decodes a JPEG, PNG or WebP file.
    ///
    /// The limits are checked on the header, before memory for pixels is allocated. The EXIF orientation is
    /// applied, so the picture is upright. Sixteen-bit levels lose their low byte; grey becomes equal red, green
    /// and blue; alpha is dropped without compositing, so that pixels are what the camera saw. The pixel buffers
    /// of this function are wiped; the decoders' own scratch (a few rows, or a plane) is not.
    ///
    /// # Errors
    /// [`EmbedError::ImageEmpty`], [`EmbedError::ImageTooLarge`], [`EmbedError::ImageTooSmall`],
    /// [`EmbedError::ImageFormat`] (also for CMYK and arithmetic-coded JPEG), [`EmbedError::ImageAnimated`],
    /// [`EmbedError::ImageTruncated`], [`EmbedError::ImageCorrupt`].
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, EmbedError> {
        let decoded = decode::decode(bytes, limits);
        wipe_deep_stack();
        decoded
    }

    /// The width in pixels, after orientation.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The height in pixels, after orientation.
    pub const fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn pixels(&self) -> &[[u8; 3]] {
        self.rgb.as_chunks().0
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Image {
    /// A picture drawn by a function of x and y.
    pub(crate) fn drawn(width: usize, height: usize, draw: impl Fn(usize, usize) -> [u8; 3]) -> Self {
        let rgb = (0..width * height).flat_map(|i| draw(i % width, i / width)).collect();
        Self { rgb: Zeroizing::new(rgb), width, height }
    }
}
