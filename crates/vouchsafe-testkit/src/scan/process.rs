use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
};

use super::{
    findings::Findings,
    needles::Needles,
    search::{Counts, Index},
};

const BLOCK: usize = 4 << 20;
const PAGE: u64 = 4096;

/// The readable memory of a running process (Linux: `/proc/PID/smaps` and `/proc/PID/mem`).
///
/// Needs the right to trace the process: a parent may look at its child. Let the process stand still meanwhile.
#[derive(Debug)]
pub struct ProcessMemory {
    memory: File,
    regions: Vec<Region>,
}

/// A stretch of addresses with one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
    /// `heap`, `stack`, `anonymous`, or the file that is mapped there; `locked` for pages that never reach the swap nor
    /// a core dump.
    pub kind: String,
}

impl ProcessMemory {
    /// Opens the memory of the process `pid` and lists its regions as they are now.
    ///
    /// # Errors
    /// When there is no such process, or it may not be traced.
    pub fn of(pid: u32) -> io::Result<Self> {
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let regions = regions(&fs::read_to_string(format!("/proc/{pid}/smaps"))?);
        if regions.is_empty() {
            return Err(io::Error::other("the process has no readable memory: it has ended"));
        }
        Ok(Self { memory, regions })
    }

    /// The regions, by address.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Looks for every needle in every region.
    ///
    /// # Errors
    /// When the memory cannot be read at all. A page that went away meanwhile is passed over.
    pub fn scan(&self, needles: &Needles) -> io::Result<Findings> {
        let index = needles.index();
        let mut findings = Findings::default();
        let mut block = vec![0; BLOCK];
        for region in &self.regions {
            let mut counts = Counts::new();
            let bytes = self.scan_region(region, &index, &mut block, &mut counts);
            findings.record(needles, &region.kind, bytes, &counts);
        }
        if findings.bytes() == 0 {
            return Err(io::Error::other("no memory of the process could be read"));
        }
        Ok(findings)
    }

    /// Searches `region` block by block and tells how many bytes of it could be read.
    fn scan_region(&self, region: &Region, index: &Index<'_>, block: &mut [u8], counts: &mut Counts) -> u64 {
        let (mut at, mut carried, mut bytes) = (region.start, 0, 0);
        while at < region.end {
            let room = block.len() - carried;
            let want = usize::try_from(region.end - at).unwrap_or(room).min(room);
            let Some(target) = block.get_mut(carried..carried + want) else { break };
            let Ok(got @ 1..) = self.memory.read_at(target, at) else {
                at = (at / PAGE + 1) * PAGE;
                carried = 0;
                continue;
            };
            let filled = carried + got;
            index.search(block.get(..filled).unwrap_or_default(), carried, counts);
            at += got as u64;
            bytes += got as u64;
            carried = index.overlap().min(filled);
            block.copy_within(filled - carried..filled, 0);
        }
        bytes
    }
}

/// The mappings of `smaps` (proc_pid_smaps(5)): a line as in `maps`, then its figures, then its flags.
fn regions(smaps: &str) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let mut current = false;
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            // `lo` by mlock(2), `dd` by madvise(2) with MADV_DONTDUMP.
            let locked = ["lo", "dd"].iter().all(|flag| flags.split_whitespace().any(|set| set == *flag));
            if let Some(region) = regions.last_mut().filter(|_| current && locked) {
                "locked".clone_into(&mut region.kind);
            }
        } else if line.split_ascii_whitespace().next().is_some_and(|word| !word.ends_with(':')) {
            let region = readable(line);
            current = region.is_some();
            regions.extend(region);
        }
    }
    regions
}

/// A line of `maps` (proc_pid_maps(5)), unless it cannot be read or holds no memory of the process.
fn readable(line: &str) -> Option<Region> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let path = fields.nth(3).unwrap_or_default();
    let kind = match path {
        "" => "anonymous",
        "[heap]" => "heap",
        "[stack]" => "stack",
        _ if path.starts_with("[v") => return None,
        _ if path.starts_with("/dev/") && !path.starts_with("/dev/shm/") => return None,
        _ => path.rsplit('/').next().unwrap_or(path),
    };
    let address = |text| u64::from_str_radix(text, 16).ok();
    let region = Region { start: address(start)?, end: address(end)?, kind: kind.to_owned() };
    permissions.starts_with('r').then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_pages_are_told_from_others() {
        let smaps = "55d0c0000000-55d0c0021000 rw-p 00000000 00:00 0                          [heap]\n\
                     Size:                132 kB\n\
                     VmFlags: rd wr mr mw me ac \n\
                     7f0000001000-7f0000002000 rw-p 00000000 00:00 0 \n\
                     Locked:                4 kB\n\
                     VmFlags: rd wr mr mw me lo ac dd wf \n\
                     7f0000002000-7f0000003000 rw-p 00000000 00:00 0 \n\
                     VmFlags: rd wr mr mw me lo ac \n\
                     7f0000003000-7f0000004000 ---p 00000000 00:00 0 \n\
                     VmFlags: mr mw me lo ac dd \n\
                     7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n\
                     VmFlags: rd wr mr mw me gd ac \n";
        let regions = regions(smaps);
        let kinds: Vec<&str> = regions.iter().map(|region| region.kind.as_str()).collect();
        assert_eq!(kinds, ["heap", "locked", "anonymous", "stack"]);
        assert_eq!((regions[1].start, regions[1].end), (0x7f00_0000_1000, 0x7f00_0000_2000));
    }
}
