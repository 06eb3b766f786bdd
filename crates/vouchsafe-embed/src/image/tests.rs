//! Whole and hostile files, made here: no picture of a person is needed.

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::*;

const WIDTH: u32 = 48;
const HEIGHT: u32 = 40;

/// A picture whose corners tell left from right and top from bottom.
fn rgb() -> Vec<u8> {
    let corner = |x, y| match (x < 8, y < 8) {
        (true, true) => [250, 10, 10],
        (false, true) if x >= WIDTH - 8 => [10, 250, 10],
        _ => [60, 60, 60],
    };
    (0..WIDTH * HEIGHT).flat_map(|i| corner(i % WIDTH, i / WIDTH)).collect()
}

fn png(pixels: &[u8], colour: ExtendedColorType, orientation: Option<u8>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    if let Some(orientation) = orientation {
        encoder.set_exif_metadata(exif(orientation)).unwrap();
    }
    encoder.write_image(pixels, WIDTH, HEIGHT, colour).unwrap();
    file
}

fn jpeg(orientation: Option<u8>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
    if let Some(orientation) = orientation {
        encoder.set_exif_metadata(exif(orientation)).unwrap();
    }
    encoder.write_image(&rgb(), WIDTH, HEIGHT, ExtendedColorType::Rgb8).unwrap();
    file
}

fn webp() -> Vec<u8> {
    let mut file = Vec::new();
    WebPEncoder::new_lossless(&mut file).write_image(&rgb(), WIDTH, HEIGHT, ExtendedColorType::Rgb8).unwrap();
    file
}

/// A TIFF header with one tag: 0x0112, orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let tag = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [&b"II*\0\x08\0\0\0\x01\0"[..], &tag, &[0; 4]].concat()
}

fn decode(bytes: &[u8]) -> Result<Image, EmbedError> {
    Image::decode(bytes, &Limits::default())
}

fn at(image: &Image, x: usize, y: usize) -> [u8; 3] {
    image.pixels()[y * image.width() + x]
}

#[test]
fn three_formats_give_the_pixels_that_went_in() {
    for file in [png(&rgb(), ExtendedColorType::Rgb8, None), webp()] {
        let image = decode(&file).unwrap();
        assert_eq!((image.width(), image.height()), (48, 40));
        assert_eq!(image.rgb.as_slice(), rgb());
    }
    let image = decode(&jpeg(None)).unwrap();
    assert!(image.rgb.iter().zip(rgb()).all(|(got, want)| got.abs_diff(want) < 24));
}

#[test]
fn grey_sixteen_bits_and_alpha_become_eight_bit_rgb() {
    let count = (WIDTH * HEIGHT) as usize;
    let grey16: Vec<u8> = (0..count).flat_map(|i| (i as u16 * 30).to_ne_bytes()).collect();
    let image = decode(&png(&grey16, ExtendedColorType::L16, None)).unwrap();
    let high = |i: usize| [((i * 30) >> 8) as u8; 3];
    assert!(image.pixels().iter().enumerate().all(|(i, pixel)| *pixel == high(i)));

    let grey: Vec<u8> = (0..count).map(|i| i as u8).collect();
    let image = decode(&png(&grey, ExtendedColorType::L8, None)).unwrap();
    assert!(image.pixels().iter().enumerate().all(|(i, pixel)| *pixel == [i as u8; 3]));

    let clear: Vec<u8> = (0..count).flat_map(|_| [200, 100, 50, 0]).collect();
    let image = decode(&png(&clear, ExtendedColorType::Rgba8, None)).unwrap();
    assert!(image.pixels().iter().all(|pixel| *pixel == [200, 100, 50]));
}

/// EXIF 2.32, 4.6.4 A, tag 0x0112: on which side row 0 and column 0 of the file are seen.
#[test]
fn every_orientation_is_turned_upright() {
    let top_left =
        [(1, false, false, false), (2, false, false, true), (3, false, true, true), (4, false, true, false)];
    let turned =
        [(5, true, false, false), (6, true, false, true), (7, true, true, true), (8, true, true, false)];
    for (orientation, swapped, at_bottom, at_right) in top_left.into_iter().chain(turned) {
        let image = decode(&png(&rgb(), ExtendedColorType::Rgb8, Some(orientation))).unwrap();
        let (width, height) = if swapped { (40, 48) } else { (48, 40) };
        assert_eq!((image.width(), image.height()), (width, height), "{orientation}");
        let corner = |bottom: bool, right: bool| {
            at(&image, if right { width - 1 } else { 0 }, if bottom { height - 1 } else { 0 })
        };
        assert_eq!(corner(at_bottom, at_right), [250, 10, 10], "{orientation}");
        // The file's upper right corner: along row 0, away from column 0.
        let green = if swapped { corner(!at_bottom, at_right) } else { corner(at_bottom, !at_right) };
        assert_eq!(green, [10, 250, 10], "{orientation}");
    }
    let image = decode(&jpeg(Some(6))).unwrap();
    assert_eq!((image.width(), image.height()), (40, 48));
    assert!(at(&image, 39, 0)[0] > 200);
}

#[test]
fn what_is_no_picture_has_a_typed_error() {
    assert_eq!(decode(b"").err(), Some(EmbedError::ImageEmpty));
    for bytes in [&b"x"[..], b"hello, world", b"GIF89a\x01\0\x01\0\0\0\0;", b"%PDF-1.7", &[0; 64], b"\x89PNG"]
    {
        assert_eq!(decode(bytes).err(), Some(EmbedError::ImageFormat), "{bytes:?}");
    }
}

#[test]
fn sizes_are_limited_by_the_header() {
    let mut one = Vec::new();
    PngEncoder::new(&mut one).write_image(&[1, 2, 3], 1, 1, ExtendedColorType::Rgb8).unwrap();
    assert_eq!(decode(&one).err(), Some(EmbedError::ImageTooSmall));
    for (width, height) in [(60_000, 60_000), (16_384, 16_384), (16_385, 64), (64, 1 << 30)] {
        assert_eq!(
            decode(&png_of_size(width, height)).err(),
            Some(EmbedError::ImageTooLarge),
            "{width}x{height}"
        );
    }
    let mut huge = jpeg(None);
    let frame = huge.windows(2).position(|pair| matches!(pair, [0xff, 0xc0..=0xc2])).unwrap();
    huge[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert_eq!(decode(&huge).err(), Some(EmbedError::ImageTooLarge));
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    assert_eq!(Image::decode(&jpeg(None), &limits).err(), Some(EmbedError::ImageTooLarge));
}

/// A PNG that states a size it does not hold.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut file = png(&rgb(), ExtendedColorType::Rgb8, None);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    file
}

#[test]
fn animations_are_refused() {
    let mut apng = png(&rgb(), ExtendedColorType::Rgb8, None);
    let mut chunk = b"acTL\0\0\0\x02\0\0\0\0".to_vec();
    chunk.extend(crc32(&chunk).to_be_bytes());
    apng.splice(33..33, [&[0, 0, 0, 8][..], &chunk].concat());
    assert_eq!(decode(&apng).err(), Some(EmbedError::ImageAnimated));
    assert_eq!(decode(&animated_webp()).err(), Some(EmbedError::ImageAnimated));
}

/// Two frames around the lossless bitstream of a still WebP.
fn animated_webp() -> Vec<u8> {
    let still = webp();
    let bitstream = &still[12..];
    let (w, h) = ((WIDTH - 1).to_le_bytes(), (HEIGHT - 1).to_le_bytes());
    let size = [&w[..3], &h[..3]].concat();
    let frame = [&[0; 6][..], &size, &[100, 0, 0, 0], bitstream].concat();
    let parts = [
        riff_chunk(b"VP8X", &[&[0b10, 0, 0, 0][..], &size].concat()),
        riff_chunk(b"ANIM", &[0; 6]),
        riff_chunk(b"ANMF", &frame),
        riff_chunk(b"ANMF", &frame),
    ];
    riff_chunk(b"RIFF", &[b"WEBP".to_vec(), parts.concat()].concat())
}

fn riff_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = &[0u8][..body.len() % 2];
    [name, &(body.len() as u32).to_le_bytes()[..], body, padding].concat()
}

#[test]
fn four_components_and_arithmetic_coding_are_refused() {
    let whole = jpeg(None);
    let frame = whole.windows(2).position(|pair| matches!(pair, [0xff, 0xc0..=0xc2])).unwrap();
    let mut cmyk = whole.clone();
    cmyk[frame + 9] = 4;
    let mut arithmetic = whole;
    arithmetic[frame + 1] = 0xc9;
    assert_eq!(decode(&cmyk).err(), Some(EmbedError::ImageFormat));
    assert_eq!(decode(&arithmetic).err(), Some(EmbedError::ImageFormat));
}

#[test]
fn no_beginning_of_a_file_is_a_picture() {
    let jpeg = jpeg(None);
    for length in 1..jpeg.len() {
        assert!(decode(&jpeg[..length]).is_err(), "{length} of {}", jpeg.len());
    }
    assert_eq!(decode(&jpeg[..jpeg.len() - 20]).err(), Some(EmbedError::ImageTruncated));
    // The last chunk of a PNG (IEND, 12 bytes) and the check of the one before hold no pixels.
    for (file, tail) in [(png(&rgb(), ExtendedColorType::Rgb8, None), 17), (webp(), 2)] {
        for length in 1..file.len() - tail {
            assert!(decode(&file[..length]).is_err(), "{length} of {}", file.len());
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let mut state = 0x9e37_79b9_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for file in [jpeg(Some(3)), png(&rgb(), ExtendedColorType::Rgb8, Some(3)), webp(), animated_webp()] {
        for _ in 0..400 {
            let mut damaged = file.clone();
            for _ in 0..=random(3) {
                let position = random(damaged.len());
                damaged[position] = random(256) as u8;
            }
            let _ = decode(&damaged);
        }
    }
}

#[test]
fn an_image_prints_nothing() {
    assert_eq!(format!("{:?}", decode(&jpeg(None)).unwrap()), "Image { .. }");
}

/// CRC-32 of PNG (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}
