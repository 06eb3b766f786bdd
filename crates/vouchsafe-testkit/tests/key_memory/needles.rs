//! What is looked for, and the search through this process's writable memory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::thread;

/// Half a key.
const WINDOW: usize = 16;
/// Needles lie under this mask, so that the list of them is not a find.
pub(crate) const MASK: u8 = 0xa5;
const BLOCK: usize = 1 << 20;

/// Keys by number: halves of each, as they are and as HMAC pads them.
#[derive(Default)]
pub(crate) struct Needles {
    names: Vec<String>,
    windows: Vec<(usize, Vec<u8>)>,
    /// Those that an unsealed state holds.
    held: BTreeSet<usize>,
}

/// The keys that were met.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In pages that are locked and not dumped (`lo` and `dd` in `smaps`, proc_pid_smaps(5)).
    pub(crate) locked: BTreeSet<usize>,
    /// Anywhere else, with the mapping.
    pub(crate) bare: Vec<(usize, String)>,
}

impl Needles {
    /// A key that an unsealed state holds.
    pub(crate) fn hold(&mut self, name: &str, key: &[u8; 32]) {
        let number = self.add(name, key);
        self.held.insert(number);
    }

    /// A key that exists for the length of a call.
    pub(crate) fn add(&mut self, name: &str, key: &[u8; 32]) -> usize {
        let masked: Vec<u8> = key.iter().map(|byte| byte ^ MASK).collect();
        self.add_masked(name, &masked)
    }

    pub(crate) fn add_masked(&mut self, name: &str, masked: &[u8]) -> usize {
        let number = self.names.len();
        self.names.push(name.to_owned());
        for pad in [0, 0x36, 0x5c] {
            for half in masked.chunks(WINDOW) {
                self.windows.push((number, half.iter().map(|byte| byte ^ pad).collect()));
            }
        }
        number
    }

    /// A key under its mask.
    pub(crate) fn masked(&self, number: usize) -> Vec<u8> {
        self.windows[6 * number..6 * number + 2].iter().flat_map(|(_, half)| half.clone()).collect()
    }

    /// How many keys are looked for.
    pub(crate) fn keys(&self) -> usize {
        self.names.len()
    }

    pub(crate) const fn held(&self) -> &BTreeSet<usize> {
        &self.held
    }

    pub(crate) fn describe(&self, bare: &[(usize, String)], locked: &BTreeSet<usize>) -> String {
        let bare = bare.iter().map(|(key, place)| format!("{} in {place}", self.names[*key]));
        let locked = locked.iter().map(|key| format!("{} in locked pages", self.names[*key]));
        bare.chain(locked).collect::<Vec<_>>().join(", ")
    }

    /// Searches from another thread: the dead stack of this one stays as it is.
    pub(crate) fn find(&self) -> Found {
        thread::scope(|scope| scope.spawn(|| self.search()).join().unwrap())
    }

    /// Puts half of each key on the heap and gives how many of them are met.
    pub(crate) fn plant_and_find(&self) -> usize {
        let half = |number: usize| self.masked(number)[..WINDOW].iter().map(|byte| byte ^ MASK).collect();
        let mut planted: Vec<Vec<u8>> = (0..self.keys()).map(half).collect();
        black_box(&mut planted);
        let found: BTreeSet<usize> = self.find().bare.into_iter().map(|(key, _)| key).collect();
        planted.iter_mut().for_each(|half| half.fill(0));
        black_box(&mut planted);
        found.len()
    }

    fn search(&self) -> Found {
        let mut heads = vec![false; 1 << 16];
        self.windows.iter().for_each(|(_, window)| heads[head(window[0] ^ MASK, window[1] ^ MASK)] = true);
        let memory = File::open("/proc/self/mem").unwrap();
        let mut block = vec![0; BLOCK];
        // What was read here must not be met here again.
        let own = block.as_ptr().addr()..block.as_ptr().addr() + BLOCK;
        let mut found = Found::default();
        for region in regions() {
            let mut at = region.start;
            while at < region.end {
                let want = BLOCK.min(region.end - at);
                let Ok(read) = memory.read_at(&mut block[..want], at as u64) else { break };
                for (offset, window) in block[..read].windows(WINDOW).enumerate() {
                    if heads[head(window[0], window[1])] && !own.contains(&(at + offset)) {
                        self.note(window, &region, &mut found);
                    }
                }
                // Windows overlap, so that nothing hides on an edge.
                at += if read > WINDOW && at + read < region.end { read - WINDOW + 1 } else { BLOCK };
            }
        }
        block.fill(0);
        black_box(&mut block);
        found
    }

    fn note(&self, window: &[u8], region: &Region, found: &mut Found) {
        let same = |needle: &[u8]| window.iter().zip(needle).all(|(byte, masked)| byte ^ MASK == *masked);
        for (number, _) in self.windows.iter().filter(|(_, needle)| same(needle)) {
            if region.locked {
                found.locked.insert(*number);
            } else {
                found.bare.push((*number, region.name.clone()));
            }
        }
    }
}

/// A writable mapping.
struct Region {
    start: usize,
    end: usize,
    name: String,
    locked: bool,
}

fn regions() -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let mut writable = false;
    for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            let has = |flag| flags.split_whitespace().any(|set| set == flag);
            if let Some(region) = regions.last_mut().filter(|_| writable) {
                region.locked = has("lo") && has("dd");
            }
            continue;
        }
        let Some((start, end)) = line.split(' ').next().and_then(|range| range.split_once('-')) else {
            continue;
        };
        let address = |text| usize::from_str_radix(text, 16).ok();
        let (Some(start), Some(end)) = (address(start), address(end)) else { continue };
        let mut fields = line.split_whitespace().skip(1);
        writable = fields.next().is_some_and(|access| access.starts_with("rw"));
        if writable {
            let name = fields.nth(3).unwrap_or("anonymous").to_owned();
            regions.push(Region { start, end, name, locked: false });
        }
    }
    assert!(regions.len() > 3);
    regions
}

fn head(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}
