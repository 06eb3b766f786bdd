use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use vouchsafe_types::Digest;

use crate::merkle::{HashReader, tree_hash};
use crate::{LedgerError, TileStore, text};

/// Where the signed checkpoint lies.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// How many hashes or entries a full tile or bundle holds.
pub const TILE_WIDTH: u64 = 256;

/// The path of a tile or an entry bundle ([C2SP tlog-tiles](https://c2sp.org/tlog-tiles)).
///
/// ```
/// use vouchsafe_ledger::TilePath;
///
/// let path = TilePath::hashes(0, 1_234_067, 256)?;
/// assert_eq!(path.to_string(), "tile/0/x001/x234/067");
/// assert_eq!(TilePath::entries(3, 17)?.to_string(), "tile/entries/003.p/17");
/// assert_eq!(TilePath::parse("tile/0/x001/x234/067"), Ok(path));
/// # Ok::<(), vouchsafe_ledger::LedgerError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    /// The level of a hash tile; none for an entry bundle.
    level: Option<u8>,
    index: u64,
    width: u64,
}

impl TilePath {
    /// The highest level that the standard's paths can name.
    pub const MAX_LEVEL: u8 = 63;

    /// A tile of hashes.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`] unless the level is 0 to 63 and the width 1 to 256.
    pub const fn hashes(level: u8, index: u64, width: u64) -> Result<Self, LedgerError> {
        if level > Self::MAX_LEVEL {
            return Err(LedgerError::OutOfRange);
        }
        Self::new(Some(level), index, width)
    }

    /// A bundle of entries.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`] unless the width is 1 to 256.
    pub const fn entries(index: u64, width: u64) -> Result<Self, LedgerError> {
        Self::new(None, index, width)
    }

    /// Reads a path; it has one spelling.
    ///
    /// # Errors
    /// [`LedgerError::PathMalformed`] for any other text.
    pub fn parse(path: &str) -> Result<Self, LedgerError> {
        let parsed = Self::split(path).filter(|parsed| parsed.to_string() == path);
        parsed.ok_or(LedgerError::PathMalformed)
    }

    /// The level of a hash tile, 0 to 63; none for an entry bundle.
    pub const fn level(&self) -> Option<u8> {
        self.level
    }

    /// The index within the level.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to 256.
    pub const fn width(&self) -> u64 {
        self.width
    }

    /// The same tile once it is full.
    #[must_use]
    pub const fn full(&self) -> Self {
        Self { width: TILE_WIDTH, ..*self }
    }

    const fn new(level: Option<u8>, index: u64, width: u64) -> Result<Self, LedgerError> {
        if width == 0 || width > TILE_WIDTH {
            return Err(LedgerError::OutOfRange);
        }
        Ok(Self { level, index, width })
    }

    fn split(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => None,
            number => Some(u8::try_from(text::decode_decimal(number)?).ok()?),
        };
        let (elements, width) = match rest.split_once(".p/") {
            Some((elements, width)) => (elements, text::decode_decimal(width)?),
            None => (rest, TILE_WIDTH),
        };
        let index = parse_number(elements)?;
        match level {
            Some(level) => Self::hashes(level, index, width).ok(),
            None => Self::entries(index, width).ok(),
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements = number(self.index);
        match self.level {
            Some(level) => write!(f, "tile/{level}/{elements}")?,
            None => write!(f, "tile/entries/{elements}")?,
        }
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The path of the handover of the log's key with this number, counted from 0.
pub fn handover_path(count: u64) -> String {
    format!("{HANDOVERS}{}", number(count))
}

/// Whether a path is one that a log writes: the checkpoint, a tile, an entry bundle or a handover.
pub fn is_log_path(path: &str) -> bool {
    path == CHECKPOINT_PATH || TilePath::parse(path).is_ok() || is_handover_path(path)
}

fn is_handover_path(path: &str) -> bool {
    let count = path.strip_prefix(HANDOVERS).and_then(parse_number);
    count.is_some_and(|count| handover_path(count) == path)
}

/// A number in groups of three digits, all but the last with an `x` in front.
fn number(number: u64) -> String {
    let (mut elements, mut rest) = (format!("{:03}", number % 1000), number / 1000);
    while rest > 0 {
        elements = format!("x{:03}/{elements}", rest % 1000);
        rest /= 1000;
    }
    elements
}

/// Reads such a number, and some other spellings.
fn parse_number(elements: &str) -> Option<u64> {
    elements.split('/').try_fold(0_u64, |number, element| {
        let digits = element.strip_prefix('x').unwrap_or(element);
        let plain = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let value = plain.then(|| digits.parse::<u64>().ok()).flatten()?;
        number.checked_mul(1000)?.checked_add(value)
    })
}

/// Reads subtree hashes from the tiles of a tree of a known size.
///
/// It believes the tiles: whoever uses what it gives checks it against a signed root.
pub struct TileReader<'a> {
    store: &'a dyn TileStore,
    size: u64,
    cache: RefCell<HashMap<(u8, u64), Vec<Digest>>>,
}

impl<'a> TileReader<'a> {
    /// A reader for the tree of this size, of which a checkpoint was published.
    pub fn new(store: &'a dyn TileStore, size: u64) -> Self {
        Self { store, size, cache: RefCell::default() }
    }

    fn load(&self, level: u8, index: u64) -> Result<Vec<Digest>, LedgerError> {
        let hashes = self.size >> (8 * u32::from(level));
        let width = hashes.saturating_sub(index * TILE_WIDTH).min(TILE_WIDTH);
        let path = TilePath::hashes(level, index, width)?;
        let bytes = match self.store.read(&path.to_string())? {
            Some(bytes) => bytes,
            // Partial tiles may be deleted once the full one exists (C2SP tlog-tiles, "Partial Tiles").
            None => self.store.read(&path.full().to_string())?.ok_or(LedgerError::TileMissing)?,
        };
        let (chunks, rest) = bytes.as_chunks::<32>();
        let hashes = chunks.iter().take(to_len(width)).copied().map(Digest::from_bytes).collect::<Vec<_>>();
        let whole = rest.is_empty() && hashes.len() == to_len(width);
        if whole { Ok(hashes) } else { Err(LedgerError::TileCorrupt) }
    }
}

impl HashReader for TileReader<'_> {
    fn subtree(&self, height: u32, index: u64) -> Result<Digest, LedgerError> {
        if height >= u64::BITS || index >= self.size >> height {
            return Err(LedgerError::OutOfRange);
        }
        let level = u8::try_from(height / 8).map_err(|_| LedgerError::OutOfRange)?;
        let (first, count) = (index << (height % 8), 1 << (height % 8));
        let (tile, offset) = (first / TILE_WIDTH, to_len(first % TILE_WIDTH));
        let mut cache = self.cache.borrow_mut();
        if !cache.contains_key(&(level, tile)) {
            if cache.len() >= CACHED_TILES {
                cache.clear();
            }
            cache.insert((level, tile), self.load(level, tile)?);
        }
        let hashes = cache.get(&(level, tile)).and_then(|hashes| hashes.get(offset..offset + count));
        hashes.map(tree_hash).ok_or(LedgerError::TileCorrupt)
    }
}

impl fmt::Debug for TileReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TileReader").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Appends one entry to a bundle: its length, big-endian, 16 bits, then its bytes.
pub(crate) fn append_entry(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), LedgerError> {
    let length = u16::try_from(leaf.len()).map_err(|_| LedgerError::LeafMalformed)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

/// The entries of a bundle.
pub(crate) fn split_entries(mut bundle: &[u8]) -> Result<Vec<&[u8]>, LedgerError> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk().ok_or(LedgerError::BundleMalformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(LedgerError::BundleMalformed)?;
        entries.push(entry);
        bundle = rest;
    }
    Ok(entries)
}

/// A count of at most 256 as a length.
fn to_len(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// What the paths of handovers start with.
const HANDOVERS: &str = "handover/";
/// 8 KiB each.
const CACHED_TILES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        let good = [
            "tile/0/000",
            "tile/0/999.p/255",
            "tile/7/x001/000",
            "tile/63/x018/x446/x744/x073/x709/x551/615.p/1",
            "tile/entries/000.p/1",
            "tile/entries/x001/x234/067",
        ];
        for path in good {
            assert_eq!(TilePath::parse(path).unwrap().to_string(), path);
            assert!(is_log_path(path));
        }
        assert!(is_log_path("checkpoint"));
        for (count, path) in [(0, "handover/000"), (999, "handover/999"), (1000, "handover/x001/000")] {
            assert_eq!(handover_path(count), path);
            assert!(is_log_path(path));
        }
    }

    #[test]
    fn any_other_path_is_refused() {
        let bad = [
            "",
            "/",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/entry/000",
            "tile/0/001/000",
            "tile/0/x000/001",
            "tile/0/x001",
            "tile/0/x001/x000",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/1.p/1",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/+01",
            "tile/0/000/",
            "tile/0//000",
            "/tile/0/000",
            "tile/0/../000",
            "tile/0/..",
            "../checkpoint",
            "checkpoint/",
            "./checkpoint",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "handover",
            "handover/",
            "handover/0",
            "handover/0000",
            "handover/x000",
            "handover/x000/001",
            "handover/001/000",
            "handover/000.p/1",
            "handover/000/",
            "handover/../000",
            "/handover/000",
        ];
        for path in bad {
            assert!(!is_log_path(path), "{path}");
        }
        assert_eq!(TilePath::hashes(64, 0, 1), Err(LedgerError::OutOfRange));
        assert_eq!(TilePath::entries(0, 0), Err(LedgerError::OutOfRange));
        assert_eq!(TilePath::entries(0, 257), Err(LedgerError::OutOfRange));
    }

    #[test]
    fn bundles_read_back_and_refuse_a_torn_end() {
        let mut bundle = Vec::new();
        for entry in [&b"one"[..], b"", b"three"] {
            append_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(split_entries(&bundle).unwrap(), [&b"one"[..], b"", b"three"]);
        assert_eq!(split_entries(&[]).unwrap(), [&b""[..]; 0]);
        for length in [1, 3, bundle.len() - 1] {
            assert_eq!(split_entries(&bundle[..length]), Err(LedgerError::BundleMalformed));
        }
        assert_eq!(append_entry(&mut bundle, &[0; 65_536]), Err(LedgerError::LeafMalformed));
    }
}
