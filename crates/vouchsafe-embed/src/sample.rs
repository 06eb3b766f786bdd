//! Reads model inputs straight from a decoded picture, so that no scaled copy of it exists.
//!
//! Bilinear, pixel centres at halves, no antialiasing, rounded to whole grey levels: what the models were
//! measured with.

use crate::Image;

/// Red, green, blue, each 0..=255.
pub(crate) type Rgb = [u8; 3];

/// A rectangle of whole pixels inside a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rect {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Rect {
    pub(crate) const fn whole(image: &Image) -> Self {
        Self { x: 0, y: 0, width: image.width(), height: image.height() }
    }

    /// From corners in pixels, clipped to the picture, truncated to whole pixels; at least one pixel.
    pub(crate) fn clipped([x1, y1, x2, y2]: [f32; 4], image: &Image) -> Self {
        let (x, width) = span(x1, x2, image.width());
        let (y, height) = span(y1, y2, image.height());
        Self { x, y, width, height }
    }
}

fn span(from: f32, to: f32, size: usize) -> (usize, usize) {
    let start = to_index(from).min(size.saturating_sub(1));
    let end = to_index(to).clamp(start + 1, size.max(start + 1));
    (start, end - start)
}

/// Gives every pixel of the rectangle, scaled to `width` x `height`, row by row.
pub(crate) fn resize(
    image: &Image,
    rect: Rect,
    width: usize,
    height: usize,
    mut put: impl FnMut(usize, Rgb),
) {
    let columns = taps(rect.width, width);
    for (row, &(top, bottom, down)) in taps(rect.height, height).iter().enumerate() {
        let (top, bottom) = (line(image, rect, top), line(image, rect, bottom));
        for (column, &(left, right, across)) in columns.iter().enumerate() {
            let corners = [pixel(top, left), pixel(top, right), pixel(bottom, left), pixel(bottom, right)];
            put(row * width + column, blend(corners, across, down));
        }
    }
}

/// Gives every pixel of a `side` x `side` square whose point (x, y) lies at `source(x, y)` of the picture.
/// What lies outside the picture is black.
pub(crate) fn warp(
    image: &Image,
    side: usize,
    source: impl Fn(f32, f32) -> (f32, f32),
    mut put: impl FnMut(usize, Rgb),
) {
    for index in 0..side * side {
        let (x, y) = source(to_float(index % side), to_float(index / side));
        put(index, at_point(image, x, y));
    }
}

/// The first and second source position and the weight of the second, for each of `out` positions.
fn taps(size: usize, out: usize) -> Vec<(usize, usize, f32)> {
    let scale = to_float(size) / to_float(out);
    let last = size.saturating_sub(1);
    let tap = |i| {
        let centre = ((to_float(i) + 0.5) * scale - 0.5).clamp(0.0, to_float(last));
        let first = to_index(centre);
        (first, (first + 1).min(last), centre - to_float(first))
    };
    (0..out).map(tap).collect()
}

fn line(image: &Image, rect: Rect, row: usize) -> &[Rgb] {
    let start = (rect.y + row) * image.width() + rect.x;
    image.pixels().get(start..start + rect.width).unwrap_or(&[])
}

fn pixel(line: &[Rgb], at: usize) -> Rgb {
    line.get(at).copied().unwrap_or_default()
}

fn at_point(image: &Image, x: f32, y: f32) -> Rgb {
    let (left, top) = (x.floor(), y.floor());
    let corner = |dx: f32, dy: f32| {
        let (x, y) = (left + dx, top + dy);
        let inside = x >= 0.0 && y >= 0.0 && x < to_float(image.width()) && y < to_float(image.height());
        if inside { pixel(image.pixels(), to_index(y) * image.width() + to_index(x)) } else { [0; 3] }
    };
    blend([corner(0.0, 0.0), corner(1.0, 0.0), corner(0.0, 1.0), corner(1.0, 1.0)], x - left, y - top)
}

/// Blends upper left, upper right, lower left, lower right.
fn blend([a, b, c, d]: [Rgb; 4], across: f32, down: f32) -> Rgb {
    let ([a0, a1, a2], [b0, b1, b2], [c0, c1, c2], [d0, d1, d2]) = (a, b, c, d);
    let mix = |a: u8, b: u8, c: u8, d: u8| {
        let upper = f32::from(a) + (f32::from(b) - f32::from(a)) * across;
        let lower = f32::from(c) + (f32::from(d) - f32::from(c)) * across;
        to_level(upper + (lower - upper) * down)
    };
    [mix(a0, b0, c0, d0), mix(a1, b1, c1, d1), mix(a2, b2, c2, d2)]
}

/// Luma of ITU-R BT.601 in the fixed point of 14 bits that the landmark model was measured with.
pub(crate) fn grey([r, g, b]: Rgb) -> u8 {
    let sum = u32::from(r) * 4899 + u32::from(g) * 9617 + u32::from(b) * 1868;
    u8::try_from((sum + (1 << 13)) >> 14).unwrap_or(u8::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "truncation is meant; the cast saturates and maps NaN to 0"
)]
#[expect(clippy::cast_sign_loss, reason = "negative values saturate to 0")]
pub(crate) const fn to_index(value: f32) -> usize {
    value as usize
}

#[expect(clippy::cast_precision_loss, reason = "sides are at most 65,535, far below 2^24")]
pub(crate) const fn to_float(value: usize) -> f32 {
    value as f32
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates to 0..=255")]
#[expect(clippy::cast_sign_loss, reason = "negative values saturate to 0")]
const fn to_level(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "drawn levels fit into a byte")]
mod tests {
    use super::*;

    fn all(image: &Image, rect: Rect, width: usize, height: usize) -> Vec<u8> {
        let mut out = Vec::new();
        resize(image, rect, width, height, |_, [r, _, _]| out.push(r));
        out
    }

    #[test]
    fn the_same_size_is_the_same_picture_and_halving_averages() {
        let image = Image::drawn(4, 2, |x, y| [(x * 10 + y * 100) as u8; 3]);
        assert_eq!(all(&image, Rect::whole(&image), 4, 2), [0, 10, 20, 30, 100, 110, 120, 130]);
        assert_eq!(all(&image, Rect::whole(&image), 2, 1), [55, 75]);
    }

    #[test]
    fn enlarging_clamps_at_the_edges_of_the_rectangle() {
        let image = Image::drawn(4, 1, |x, _| [(x * 40) as u8; 3]);
        let middle = Rect { x: 1, y: 0, width: 2, height: 1 };
        assert_eq!(all(&image, middle, 4, 1), [40, 50, 70, 80]);
    }

    #[test]
    fn outside_is_black() {
        let image = Image::drawn(2, 2, |_, _| [200; 3]);
        let mut out = Vec::new();
        warp(&image, 2, |x, y| (x * 1.5 - 0.5, y), |_, [r, _, _]| out.push(r));
        assert_eq!(out, [100, 200, 100, 200]);
        warp(&image, 1, |_, _| (f32::NAN, f32::INFINITY), |_, rgb| assert_eq!(rgb, [0; 3]));
    }

    #[test]
    fn rectangles_stay_inside_and_are_never_empty() {
        let image = Image::drawn(10, 5, |_, _| [0; 3]);
        for corners in
            [[-5.0, -5.0, 50.0, 50.0], [20.0, 20.0, 30.0, 30.0], [f32::NAN; 4], [9.0, 4.0, 3.0, 1.0]]
        {
            let rect = Rect::clipped(corners, &image);
            assert!(rect.width >= 1 && rect.height >= 1, "{corners:?}");
            assert!(rect.x + rect.width <= 10 && rect.y + rect.height <= 5, "{corners:?}");
        }
    }
}
