use vouchsafe_types::Digest;

use crate::merkle::{leaf_hash, tree_hash};
use crate::tiles::append_entry;
use crate::{LeafSource, LedgerError, TILE_WIDTH, TilePath};

/// Where the builder's files go: written, compared or dropped.
pub(crate) type Sink<'a> = dyn FnMut(&TilePath, &[u8]) -> Result<(), LedgerError> + 'a;

/// Makes tiles, bundles and root from leaves, in one pass; holds the right edge of the tree and nothing else:
/// one incomplete tile a level (8 KiB each) and one incomplete bundle.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    size: u64,
    /// The hashes of the incomplete tile of each level.
    levels: Vec<Vec<Digest>>,
    bundle: Vec<u8>,
    last: Option<Digest>,
}

impl Builder {
    /// How many leaves went in.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// The hash of the newest leaf.
    pub(crate) const fn last_leaf(&self) -> Option<&Digest> {
        self.last.as_ref()
    }

    /// Takes the next leaf; emits what it completes.
    pub(crate) fn push(&mut self, leaf: &[u8], sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        append_entry(&mut self.bundle, leaf)?;
        self.size += 1;
        if self.size.is_multiple_of(TILE_WIDTH) {
            sink(&TilePath::entries(self.size / TILE_WIDTH - 1, TILE_WIDTH)?, &self.bundle)?;
            self.bundle.clear();
        }
        let hash = leaf_hash(leaf);
        self.last = Some(hash);
        self.carry(hash, sink)
    }

    /// Emits the incomplete tiles and the incomplete bundle.
    pub(crate) fn finish(&self, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        let width = self.size % TILE_WIDTH;
        if width > 0 {
            sink(&TilePath::entries(self.size / TILE_WIDTH, width)?, &self.bundle)?;
        }
        for (level, hashes) in (0u8..).zip(&self.levels) {
            if !hashes.is_empty() {
                let index = self.size >> (8 * (u32::from(level) + 1));
                sink(&TilePath::hashes(level, index, hashes.len() as u64)?, &concat(hashes))?;
            }
        }
        Ok(())
    }

    /// The root of the tree so far.
    pub(crate) fn root(&self) -> Digest {
        let mut partial = None;
        for hashes in &self.levels {
            let list = hashes.iter().copied().chain(partial).collect::<Vec<_>>();
            partial = (!list.is_empty()).then(|| tree_hash(&list));
        }
        partial.unwrap_or_else(|| tree_hash(&[]))
    }

    /// Takes the source's leaves up to `end`, and calls `at` at each size on the way, both ends included.
    pub(crate) fn take_rows(
        &mut self,
        source: &dyn LeafSource,
        end: u64,
        sink: &mut Sink<'_>,
        at: &mut dyn FnMut(&Self) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        while self.size < end {
            let wanted = usize::try_from(end - self.size).unwrap_or(BATCH).min(BATCH);
            let rows = source.leaves(self.size, wanted)?;
            if rows.is_empty() {
                return Err(LedgerError::SourceUnavailable);
            }
            for row in rows.iter().take(wanted) {
                at(self)?;
                self.push(row, sink)?;
            }
        }
        at(self)
    }

    fn carry(&mut self, mut hash: Digest, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        for level in 0..u8::MAX {
            let below = usize::from(level);
            if self.levels.len() == below {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(below) else { break };
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                break;
            }
            let index = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            sink(&TilePath::hashes(level, index, TILE_WIDTH)?, &concat(hashes))?;
            hash = tree_hash(hashes);
            hashes.clear();
        }
        Ok(())
    }
}

fn concat(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(Digest::as_bytes).copied().collect()
}

/// Rows read at once.
const BATCH: usize = 1024;
