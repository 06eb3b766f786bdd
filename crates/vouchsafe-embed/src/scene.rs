use std::fmt;

use zeroize::Zeroizing;

use crate::detect::fill;
use crate::landmark::{Landmarks, Point};
use crate::port::{Inference, Outputs};
use crate::sample::{Rect, grey, resize, to_float};
use crate::{EmbedError, FaceBox, Image, ModelRole};

/// What a [`Judge`](crate::Judge) sees: one face in one picture, read only, for the length of one call.
pub struct FaceScene<'a> {
    image: &'a Image,
    face: FaceBox,
    landmarks: &'a Landmarks,
    liveness: &'a dyn Inference,
    eye: &'a dyn Inference,
}

impl<'a> FaceScene<'a> {
    pub(crate) const fn new(
        image: &'a Image,
        face: FaceBox,
        landmarks: &'a Landmarks,
        [liveness, eye]: [&'a dyn Inference; 2],
    ) -> Self {
        Self { image, face, landmarks, liveness, eye }
    }

    /// The picture's width and height in pixels.
    pub const fn image_size(&self) -> (usize, usize) {
        (self.image.width(), self.image.height())
    }

    /// The face's box.
    pub const fn face(&self) -> FaceBox {
        self.face
    }

    /// The face's 68 points in pixels, in the order of the iBUG annotation (36..=41 left eye, 42..=47 right eye).
    pub fn expose_landmarks(&self) -> &[[f32; 2]] {
        self.landmarks.points()
    }

    /// The face with its surroundings: `scale` times the box, scaled to `side` x `side`.
    ///
    /// `[1, 3, side, side]`, NCHW, blue, green, red, 0..=255. The factor is clamped so that the crop fits into the
    /// picture, and the crop is shifted inside it: it is never padded, since padding makes the liveness model
    /// call everything a fake. `side` is clamped to 1..=512.
    pub fn crop(&self, scale: f32, side: usize) -> Crop {
        let side = side.clamp(1, 512);
        let mut values = Zeroizing::new(vec![0f32; 3 * side * side]);
        fill(&mut values, side * side, |put| {
            resize(self.image, surroundings(self.image, &self.face, scale), side, side, |at, [r, g, b]| {
                put(at, [b, g, r].map(f32::from));
            });
        });
        Crop { values, side }
    }

    /// One eye: `[1, 1, 24, 24]`, grey, 0..=1, a square of 1.6 times the distance of the eye's corners.
    pub fn eye_crop(&self, eye: Eye) -> Crop {
        let rect = eye_square(self.image, self.landmarks, eye);
        let mut values = Zeroizing::new(vec![0f32; ModelRole::Eye.input_len()]);
        resize(self.image, rect, 24, 24, |at, rgb| {
            if let Some(slot) = values.get_mut(at) {
                *slot = f32::from(grey(rgb)) / 255.0;
            }
        });
        Crop { values, side: 24 }
    }

    /// Runs the liveness model on `[1, 3, 128, 128]` as [`Self::crop`] gives it; three logits, class 0 is live.
    ///
    /// # Errors
    /// [`EmbedError::InputSize`] or [`EmbedError::Engine`].
    pub fn liveness(&self, input: &[f32]) -> Result<Outputs, EmbedError> {
        self.liveness.run(input)
    }

    /// Runs the eye model on `[1, 1, 24, 24]` as [`Self::eye_crop`] gives it; two logits, class 1 is open.
    ///
    /// # Errors
    /// [`EmbedError::InputSize`] or [`EmbedError::Engine`].
    pub fn eye(&self, input: &[f32]) -> Result<Outputs, EmbedError> {
        self.eye.run(input)
    }
}

impl fmt::Debug for FaceScene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaceScene").finish_non_exhaustive()
    }
}

/// One of the two eyes, as the picture shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a face has two")]
pub enum Eye {
    /// The eye on the picture's left.
    Left,
    /// The eye on the picture's right.
    Right,
}

/// Part of a picture as a model takes it, wiped on drop.
pub struct Crop {
    values: Zeroizing<Vec<f32>>,
    side: usize,
}

impl Crop {
    /// The values, plane after plane, row after row.
    pub fn expose_pixels(&self) -> &[f32] {
        &self.values
    }

    /// The side in pixels.
    pub const fn side(&self) -> usize {
        self.side
    }
}

impl fmt::Debug for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crop").finish_non_exhaustive()
    }
}

fn surroundings(image: &Image, face: &FaceBox, scale: f32) -> Rect {
    let (width, height) = (to_float(image.width()), to_float(image.height()));
    let scale = scale.min((height - 1.0) / face.height()).min((width - 1.0) / face.width());
    let (crop_width, crop_height) = (face.width() * scale, face.height() * scale);
    let (x, y) = face.centre();
    let left = (x - crop_width / 2.0).min(width - crop_width).max(0.0);
    let top = (y - crop_height / 2.0).min(height - crop_height).max(0.0);
    Rect::clipped([left, top, left + crop_width, top + crop_height], image)
}

fn eye_square(image: &Image, landmarks: &Landmarks, eye: Eye) -> Rect {
    // Corners, then the four points of the lids.
    let (corners, lids) = match eye {
        Eye::Left => ([36, 39], [37, 38, 40, 41]),
        Eye::Right => ([42, 45], [43, 44, 46, 47]),
    };
    let [[ax, ay], [bx, by]] = corners.map(|at| landmarks.at(at));
    let half = (ax - bx).hypot(ay - by) * 0.8;
    let [x, y] = lids
        .map(|at| landmarks.at(at))
        .iter()
        .fold([0.0; 2], |[x, y]: Point, [px, py]| [x + px / 4.0, y + py / 4.0]);
    Rect::clipped([x - half, y - half, x + half, y + half], image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::FaceBox;

    #[test]
    fn surroundings_are_clamped_and_shifted_and_never_leave_the_picture() {
        let image = Image::drawn(200, 100, |_, _| [0; 3]);
        let inside = surroundings(&image, &FaceBox::at([90.0, 40.0, 110.0, 60.0]), 2.7);
        assert_eq!(inside, Rect { x: 73, y: 23, width: 54, height: 54 });
        let corner = surroundings(&image, &FaceBox::at([-5.0, -5.0, 15.0, 15.0]), 2.7);
        assert_eq!(corner, Rect { x: 0, y: 0, width: 54, height: 54 });
        let tall = surroundings(&image, &FaceBox::at([50.0, 10.0, 100.0, 90.0]), 2.7);
        assert!(tall.height >= 98 && tall.y + tall.height <= 100);
    }
}
