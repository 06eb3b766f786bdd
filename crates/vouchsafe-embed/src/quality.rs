//! The quality gate: what a picture must be before it is worth judging.

use vouchsafe_types::{Reasons, Refusal};
use zeroize::Zeroizing;

use crate::align::SIDE;
use crate::landmark::Point;
use crate::sample::{grey, to_float};

/// What a capture must satisfy. The defaults refuse what the models cannot use, not what is unbecoming.
///
/// Levels are grey values 0..=255 of the middle half of the aligned 112x112 face, distances are pixels of the
/// picture. The defaults were chosen on 43 pictures of 6 people, about halfway between the extreme seen there and
/// uselessness, and then tried on 45 pictures of 6 others: one was refused, which shows a second face almost as
/// large. Of four portraits and four liveness samples none was refused. So few people certify nothing.
/// The ratio of the second face was set with sight of all 88 pictures: in three of them a bystander is 0.51 to
/// 0.62 as tall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CapturePolicy {
    /// The least distance between the eyes, in pixels. Default 18: the aligned face is then enlarged twice.
    /// Seen: 32 to 225.
    pub min_eye_distance: f32,
    /// The least sharpness, the variance of the four-neighbour Laplacian; 0 is a flat picture. Default 28.
    /// Seen: 57 to 1,800.
    pub min_sharpness: f32,
    /// The least mean grey level. Default 25. Seen: 65 to 181. It is deliberately far below what was seen, because
    /// the grey level of a face depends on its skin tone as well as on the light.
    pub min_brightness: f32,
    /// The greatest mean grey level. Default 230.
    pub max_brightness: f32,
    /// How far the nose tip may lie from the middle between the eyes, sideways, in eye distances.
    /// 0 is a frontal face, about 0.5 a half profile. Default 0.6. Seen: 0.01 to 0.41.
    pub max_turn: f32,
    /// A second face counts when it is at least this tall, in heights of the largest face. Default 2/3.
    /// Smaller ones are taken for bystanders in the background; 0 refuses every second face.
    pub second_face_ratio: f32,
}

impl Default for CapturePolicy {
    fn default() -> Self {
        Self {
            min_eye_distance: 18.0,
            min_sharpness: 28.0,
            min_brightness: 25.0,
            max_brightness: 230.0,
            max_turn: 0.6,
            second_face_ratio: 2.0 / 3.0,
        }
    }
}

/// What was measured of one face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    pub(crate) eye_distance: f32,
    pub(crate) sharpness: f32,
    pub(crate) brightness: f32,
    pub(crate) turn: f32,
}

impl Quality {
    /// Measures an aligned crop (112x112, blue, green, red) and the five points it was aligned by.
    pub(crate) fn measure(crop: &[u8], five: &[Point; 5]) -> Self {
        let level = |&[b, g, r]: &[u8; 3]| f32::from(grey([r, g, b]));
        let levels: Zeroizing<Vec<f32>> = Zeroizing::new(crop.as_chunks().0.iter().map(level).collect());
        let &[left, right, nose, ..] = five;
        let eyes = [right[0] - left[0], right[1] - left[1]];
        let eye_distance = eyes[0].hypot(eyes[1]);
        let middle = [left[0].midpoint(right[0]), left[1].midpoint(right[1])];
        let sideways = (nose[0] - middle[0]) * eyes[0] + (nose[1] - middle[1]) * eyes[1];
        Self {
            eye_distance,
            sharpness: sharpness(&levels),
            brightness: brightness(&levels),
            turn: (sideways / (eye_distance * eye_distance)).abs(),
        }
    }

    /// Every reason to refuse; `None` when there is none. A measure that is not a number refuses.
    pub(crate) fn refusals(&self, policy: &CapturePolicy) -> Option<Reasons> {
        let checks = [
            (self.eye_distance >= policy.min_eye_distance, Refusal::FaceTooSmall),
            (self.turn <= policy.max_turn, Refusal::FaceTurned),
            (self.brightness >= policy.min_brightness, Refusal::TooDark),
            (self.brightness <= policy.max_brightness, Refusal::TooBright),
            (self.sharpness >= policy.min_sharpness, Refusal::TooBlurred),
        ];
        let failed = checks.into_iter().filter(|(passed, _)| !passed).map(|(_, refusal)| refusal);
        Reasons::several(failed.collect())
    }
}

/// The middle of the aligned face, without background: rows and columns 28..84.
const MIDDLE: std::ops::Range<usize> = SIDE / 4..SIDE - SIDE / 4;

/// The variance of the four-neighbour Laplacian over the middle of the face.
fn sharpness(levels: &[f32]) -> f32 {
    let at = |x: usize, y: usize| levels.get(y * SIDE + x).copied().unwrap_or(0.0);
    let laplacian = |x, y| at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
    let (mut sum, mut squares) = (0f32, 0f32);
    for (x, y) in MIDDLE.flat_map(|y| MIDDLE.map(move |x| (x, y))) {
        let value = laplacian(x, y);
        sum += value;
        squares += value * value;
    }
    let count = to_float(MIDDLE.len() * MIDDLE.len());
    squares / count - (sum / count) * (sum / count)
}

fn brightness(levels: &[f32]) -> f32 {
    let rows = levels.chunks_exact(SIDE).skip(MIDDLE.start).take(MIDDLE.len());
    let sum: f32 = rows.flat_map(|row| row.get(MIDDLE).unwrap_or(&[])).sum();
    sum / to_float(MIDDLE.len() * MIDDLE.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONTAL: [Point; 5] = [[40.0, 50.0], [80.0, 50.0], [60.0, 70.0], [45.0, 90.0], [75.0, 90.0]];

    fn crop(draw: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..SIDE * SIDE).flat_map(|i| [draw(i % SIDE, i / SIDE); 3]).collect()
    }

    fn refused(crop: &[u8], five: &[Point; 5]) -> Vec<Refusal> {
        let reasons = Quality::measure(crop, five).refusals(&CapturePolicy::default());
        reasons.map(|reasons| reasons.as_slice().to_vec()).unwrap_or_default()
    }

    #[test]
    fn each_fault_is_named() {
        let textured =
            |low: u8, high: u8| crop(move |x, y| if (x / 3 + y / 3) % 2 == 0 { low } else { high });
        assert_eq!(refused(&textured(80, 160), &FRONTAL), []);
        assert_eq!(refused(&crop(|_, _| 120), &FRONTAL), [Refusal::TooBlurred]);
        assert_eq!(refused(&textured(0, 30), &FRONTAL), [Refusal::TooDark]);
        assert_eq!(refused(&textured(225, 255), &FRONTAL), [Refusal::TooBright]);
        let mut turned = FRONTAL;
        turned[2][0] = 90.0;
        assert_eq!(refused(&textured(80, 160), &turned), [Refusal::FaceTurned]);
        assert_eq!(
            refused(&textured(80, 160), &FRONTAL.map(|[x, y]| [x / 4.0, y / 4.0])),
            [Refusal::FaceTooSmall]
        );
        assert!(refused(&textured(80, 160), &[[f32::NAN; 2]; 5]).contains(&Refusal::FaceTurned));
    }

    #[test]
    fn a_checkerboard_has_a_known_sharpness() {
        // Every Laplacian is +-8 x half the contrast of 20: variance (80)^2.
        let board = crop(|x, y| if (x + y) % 2 == 0 { 110 } else { 130 });
        let quality = Quality::measure(&board, &FRONTAL);
        assert!((quality.sharpness - 6400.0).abs() < 1.0);
        assert!((quality.brightness - 120.0).abs() < 0.01);
        assert_eq!(quality.turn, 0.0);
        assert_eq!(quality.eye_distance, 40.0);
    }
}
