//! Aligns a face to the ArcFace template (Deng et al. 2019) by a least-squares similarity (Umeyama 1991).

use zeroize::Zeroizing;

use crate::Image;
use crate::landmark::Point;
use crate::sample::warp;

/// The side of an aligned face, in pixels.
pub(crate) const SIDE: usize = 112;
/// The bytes of an aligned face: blue, green, red.
pub(crate) const CROP_BYTES: usize = SIDE * SIDE * 3;

/// Where eyes, nose tip and corners of the mouth lie in the 112x112 template.
const TEMPLATE: [Point; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/// Rotation and scale `(a, b)` and shift: (x, y) becomes (a x - b y + tx, b x + a y + ty).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    a: f64,
    b: f64,
    tx: f64,
    ty: f64,
}

impl Similarity {
    /// The similarity without reflection that maps `from` closest to `to`; `None` when the points coincide.
    ///
    /// In the plane, Umeyama's solution is linear regression over the complex numbers.
    pub(crate) fn between(from: &[Point; 5], to: &[Point; 5]) -> Option<Self> {
        let ([fx, fy], [gx, gy]) = (mean(from), mean(to));
        let (mut a, mut b, mut spread) = (0.0, 0.0, 0.0);
        for ([x, y], [u, v]) in from.iter().zip(to) {
            let (x, y) = (f64::from(*x) - fx, f64::from(*y) - fy);
            let (u, v) = (f64::from(*u) - gx, f64::from(*v) - gy);
            a += x * u + y * v;
            b += x * v - y * u;
            spread += x * x + y * y;
        }
        let (a, b) = (a / spread, b / spread);
        let similarity = Self { a, b, tx: gx - a * fx + b * fy, ty: gy - b * fx - a * fy };
        (spread > 1e-6 && a.hypot(b) > 1e-9 && a.hypot(b).is_finite()).then_some(similarity)
    }

    /// The opposite direction.
    pub(crate) fn inverse(self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "pixel positions need no more than f32")]
    pub(crate) fn apply(self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (f64::from(x), f64::from(y));
        ((self.a * x - self.b * y + self.tx) as f32, (self.b * x + self.a * y + self.ty) as f32)
    }
}

fn mean(points: &[Point; 5]) -> [f64; 2] {
    let [x, y] = points.iter().fold([0.0; 2], |[x, y], [px, py]| [x + f64::from(*px), y + f64::from(*py)]);
    [x / 5.0, y / 5.0]
}

/// The aligned face: 112x112 pixels of blue, green, red, black where the picture ends.
pub(crate) fn align(image: &Image, five: &[Point; 5]) -> Option<Zeroizing<Vec<u8>>> {
    let back = Similarity::between(five, &TEMPLATE)?.inverse();
    let mut crop = Zeroizing::new(vec![0u8; CROP_BYTES]);
    let pixels = crop.as_chunks_mut::<3>().0;
    warp(
        image,
        SIDE,
        |x, y| back.apply(x, y),
        |at, [r, g, b]| {
            if let Some(pixel) = pixels.get_mut(at) {
                *pixel = [b, g, r];
            }
        },
    );
    Some(crop)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "drawn levels fit into a byte")]
mod tests {
    use super::*;

    fn moved(similarity: Similarity) -> [Point; 5] {
        TEMPLATE.map(|[x, y]| similarity.apply(x, y).into())
    }

    #[test]
    fn a_similarity_is_found_again() {
        for (a, b, tx, ty) in
            [(1.0, 0.0, 0.0, 0.0), (2.0, 0.0, 5.0, -7.0), (0.6, 0.8, 100.0, 3.0), (-1.5, 0.2, 0.0, 9.0)]
        {
            let known = Similarity { a, b, tx, ty };
            let found = Similarity::between(&TEMPLATE, &moved(known)).unwrap();
            for (got, want) in [(found.a, a), (found.b, b), (found.tx, tx), (found.ty, ty)] {
                assert!((got - want).abs() < 1e-4, "{found:?} {known:?}");
            }
            let (x, y) = found.apply(30.0, 40.0);
            let (x, y) = found.inverse().apply(x, y);
            assert!((x - 30.0).abs() < 1e-3 && (y - 40.0).abs() < 1e-3);
        }
    }

    /// Worked by hand: the corners of a square, one of them moved out by one.
    #[test]
    fn the_solution_is_the_least_squares_one() {
        let from = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [0.0, 0.0]];
        let to = [[-1.0, -1.0], [1.0, -1.0], [2.0, 2.0], [-1.0, 1.0], [0.0, 0.0]];
        let found = Similarity::between(&from, &to).unwrap();
        assert!((found.a - 10.0 / 8.0).abs() < 1e-9);
        assert!(found.b.abs() < 1e-9);
        assert!((found.tx - 0.2).abs() < 1e-9 && (found.ty - 0.2).abs() < 1e-9);
    }

    #[test]
    fn points_that_coincide_have_no_similarity() {
        assert_eq!(Similarity::between(&[[3.0, 3.0]; 5], &TEMPLATE), None);
        assert_eq!(Similarity::between(&[[f32::NAN; 2]; 5], &TEMPLATE), None);
    }

    #[test]
    fn an_aligned_picture_stays_as_it_is_and_is_blue_first() {
        let image = Image::drawn(SIDE, SIDE, |x, y| [x as u8, y as u8, 7]);
        let crop = align(&image, &TEMPLATE).unwrap();
        let wrong = crop.as_chunks::<3>().0.iter().enumerate().filter(|(at, bgr)| {
            let (x, y) = (at % SIDE, at / SIDE);
            // The outermost pixels can blend with the border by rounding.
            let inside = (1..SIDE - 1).contains(&x) && (1..SIDE - 1).contains(&y);
            inside && **bgr != [7, y as u8, x as u8]
        });
        assert_eq!(wrong.count(), 0);
    }
}
