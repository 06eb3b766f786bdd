use std::io::Cursor;

use image::codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageFormat};
use zeroize::Zeroizing;

use super::{Image, Limits, jpeg};
use crate::EmbedError;

// Never inlined: its frames hold blocks of pixels, and the caller wipes them.
#[inline(never)]
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Image, EmbedError> {
    if bytes.is_empty() {
        return Err(EmbedError::ImageEmpty);
    }
    if bytes.len() > limits.max_bytes {
        return Err(EmbedError::ImageTooLarge);
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => {
            let frame = jpeg::walk(bytes)?;
            limits.check(frame.width, frame.height)?;
            read(JpegDecoder::new(Cursor::new(bytes)).map_err(failure)?, limits)
        }
        Ok(ImageFormat::Png) => {
            let decoder =
                PngDecoder::with_limits(Cursor::new(bytes), engine_limits(limits)).map_err(failure)?;
            if decoder.is_apng().map_err(failure)? {
                return Err(EmbedError::ImageAnimated);
            }
            read(decoder, limits)
        }
        Ok(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(failure)?;
            if decoder.has_animation() {
                return Err(EmbedError::ImageAnimated);
            }
            read(decoder, limits)
        }
        _ => Err(EmbedError::ImageFormat),
    }
}

fn read(mut decoder: impl ImageDecoder, limits: &Limits) -> Result<Image, EmbedError> {
    let (width, height) = decoder.dimensions();
    limits.check(width, height)?;
    decoder.set_limits(engine_limits(limits)).map_err(failure)?;
    // A broken orientation tag is no reason to refuse a picture that is otherwise whole.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let colour = decoder.color_type();
    let bytes = usize::try_from(decoder.total_bytes()).map_err(|_| EmbedError::ImageTooLarge)?;
    let mut raw = Zeroizing::new(vec![0u8; bytes]);
    decoder.read_image(&mut raw).map_err(failure)?;
    let (width, height) = (to_usize(width)?, to_usize(height)?);
    if colour == ColorType::Rgb8 && orientation == Orientation::NoTransforms {
        return Ok(Image { rgb: raw, width, height });
    }
    upright(&raw, width, height, sampler(colour)?, orientation)
}

/// The most that a decoder may allocate: ten bytes a pixel.
fn engine_limits(limits: &Limits) -> image::Limits {
    let mut own = image::Limits::default();
    own.max_image_width = Some(limits.max_side);
    own.max_image_height = Some(limits.max_side);
    own.max_alloc = Some(limits.max_pixels.saturating_mul(10));
    own
}

/// How many bytes a pixel has, and how its bytes become red, green and blue.
type Sampler = (usize, fn(&[u8]) -> [u8; 3]);

fn sampler(colour: ColorType) -> Result<Sampler, EmbedError> {
    let rgb8 = |p: &[u8]| if let &[r, g, b, ..] = p { [r, g, b] } else { [0; 3] };
    let grey8 = |p: &[u8]| if let &[grey, ..] = p { [grey; 3] } else { [0; 3] };
    let rgb16 = |p: &[u8]| {
        if let &[a, b, c, d, e, f, ..] = p { [high(a, b), high(c, d), high(e, f)] } else { [0; 3] }
    };
    let grey16 = |p: &[u8]| if let &[a, b, ..] = p { [high(a, b); 3] } else { [0; 3] };
    Ok(match colour {
        ColorType::L8 => (1, grey8),
        ColorType::La8 => (2, grey8),
        ColorType::Rgb8 => (3, rgb8),
        ColorType::Rgba8 => (4, rgb8),
        ColorType::L16 => (2, grey16),
        ColorType::La16 => (4, grey16),
        ColorType::Rgb16 => (6, rgb16),
        ColorType::Rgba16 => (8, rgb16),
        _ => return Err(EmbedError::ImageFormat),
    })
}

/// The high byte of a sixteen-bit level in native order.
const fn high(a: u8, b: u8) -> u8 {
    u16::from_ne_bytes([a, b]).to_be_bytes()[0]
}

/// Writes the pixels once, in their final order and place.
fn upright(
    raw: &[u8],
    width: usize,
    height: usize,
    (step, colour): Sampler,
    orientation: Orientation,
) -> Result<Image, EmbedError> {
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (out_width, out_height) = if turned { (height, width) } else { (width, height) };
    let mut rgb = Zeroizing::new(vec![0u8; out_width * out_height * 3]);
    for (i, out) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = (i % out_width, i / out_width);
        // Where the upright pixel (x, y) is found in the stored picture.
        let (u, v) = match orientation {
            Orientation::NoTransforms => (x, y),
            Orientation::FlipHorizontal => (width - 1 - x, y),
            Orientation::Rotate180 => (width - 1 - x, height - 1 - y),
            Orientation::FlipVertical => (x, height - 1 - y),
            Orientation::Rotate90FlipH => (y, x),
            Orientation::Rotate90 => (y, height - 1 - x),
            Orientation::Rotate270FlipH => (width - 1 - y, height - 1 - x),
            Orientation::Rotate270 => (width - 1 - y, x),
        };
        let at = (v * width + u) * step;
        *out = colour(raw.get(at..at + step).ok_or(EmbedError::ImageCorrupt)?);
    }
    Ok(Image { rgb, width: out_width, height: out_height })
}

fn to_usize(value: u32) -> Result<usize, EmbedError> {
    usize::try_from(value).map_err(|_| EmbedError::ImageTooLarge)
}

/// Maps a decoder's error without keeping any of its text.
fn failure(error: ImageError) -> EmbedError {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory => EmbedError::ImageTooLarge,
            _ => EmbedError::ImageFormat,
        },
        ImageError::Unsupported(_) => EmbedError::ImageFormat,
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            EmbedError::ImageTruncated
        }
        _ => EmbedError::ImageCorrupt,
    }
}
