//! Protection scheme 1: a keyed orthogonal transform of 512 components.
//!
//! # Specification
//!
//! Input: a key of 32 bytes and a unit vector `x` of 512 f32. Output: a vector of 512 f32. All arithmetic is
//! IEEE 754 binary64; the result is rounded to binary32 once, at the end.
//!
//! ```text
//! stream(round, part) = B(0) || B(1) || ...
//! B(counter)          = HMAC-SHA-256(key, "vouchsafe-template-1" || round || part || counter as u32 BE)
//!
//! for round in 1, 2, 3:
//!     permutation  for i in 511, 510, ..., 1:                        stream(round, 1)
//!                      repeat: r = next u16 BE
//!                      until r < 65536 - (65536 mod (i + 1))
//!                      swap x[i], x[r mod (i + 1)]
//!     signs        for i in 0..512: negate x[i] if bit (i mod 8),    stream(round, 2)
//!                      least significant first, of byte (i div 8) is 1
//!     mixing       for h in 1, 2, 4, ..., 256:
//!                      for each block of 2 h: (a, b) <- (a + b, a - b), a from the first half, b from the second
//!                  x <- x * 512^(-1/2)
//! ```
//!
//! - The stream is a key derivation in counter mode (NIST SP 800-108r1, 4.1, with HMAC of RFC 2104 and SHA-256
//!   of FIPS 180-4). `DIFFERENCE:` the counter follows the label, there is no length field, since a stream has
//!   no fixed length; round and part are one byte each, so inputs have one length and one reading.
//! - The permutation is the Fisher–Yates shuffle with rejection, so every permutation is equally likely.
//! - The mixing is the fast Walsh–Hadamard transform in natural order, normalised to be orthogonal.
//!
//! Each step is orthogonal, so inner products, lengths and cosines are those of the input up to the final
//! rounding (below 1e-6). Three rounds spread every component over all others under secret signs and places.
//!
//! # Security notes
//!
//! Each step is its own inverse or has one that the key gives: with the key, `x` is recovered up to rounding.
//! The transform is linear: whoever sees about 512 pairs of inputs and outputs under one key has the matrix.
//! The shuffle's memory accesses depend on the key; an attacker who shares the processor's caches is not
//! considered. Key stream, scratch and stack are wiped.
//!
//! # Known answers
//!
//! `tests/vectors/scheme1` holds references computed by an independent implementation in Python.

use ring::hmac;
use zeroize::{Zeroize, Zeroizing};

use crate::TemplateKey;
use crate::vector::{DIMENSION, Vector};

/// The identifier of this scheme in a protected reference.
pub const ID: u8 = 1;

const LABEL: &[u8; 20] = b"vouchsafe-template-1";
const ROUNDS: [u8; 3] = [1, 2, 3];
const BLOCK: usize = 32;

/// Transforms a vector under a key. The caller wipes the stack.
#[inline(never)]
pub(crate) fn transform(key: &TemplateKey, input: &[f32; DIMENSION]) -> Vector {
    let prf = hmac::Key::new(hmac::HMAC_SHA256, key.expose_key());
    let mut x = Zeroizing::new(vec![0.0f64; DIMENSION]);
    for (wide, &value) in x.iter_mut().zip(input) {
        *wide = f64::from(value);
    }
    for round in ROUNDS {
        shuffle(&mut x, &mut Stream::new(&prf, round, Draw::Permutation));
        flip(&mut x, &mut Stream::new(&prf, round, Draw::Signs));
        mix(&mut x);
    }
    Vector::init_with(|output| {
        for (narrow, &value) in output.iter_mut().zip(x.iter()) {
            *narrow = round_to_f32(value);
        }
    })
}

/// What a part of the key stream decides.
#[derive(Clone, Copy)]
enum Draw {
    Permutation = 1,
    Signs = 2,
}

/// Fisher–Yates from the last place down.
fn shuffle(x: &mut [f64], stream: &mut Stream<'_>) {
    for place in (1..x.len()).rev() {
        x.swap(place, stream.below(place + 1));
    }
}

fn flip(x: &mut [f64], stream: &mut Stream<'_>) {
    for eight in x.chunks_exact_mut(8) {
        let bits = stream.byte();
        for (bit, value) in eight.iter_mut().enumerate() {
            if bits >> bit & 1 == 1 {
                *value = -*value;
            }
        }
    }
}

/// The normalised Walsh–Hadamard transform in natural order.
fn mix(x: &mut [f64]) {
    let mut half = 1;
    while half < x.len() {
        for block in x.chunks_exact_mut(2 * half) {
            let (first, second) = block.split_at_mut(half);
            for (a, b) in first.iter_mut().zip(second) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    // 512^(-1/2), correctly rounded.
    let scale = std::f64::consts::FRAC_1_SQRT_2 / 16.0;
    for value in x {
        *value *= scale;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to binary32 is the scheme's last step")]
const fn round_to_f32(value: f64) -> f32 {
    value as f32
}

/// The key stream of one part of one round.
struct Stream<'k> {
    prf: &'k hmac::Key,
    round: u8,
    part: u8,
    counter: u32,
    block: [u8; BLOCK],
    used: usize,
}

impl<'k> Stream<'k> {
    const fn new(prf: &'k hmac::Key, round: u8, draw: Draw) -> Self {
        Self { prf, round, part: draw as u8, counter: 0, block: [0; BLOCK], used: BLOCK }
    }

    fn byte(&mut self) -> u8 {
        if self.used == BLOCK {
            self.refill();
        }
        let byte = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        byte
    }

    fn refill(&mut self) {
        let mut context = hmac::Context::with_key(self.prf);
        context.update(LABEL);
        context.update(&[self.round, self.part]);
        context.update(&self.counter.to_be_bytes());
        self.block.copy_from_slice(context.sign().as_ref());
        self.counter += 1;
        self.used = 0;
    }

    /// A number below `bound`, each with the same chance. `bound` is 2 to 512.
    fn below(&mut self, bound: usize) -> usize {
        const ALL: usize = 1 << 16;
        let limit = ALL - ALL % bound;
        loop {
            let draw = usize::from(u16::from_be_bytes([self.byte(), self.byte()]));
            if draw < limit {
                return draw % bound;
            }
        }
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

#[cfg(test)]
#[path = "scheme/tests.rs"]
mod tests;
