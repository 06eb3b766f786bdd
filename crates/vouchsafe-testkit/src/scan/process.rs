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

/// The readable memory of a running process (Linux: `/proc/PID/maps` and `/proc/PID/mem`).
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
    /// `heap`, `stack`, `anonymous`, or the file that is mapped there.
    pub kind: String,
}

impl ProcessMemory {
    /// Opens the memory of the process `pid` and lists its regions as they are now.
    ///
    /// # Errors
    /// When there is no such process, or it may not be traced.
    pub fn of(pid: u32) -> io::Result<Self> {
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let regions: Vec<Region> = maps.lines().filter_map(readable).collect();
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
