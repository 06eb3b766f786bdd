//! What is looked for: named secrets, each as windows for the scan and as a block that a control can plant.

use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_testkit::scan::{Needles, half_from_f32};

/// Windows of pictures and files, in bytes: five pixels, so that a block on the stack is seen.
const WINDOW: usize = 16;
/// Windows of vectors and tensors, in bytes: eight f32.
const VECTOR_WINDOW: usize = 32;
/// Windows of points, in bytes: two f32.
const POINT_WINDOW: usize = 8;
/// Windows of keys, in bytes.
const KEY_WINDOW: usize = 16;

/// Named secrets.
#[derive(Default)]
pub(crate) struct Secrets {
    /// The windows of each, one after the other.
    blocks: BTreeMap<String, (usize, Vec<u8>)>,
}

impl Secrets {
    /// Each secret by name, as the bytes whose windows are looked for.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.blocks.iter().map(|(name, (_, block))| (name.as_str(), block.as_slice()))
    }

    pub(crate) fn needles(&self) -> Needles {
        let mut needles = Needles::new();
        for (name, (window, block)) in &self.blocks {
            needles.pieces(name, block, *window).unwrap();
        }
        needles
    }

    /// Bytes of a picture or file: at most `most` windows, spread evenly, plain areas left out.
    pub(crate) fn bytes(&mut self, name: &str, bytes: &[u8], most: usize) {
        self.add(name, WINDOW, sample(bytes, WINDOW, most, 11));
    }

    /// An inference tensor as f32, likewise; several of one name add up. What is shorter than a window is left out.
    pub(crate) fn tensor(&mut self, name: &str, values: &[f32], most: usize) {
        let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        let windows = sample(&bits, VECTOR_WINDOW / 4, most, 6);
        self.add(name, VECTOR_WINDOW, windows.iter().flat_map(|bits| bits.to_le_bytes()).collect());
    }

    /// Points of the plane as f32, each of them.
    pub(crate) fn points(&mut self, name: &str, values: &[f32]) {
        self.add(name, POINT_WINDOW, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    /// A vector as f64, f32, f16 (little-endian) and int8 (127 times the value), all of it.
    pub(crate) fn vector(&mut self, name: &str, values: &[f32; 512]) {
        let mut form = |form, bytes| self.add(&format!("{name}/{form}"), VECTOR_WINDOW, bytes);
        form("f64", values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect());
        form("f32", values.iter().flat_map(|value| value.to_le_bytes()).collect());
        form("f16", values.iter().flat_map(|&value| half_from_f32(value).to_le_bytes()).collect());
        form("int8", values.iter().map(|&value| int8(value)).collect());
    }

    /// A key of 32 bytes by its halves, as it is and as HMAC (RFC 2104) pads it; several of one name add up.
    pub(crate) fn key(&mut self, name: &str, key: &[u8; 32]) {
        for (form, pad) in [("", 0), ("/inner-pad", 0x36), ("/outer-pad", 0x5c)] {
            self.add(&format!("{name}{form}"), KEY_WINDOW, key.map(|byte| byte ^ pad).to_vec());
        }
    }

    fn add(&mut self, name: &str, window: usize, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.blocks.entry(name.to_owned()).or_insert((window, Vec::new())).1.extend(bytes);
        }
    }
}

/// At most `most` windows with at least `variety` different items, spread evenly.
fn sample<T: Copy + Ord>(items: &[T], window: usize, most: usize, variety: usize) -> Vec<T> {
    let varied = |window: &&[T]| window.iter().collect::<BTreeSet<_>>().len() >= variety;
    // What begins plainly would be compared with every plain stretch of memory.
    let begins = |window: &&[T]| window[0] != window[1];
    let windows: Vec<&[T]> = items.chunks_exact(window).filter(varied).filter(begins).collect();
    let step = windows.len().div_ceil(most).max(1);
    windows.into_iter().step_by(step).flatten().copied().collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the value is held within the range first")]
fn int8(value: f32) -> u8 {
    ((value * 127.0).round().clamp(-127.0, 127.0) as i8).to_le_bytes()[0]
}
