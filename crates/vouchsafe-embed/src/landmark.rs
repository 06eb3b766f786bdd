//! Sixty-eight points of a face, in the order of the iBUG 300-W annotation.

use zeroize::Zeroizing;

use crate::port::Inference;
use crate::sample::{Rect, grey, resize, to_float};
use crate::{EmbedError, FaceBox, Image, ModelRole};

/// A point in pixels of the picture, x and y.
pub(crate) type Point = [f32; 2];

/// The points of one face; wiped on drop, because they are a scan of its geometry.
pub(crate) struct Landmarks {
    // INVARIANT (sixty-eight): exactly 68 finite points.
    points: Zeroizing<Vec<Point>>,
}

impl Landmarks {
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Left eye, right eye, nose tip, left and right corner of the mouth, as the picture shows them.
    pub(crate) fn five(&self) -> [Point; 5] {
        [self.mean(36, 42), self.mean(42, 48), self.at(30), self.at(48), self.at(54)]
    }

    pub(crate) fn at(&self, index: usize) -> Point {
        self.points.get(index).copied().unwrap_or_default()
    }

    fn mean(&self, from: usize, to: usize) -> Point {
        let points = self.points.get(from..to).unwrap_or(&[]);
        let [x, y] = points.iter().fold([0.0; 2], |[x, y], [px, py]| [x + px, y + py]);
        [x / to_float(points.len()), y / to_float(points.len())]
    }
}

/// Places the points of one face.
pub(crate) fn landmarks(
    graph: &dyn Inference,
    image: &Image,
    face: &FaceBox,
) -> Result<Landmarks, EmbedError> {
    let rect = square(image, face);
    let mut input = Zeroizing::new(vec![0f32; ModelRole::Landmark.input_len()]);
    // `[1, 1, 64, 64]`, grey, value / 256.
    resize(image, rect, 64, 64, |at, rgb| {
        if let Some(slot) = input.get_mut(at) {
            *slot = f32::from(grey(rgb)) / 256.0;
        }
    });
    let outputs = graph.run(&input)?;
    let unusable = EmbedError::ModelOutput { model: ModelRole::Landmark };
    let output = outputs.of_len(136).ok_or(unusable)?;
    if !output.iter().all(|value| value.is_finite()) {
        return Err(unusable);
    }
    let to_pixels = |&[x, y]: &Point| {
        [x * to_float(rect.width) + to_float(rect.x), y * to_float(rect.height) + to_float(rect.y)]
    };
    let points = output.as_chunks::<2>().0.iter().map(to_pixels).collect();
    Ok(Landmarks { points: Zeroizing::new(points) })
}

/// A square with the side of the box's height and its centre, clipped to the picture.
fn square(image: &Image, face: &FaceBox) -> Rect {
    let ((x, y), half) = (face.centre(), face.height() / 2.0);
    let (right, bottom) = (to_float(image.width()) - 1.0, to_float(image.height()) - 1.0);
    let corners = [(x - half).max(0.0), (y - half).max(0.0), (x + half).min(right), (y + half).min(bottom)];
    Rect::clipped(corners, image)
}
