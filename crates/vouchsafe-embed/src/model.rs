use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::digest::{SHA256, digest};
use vouchsafe_types::Digest;

use crate::EmbedError;
use crate::manifest::{self, Entry};

/// What a model of the face recipe does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ModelRole {
    /// Finds faces in a picture.
    Detect,
    /// Says whether an eye is open.
    Eye,
    /// Gives the embedding of an aligned face.
    Feature,
    /// Places 68 points on a face.
    Landmark,
    /// Scores a presentation attack.
    Liveness,
}

impl ModelRole {
    /// Every role, in the order of the names.
    pub const ALL: [Self; 5] = [Self::Detect, Self::Eye, Self::Feature, Self::Landmark, Self::Liveness];

    /// The stable name used in manifests and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Eye => "eye",
            Self::Feature => "feature",
            Self::Landmark => "landmark",
            Self::Liveness => "liveness",
        }
    }

    /// The input's shape: batch, channels, height, width (NCHW, f32).
    pub const fn input_shape(self) -> [usize; 4] {
        match self {
            Self::Detect => [1, 3, 240, 320],
            Self::Eye => [1, 1, 24, 24],
            Self::Feature => [1, 3, 112, 112],
            Self::Landmark => [1, 1, 64, 64],
            Self::Liveness => [1, 3, 128, 128],
        }
    }

    /// How many numbers the input has.
    pub const fn input_len(self) -> usize {
        let [n, c, h, w] = self.input_shape();
        n * c * h * w
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for ModelRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The five model files with their digests checked.
pub struct ModelSet {
    // INVARIANT (checked digest): every entry's bytes hash to its digest, and every role is present.
    models: BTreeMap<ModelRole, Model>,
}

struct Model {
    bytes: Cow<'static, [u8]>,
    digest: Digest,
}

impl ModelSet {
    /// The largest model file that is read: 64 MiB.
    pub const MAX_MODEL_BYTES: u64 = 64 << 20;
    /// The largest manifest that is read: 1 MiB.
    pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;

    /// Reads `manifest.toml` of a directory and the files it names beside it.
    ///
    /// The manifest is what the digests are checked against, so whoever can write the directory chooses the
    /// models; compare [`Self::digest_of`] with a pinned value where that matters.
    ///
    /// # Errors
    /// [`EmbedError::ManifestUnreadable`], [`EmbedError::ModelManifest`], [`EmbedError::ModelUnreadable`],
    /// [`EmbedError::ModelCorrupt`].
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, EmbedError> {
        let directory = directory.as_ref();
        let manifest = read(&directory.join("manifest.toml"), Self::MAX_MANIFEST_BYTES)
            .ok_or(EmbedError::ManifestUnreadable)?;
        let manifest = String::from_utf8(manifest).map_err(|_| EmbedError::ModelManifest)?;
        Self::collect(&manifest, |name| read(&directory.join(name), Self::MAX_MODEL_BYTES).map(Cow::Owned))
    }

    /// The models inside the binary.
    ///
    /// # Errors
    /// [`EmbedError::ModelManifest`] or [`EmbedError::ModelCorrupt`] when the binary was altered.
    #[cfg(feature = "bundled-models")]
    pub fn bundled() -> Result<Self, EmbedError> {
        Self::collect(vouchsafe_models_face::MANIFEST, |name| {
            vouchsafe_models_face::file(name).map(Cow::Borrowed)
        })
    }

    fn collect(
        manifest: &str,
        fetch: impl Fn(&str) -> Option<Cow<'static, [u8]>>,
    ) -> Result<Self, EmbedError> {
        let mut models = BTreeMap::new();
        for Entry { role, file, digest } in manifest::parse(manifest)? {
            let bytes = fetch(&file).ok_or(EmbedError::ModelUnreadable { model: role })?;
            if sha256(&bytes) != digest {
                return Err(EmbedError::ModelCorrupt { model: role });
            }
            if models.insert(role, Model { bytes, digest }).is_some() {
                return Err(EmbedError::ModelManifest);
            }
        }
        if models.len() == ModelRole::ALL.len() {
            Ok(Self { models })
        } else {
            Err(EmbedError::ModelManifest)
        }
    }

    /// SHA-256 of a model's file.
    pub fn digest_of(&self, role: ModelRole) -> Digest {
        self.models.get(&role).map_or(Digest::from_bytes([0; 32]), |model| model.digest)
    }

    /// A model's file, for an engine of your own.
    pub fn bytes_of(&self, role: ModelRole) -> &[u8] {
        self.models.get(&role).map_or(&[], |model| &model.bytes)
    }
}

impl fmt::Debug for ModelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.models.iter().map(|(role, model)| (role, model.digest))).finish()
    }
}

fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).ok()?.take(most + 1).read_to_end(&mut bytes).ok()?;
    (u64::try_from(read).is_ok_and(|read| read <= most)).then_some(bytes)
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0u8; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Digest::from_bytes(out)
}
