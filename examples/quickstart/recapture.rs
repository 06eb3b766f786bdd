//! A simulation of a photograph of a photograph: smaller, paler, on a plain background, with screen lines.

use std::error::Error;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage, imageops};

/// Simulates the recapture of a picture and gives it as PNG.
pub(crate) fn of(picture: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let original = image::load_from_memory(picture)?.to_rgb8();
    let shown = imageops::resize(&original, 420, 420, imageops::FilterType::Triangle);
    let mut table = RgbImage::from_pixel(900, 700, Rgb([168, 160, 150]));
    for (x, y, pixel) in shown.enumerate_pixels() {
        // Screen lines every third row and column, contrast lost to glare.
        let lines = if x % 3 == 0 || y % 3 == 0 { 26 } else { 0 };
        let pale = pixel.0.map(|channel| (u16::from(channel) * 7 / 10 + 58 - lines).min(255) as u8);
        table.put_pixel(x + 240, y + 140, Rgb(pale));
    }
    let mut png = Cursor::new(Vec::new());
    table.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}
