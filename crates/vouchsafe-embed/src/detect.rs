//! Faces in a picture, found by an UltraFace RFB-320 graph.

use zeroize::{Zeroize, Zeroizing};

use crate::port::Inference;
use crate::sample::{Rect, resize, to_float};
use crate::{EmbedError, Image, ModelRole};

/// A face's box in pixels of the picture: left, top, right, bottom. It can reach outside the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceBox {
    corners: [f32; 4],
    score: f32,
}

impl FaceBox {
    /// Left, top, right, bottom in pixels; 0 is the left or upper edge of the picture.
    pub const fn corners(&self) -> [f32; 4] {
        self.corners
    }

    /// The width in pixels, above 0.
    pub const fn width(&self) -> f32 {
        let [x1, _, x2, _] = self.corners;
        x2 - x1
    }

    /// The height in pixels, above 0.
    pub const fn height(&self) -> f32 {
        let [_, y1, _, y2] = self.corners;
        y2 - y1
    }

    /// The centre, x and y in pixels.
    pub const fn centre(&self) -> (f32, f32) {
        let [x1, y1, x2, y2] = self.corners;
        (x1.midpoint(x2), y1.midpoint(y2))
    }

    pub(crate) const fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// Intersection over union, 0..=1.
    fn overlap(&self, other: &Self) -> f32 {
        let ([ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]) = (self.corners, other.corners);
        let (width, height) = (ax2.min(bx2) - ax1.max(bx1), ay2.min(by2) - ay1.max(by1));
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        width * height / (self.area() + other.area() - width * height)
    }
}

/// The least score of a face, 0..=1.
const MIN_SCORE: f32 = 0.65;
/// Two boxes that overlap more are one face (intersection over union).
const MAX_OVERLAP: f32 = 0.4;
/// How many boxes the graph proposes.
const PROPOSALS: usize = 4420;

/// Finds faces, best score first.
pub(crate) fn detect(graph: &dyn Inference, image: &Image) -> Result<Vec<FaceBox>, EmbedError> {
    let outputs = graph.run(&input(image))?;
    let unusable = EmbedError::ModelOutput { model: ModelRole::Detect };
    let scores = outputs.of_len(PROPOSALS * 2).ok_or(unusable)?;
    let boxes = outputs.of_len(PROPOSALS * 4).ok_or(unusable)?;
    let (width, height) = (to_float(image.width()), to_float(image.height()));
    let proposals = scores.as_chunks::<2>().0.iter().zip(boxes.as_chunks::<4>().0);
    let mut found: Vec<FaceBox> = proposals
        .filter(|([_, score], _)| *score >= MIN_SCORE)
        .map(|(&[_, score], &[x1, y1, x2, y2])| FaceBox {
            corners: [x1 * width, y1 * height, x2 * width, y2 * height],
            score,
        })
        .filter(|face| face.width() > 1.0 && face.height() > 1.0 && face.area().is_finite())
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(suppress(&found))
}

/// Keeps of each group of overlapping boxes the one with the best score.
fn suppress(sorted: &[FaceBox]) -> Vec<FaceBox> {
    let mut kept: Vec<FaceBox> = Vec::new();
    for face in sorted {
        if kept.iter().all(|other| face.overlap(other) <= MAX_OVERLAP) {
            kept.push(*face);
        }
    }
    kept
}

/// `[1, 3, 240, 320]`, NCHW, RGB, (value - 127) / 128.
fn input(image: &Image) -> Zeroizing<Vec<f32>> {
    let mut input = Zeroizing::new(vec![0f32; ModelRole::Detect.input_len()]);
    fill(&mut input, 320 * 240, |put| {
        resize(image, Rect::whole(image), 320, 240, |at, rgb| put(at, rgb.map(centred)));
    });
    input
}

/// (value - 127) / 128.
pub(crate) fn centred(level: u8) -> f32 {
    (f32::from(level) - 127.0) / 128.0
}

/// Calls the closure with a function that writes three values of a pixel into three planes.
pub(crate) fn fill(planes: &mut [f32], plane: usize, draw: impl FnOnce(&mut dyn FnMut(usize, [f32; 3]))) {
    let (first, rest) = planes.split_at_mut(plane.min(planes.len()));
    let (second, third) = rest.split_at_mut(plane.min(rest.len()));
    draw(&mut |at, mut values| {
        for (plane, value) in [&mut *first, &mut *second, &mut *third].into_iter().zip(values) {
            if let Some(slot) = plane.get_mut(at) {
                *slot = value;
            }
        }
        values.zeroize();
    });
}

#[cfg(test)]
impl FaceBox {
    /// A box that a test places.
    pub(crate) const fn at(corners: [f32; 4]) -> Self {
        Self { corners, score: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(corners: [f32; 4], score: f32) -> FaceBox {
        FaceBox { corners, score }
    }

    #[test]
    fn overlap_has_known_values() {
        let square = face([0.0, 0.0, 10.0, 10.0], 1.0);
        assert_eq!(square.overlap(&square), 1.0);
        assert_eq!(square.overlap(&face([5.0, 0.0, 15.0, 10.0], 1.0)), 50.0 / 150.0);
        assert_eq!(square.overlap(&face([10.0, 0.0, 20.0, 10.0], 1.0)), 0.0);
    }

    #[test]
    fn of_overlapping_boxes_the_best_is_kept() {
        let best = face([0.0, 0.0, 10.0, 10.0], 0.9);
        let same = face([1.0, 0.0, 11.0, 10.0], 0.8);
        let other = face([50.0, 0.0, 60.0, 10.0], 0.7);
        assert_eq!(suppress(&[best, same, other]), [best, other]);
    }
}
