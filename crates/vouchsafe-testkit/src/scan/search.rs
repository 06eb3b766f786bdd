use std::collections::BTreeMap;

use super::needles::SHORTEST;

/// 2^18 bits, 32 KiB: the filter stays in the first-level cache.
const FILTER_BITS: u32 = 18;

/// Every window, indexed by its first eight bytes.
///
/// Each offset of the haystack costs one hash and one bit of a filter; only the few that pass are looked up.
#[derive(Debug)]
pub(super) struct Index<'n> {
    filter: Vec<u64>,
    /// Sorted by prefix: prefix, needle, whole window.
    windows: Vec<(u64, usize, &'n [u8])>,
    longest: usize,
}

/// How often each needle was met.
pub(super) type Counts = BTreeMap<usize, u64>;

impl<'n> Index<'n> {
    pub(super) fn new(windows: &'n [(usize, Vec<u8>)]) -> Self {
        let mut sorted: Vec<_> = windows
            .iter()
            .filter_map(|(needle, window)| Some((prefix(window)?, *needle, window.as_slice())))
            .collect();
        sorted.sort_unstable();
        let mut filter = vec![0_u64; 1 << (FILTER_BITS - 6)];
        for &(prefix, ..) in &sorted {
            let (word, bit) = place(prefix);
            if let Some(word) = filter.get_mut(word) {
                *word |= bit;
            }
        }
        let longest = sorted.iter().map(|(.., window)| window.len()).max().unwrap_or(0);
        Self { filter, windows: sorted, longest }
    }

    /// How many bytes two neighbouring blocks must share so that no window is cut.
    pub(super) fn overlap(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// Counts the windows that lie in `haystack` and do not end within its first `seen` bytes, which were searched
    /// with the block before.
    pub(super) fn search(&self, haystack: &[u8], seen: usize, counts: &mut Counts) {
        for (offset, bytes) in haystack.windows(SHORTEST).enumerate() {
            let Ok(bytes) = <[u8; SHORTEST]>::try_from(bytes) else { continue };
            let prefix = u64::from_le_bytes(bytes);
            if prefix == 0 && !self.holds_zero() {
                continue;
            }
            let (word, bit) = place(prefix);
            if self.filter.get(word).is_some_and(|word| word & bit != 0) {
                self.confirm(prefix, offset, haystack, seen, counts);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn confirm(&self, prefix: u64, offset: usize, haystack: &[u8], seen: usize, counts: &mut Counts) {
        let first = self.windows.partition_point(|&(other, ..)| other < prefix);
        let rest = haystack.get(offset..).unwrap_or_default();
        for &(_, needle, window) in
            self.windows.iter().skip(first).take_while(|&&(other, ..)| other == prefix)
        {
            if offset + window.len() > seen && rest.starts_with(window) {
                *counts.entry(needle).or_default() += 1;
            }
        }
    }

    fn holds_zero(&self) -> bool {
        self.windows.first().is_some_and(|&(prefix, ..)| prefix == 0)
    }
}

fn prefix(window: &[u8]) -> Option<u64> {
    window.first_chunk().map(|bytes: &[u8; SHORTEST]| u64::from_le_bytes(*bytes))
}

/// The word and the bit of the filter for `prefix` (Fibonacci hashing).
fn place(prefix: u64) -> (usize, u64) {
    let hash = prefix.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER_BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}
