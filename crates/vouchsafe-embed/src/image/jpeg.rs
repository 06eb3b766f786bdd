//! A walk over the markers of a JPEG file (ITU-T T.81, annex B).
//!
//! The decoder fills what is missing of a truncated file with grey and reads files of four components in ways
//! that differ between writers; both are refused here, before it runs.

use crate::EmbedError;

/// What the frame header states.
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Checks that the file is whole, and gives its frame.
pub(super) fn walk(bytes: &[u8]) -> Result<Frame, EmbedError> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8]).ok_or(EmbedError::ImageFormat)?;
    let mut frame = None;
    loop {
        let (marker, after) = next_marker(rest)?;
        rest = after;
        match marker {
            END => return frame.ok_or(EmbedError::ImageCorrupt),
            // Parameterless: TEM, RSTn, a second SOI.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let (segment, after) = segment(rest)?;
                rest = after;
                if is_frame(marker) {
                    frame = Some(read_frame(marker, segment)?);
                } else if marker == SCAN {
                    rest = skip_scan(rest)?;
                }
            }
        }
    }
}

const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Start of frame: C0 to CF without DHT (C4), JPG (C8) and DAC (CC).
const fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

/// The next marker; fill bytes before it are skipped, and so is garbage, as decoders do.
fn next_marker(bytes: &[u8]) -> Result<(u8, &[u8]), EmbedError> {
    let start = bytes.iter().position(|&b| b == 0xff).ok_or(EmbedError::ImageTruncated)?;
    let after = bytes.get(start..).unwrap_or(&[]);
    let fill = after.iter().take_while(|&&b| b == 0xff).count();
    match after.get(fill..).and_then(<[u8]>::split_first) {
        // A stuffed byte outside a scan is damage.
        Some((&0, _)) => Err(EmbedError::ImageCorrupt),
        Some((&marker, rest)) => Ok((marker, rest)),
        None => Err(EmbedError::ImageTruncated),
    }
}

/// A segment without its two length bytes, and what follows it.
fn segment(bytes: &[u8]) -> Result<(&[u8], &[u8]), EmbedError> {
    let (&length, after) = bytes.split_first_chunk::<2>().ok_or(EmbedError::ImageTruncated)?;
    let length = usize::from(u16::from_be_bytes(length)).checked_sub(2).ok_or(EmbedError::ImageCorrupt)?;
    after.split_at_checked(length).ok_or(EmbedError::ImageTruncated)
}

fn read_frame(marker: u8, segment: &[u8]) -> Result<Frame, EmbedError> {
    let &[precision, h1, h0, w1, w0, components, ..] = segment else {
        return Err(EmbedError::ImageCorrupt);
    };
    let coded_as_read = matches!(marker, 0xc0..=0xc2);
    if !coded_as_read || precision != 8 || !matches!(components, 1 | 3) {
        return Err(EmbedError::ImageFormat);
    }
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    Ok(Frame { width: width.into(), height: height.into() })
}

/// Skips entropy-coded data: up to the first marker that is neither a stuffed byte nor a restart.
fn skip_scan(bytes: &[u8]) -> Result<&[u8], EmbedError> {
    let ends = |pair: &[u8]| matches!(pair, &[0xff, next] if !matches!(next, 0 | 0xd0..=0xd7 | 0xff));
    let end = bytes.windows(2).position(ends).ok_or(EmbedError::ImageTruncated)?;
    Ok(bytes.get(end..).unwrap_or(&[]))
}
