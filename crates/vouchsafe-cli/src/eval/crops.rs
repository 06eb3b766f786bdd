//! Aligned crops and their embeddings as files, so that another implementation can embed the same pixels.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use vouchsafe::consent::Evaluation;
use vouchsafe::embed::FaceEmbedding;

use crate::{CliError, files};

/// A folder for `000000.png`, … (by the picture's place in the sorted list) and `embeddings.f32`: 512 little-endian
/// f32 for each crop, in the order of the crops' names.
pub(super) struct CropFolder(PathBuf);

const WHAT: &str = "the folder for crops";
const SIDE: u32 = 112;

impl CropFolder {
    /// Makes the folder, or takes an empty one: crops of an earlier run would be counted as this one's.
    pub(super) fn open(dir: &Path) -> Result<Self, CliError> {
        let fail = |error: std::io::Error| CliError::file(WHAT, &error);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fail)?;
        match fs::read_dir(dir).map_err(fail)?.next() {
            None => Ok(Self(dir.to_owned())),
            Some(_) => Err(CliError::Exists("something in the folder for crops")),
        }
    }

    /// Writes a crop of blue, green, red as a PNG of red, green, blue, which readers turn into the same pixels.
    pub(super) fn write(&self, index: usize, bgr: &[u8]) -> Result<(), CliError> {
        let rgb: Vec<u8> = bgr.as_chunks::<3>().0.iter().flat_map(|&[b, g, r]| [r, g, b]).collect();
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&rgb, SIDE, SIDE, ExtendedColorType::Rgb8)
            .map_err(|_| CliError::Malformed("a crop"))?;
        files::write_new(&self.0.join(format!("{index:06}.png")), "a crop file", &png)
    }

    /// Writes the embeddings, in the order of the crops.
    pub(super) fn write_embeddings<'a>(
        &self,
        embeddings: impl Iterator<Item = &'a FaceEmbedding<Evaluation>>,
    ) -> Result<(), CliError> {
        let bytes: Vec<u8> =
            embeddings.flat_map(|one| one.expose_embedding()).flat_map(|value| value.to_le_bytes()).collect();
        files::write_new(&self.0.join("embeddings.f32"), "the file of embeddings", &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_reads_back_with_its_channels_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let crops = CropFolder::open(&folder.path().join("new")).unwrap();
        let bgr: Vec<u8> = (0..112 * 112).flat_map(|i| [(i % 251) as u8, 7, 200]).collect();
        crops.write(3, &bgr).unwrap();
        let read = image::open(folder.path().join("new/000003.png")).unwrap().into_rgb8();
        assert_eq!(read.get_pixel(5, 0).0, [200, 7, 5]);
        assert_eq!(read.dimensions(), (112, 112));
    }

    #[test]
    fn crops_of_an_earlier_run_are_not_mixed_in() {
        let folder = tempfile::tempdir().unwrap();
        assert!(CropFolder::open(folder.path()).is_ok());
        fs::write(folder.path().join("000000.png"), b"old").unwrap();
        assert_eq!(CropFolder::open(folder.path()).err().map(|error| error.exit_code()), Some(2));
    }
}
