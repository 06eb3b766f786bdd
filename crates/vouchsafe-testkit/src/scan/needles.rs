use std::{collections::BTreeSet, error::Error, fmt};

use super::{half::half_from_f32, search::Index};

/// The shortest window: the search is indexed by the first eight bytes.
pub(super) const SHORTEST: usize = 8;
/// Windows of pictures, in bytes.
const PICTURE_WINDOW: usize = 64;
/// Windows of vectors, in bytes: eight f32, sixteen f16, thirty-two int8.
const VECTOR_WINDOW: usize = 32;
/// Windows of keys, in bytes: half an AES-256 key.
const KEY_WINDOW: usize = 16;
/// A picture gives at most so many windows, spread evenly.
const PICTURE_WINDOWS: usize = 256;
/// A window of a picture with fewer different bytes is a plain wall, which any memory may hold.
const PICTURE_VARIETY: usize = 16;
/// Any other window with fewer different bytes could be met by accident.
const VARIETY: usize = 4;

/// What is looked for: named byte patterns.
#[derive(Default)]
pub struct Needles {
    names: Vec<String>,
    windows: Vec<(usize, Vec<u8>)>,
}

impl Needles {
    /// Looks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for `pattern` in full.
    ///
    /// # Errors
    /// When the pattern has fewer than 8 bytes, or fewer than 4 different ones.
    pub fn exact(&mut self, name: &str, pattern: &[u8]) -> Result<&mut Self, NeedleError> {
        self.add(name, std::iter::once(pattern), VARIETY)
    }

    /// Looks for each whole window of `window` bytes, one after the other, of `pattern`.
    ///
    /// # Errors
    /// When no window has at least 8 bytes and 4 different ones.
    pub fn pieces(&mut self, name: &str, pattern: &[u8], window: usize) -> Result<&mut Self, NeedleError> {
        self.add(name, pattern.chunks_exact(window.max(SHORTEST)), VARIETY)
    }

    /// Looks for a 32-byte key, by either half. The key schedule of AES-256 begins with the key itself.
    ///
    /// # Errors
    /// When the key is too plain to be told from other memory.
    pub fn key(&mut self, name: &str, key: &[u8; 32]) -> Result<&mut Self, NeedleError> {
        self.pieces(name, key, KEY_WINDOW)
    }

    /// Looks for an embedding as `NAME/f32` and `NAME/f16` (IEEE 754, little-endian) and `NAME/int8` (127 times the
    /// value, rounded).
    ///
    /// # Errors
    /// When the embedding is shorter than 32 values, or too plain.
    pub fn embedding(&mut self, name: &str, embedding: &[f32]) -> Result<&mut Self, NeedleError> {
        let half: Vec<u8> = embedding.iter().flat_map(|&value| half_from_f32(value).to_le_bytes()).collect();
        let int8: Vec<u8> = embedding.iter().map(|&value| int8_from_f32(value)).collect();
        self.pieces(&format!("{name}/f32"), &little_endian(embedding), VECTOR_WINDOW)?
            .pieces(&format!("{name}/f16"), &half, VECTOR_WINDOW)?
            .pieces(&format!("{name}/int8"), &int8, VECTOR_WINDOW)
    }

    /// Looks for an embedding as the engine leaves it: not yet scaled to unit length, as `NAME/raw-f32`.
    ///
    /// # Errors
    /// As [`embedding`](Self::embedding).
    pub fn tensor(&mut self, name: &str, values: &[f32]) -> Result<&mut Self, NeedleError> {
        self.pieces(&format!("{name}/raw-f32"), &little_endian(values), VECTOR_WINDOW)
    }

    /// Looks for an 8-bit RGB picture, as `NAME/rgb` and `NAME/bgr`: windows of 64 bytes from all over it, plain
    /// areas left out. `rgb` is interleaved, row by row, `width * 3` bytes a row.
    ///
    /// # Errors
    /// When the picture is plain all over, or smaller than a window.
    pub fn picture(&mut self, name: &str, rgb: &[u8], width: usize) -> Result<&mut Self, NeedleError> {
        let bgr: Vec<u8> = rgb.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [b, g, r]).collect();
        self.picture_windows(&format!("{name}/rgb"), rgb, width * 3)?.picture_windows(
            &format!("{name}/bgr"),
            &bgr,
            width * 3,
        )
    }

    /// Looks for an 8-bit RGB picture as the inference tensor it becomes: one f32 a sample, `(sample - mean) /
    /// divisor`, as `NAME/planar-f32` (each channel's rows, NCHW) and `NAME/interleaved-f32` (NHWC, RGB order).
    ///
    /// # Errors
    /// As [`picture`](Self::picture).
    pub fn pixels(
        &mut self,
        name: &str,
        rgb: &[u8],
        width: usize,
        normalisation: Normalisation,
    ) -> Result<&mut Self, NeedleError> {
        let pixels = rgb.as_chunks::<3>().0;
        let planar: Vec<u8> = [0, 1, 2]
            .into_iter()
            .flat_map(|channel| pixels.iter().filter_map(move |pixel| pixel.get(channel)))
            .flat_map(|&sample| normalisation.apply(sample).to_le_bytes())
            .collect();
        let interleaved: Vec<u8> =
            rgb.iter().flat_map(|&sample| normalisation.apply(sample).to_le_bytes()).collect();
        self.picture_windows(&format!("{name}/planar-f32"), &planar, width * 4)?.picture_windows(
            &format!("{name}/interleaved-f32"),
            &interleaved,
            width * 12,
        )
    }

    /// The names, in the order they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// How many windows are looked for.
    pub fn windows(&self) -> usize {
        self.windows.len()
    }

    pub(super) fn index(&self) -> Index<'_> {
        Index::new(&self.windows)
    }

    pub(super) fn name(&self, needle: usize) -> &str {
        self.names.get(needle).map_or("", String::as_str)
    }

    /// Windows that lie within one row: a copy with another stride keeps them.
    fn picture_windows(&mut self, name: &str, bytes: &[u8], row: usize) -> Result<&mut Self, NeedleError> {
        let rows = bytes.chunks_exact(row.max(1));
        let varied: Vec<&[u8]> = rows
            .flat_map(|row| row.chunks_exact(PICTURE_WINDOW))
            .filter(|window| variety(window) >= PICTURE_VARIETY)
            .collect();
        let step = varied.len().div_ceil(PICTURE_WINDOWS).max(1);
        self.add(name, varied.into_iter().step_by(step), PICTURE_VARIETY)
    }

    fn add<'w>(
        &mut self,
        name: &str,
        windows: impl Iterator<Item = &'w [u8]>,
        least: usize,
    ) -> Result<&mut Self, NeedleError> {
        let before = self.windows.len();
        let needle = self.names.len();
        for window in windows.filter(|window| window.len() >= SHORTEST && variety(window) >= least) {
            self.windows.push((needle, window.to_vec()));
        }
        if self.windows.len() == before {
            return Err(NeedleError { name: name.to_owned() });
        }
        self.names.push(name.to_owned());
        Ok(self)
    }
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Needles").field("names", &self.names).finish_non_exhaustive()
    }
}

/// How a sample of 0 to 255 becomes the f32 of a tensor: `(sample - mean) / divisor`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// Subtracted first.
    pub mean: f32,
    /// Divides the difference.
    pub divisor: f32,
}

impl Normalisation {
    /// `(sample - 127) / 128`: detection and embedding.
    pub const CENTRED: Self = Self { mean: 127.0, divisor: 128.0 };
    /// The sample itself, 0 to 255: anti-spoofing.
    pub const NONE: Self = Self { mean: 0.0, divisor: 1.0 };
    /// `sample / 256`: landmarks.
    pub const UNIT: Self = Self { mean: 0.0, divisor: 256.0 };

    fn apply(self, sample: u8) -> f32 {
        (f32::from(sample) - self.mean) / self.divisor
    }
}

/// A pattern is too short or too plain to be told from other memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedleError {
    name: String,
}

impl fmt::Display for NeedleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern `{}` is too short or too plain to be looked for", self.name)
    }
}

impl Error for NeedleError {}

fn variety(window: &[u8]) -> usize {
    window.iter().collect::<BTreeSet<_>>().len()
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// 127 times `value`, rounded, held within -127 and 127, as a two's-complement byte.
#[expect(clippy::cast_possible_truncation, reason = "the value is held within the range first")]
fn int8_from_f32(value: f32) -> u8 {
    ((value * 127.0).round().clamp(-127.0, 127.0) as i8).to_le_bytes()[0]
}
