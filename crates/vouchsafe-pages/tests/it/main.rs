//! What the kernel says about the pages: `/proc/self/smaps`, field `VmFlags`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;

use vouchsafe_pages::SecretPages;

/// One mapping of this process.
#[derive(Debug, Clone)]
struct Mapping {
    from: usize,
    to: usize,
    access: String,
    flags: Vec<String>,
}

/// All mappings of this process, ascending.
fn mappings() -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
        let (first, rest) = line.split_once([' ', ':']).unwrap();
        if let Some((from, to)) = range(first) {
            let access = rest.split(' ').next().unwrap().to_owned();
            mappings.push(Mapping { from, to, access, flags: Vec::new() });
        } else if first == "VmFlags" {
            let flags = rest.split_whitespace().map(str::to_owned).collect();
            mappings.last_mut().unwrap().flags = flags;
        }
    }
    mappings
}

fn range(text: &str) -> Option<(usize, usize)> {
    let (from, to) = text.split_once('-')?;
    let parse = |text| usize::from_str_radix(text, 16).ok();
    Some((parse(from)?, parse(to)?))
}

fn mapping_at(address: usize) -> Option<Mapping> {
    mappings().into_iter().find(|mapping| (mapping.from..mapping.to).contains(&address))
}

fn start(pages: &SecretPages) -> usize {
    pages.expose_secret().as_ptr() as usize
}

#[test]
fn the_kernel_confirms_what_is_claimed() {
    // The last one is over the usual limit of 8 MiB on locked memory: then it is not locked, and says so.
    for len in [0, 32, 4096, 100_000, 12 << 20] {
        let pages = SecretPages::zeroed(len).unwrap();
        let found = mapping_at(start(&pages)).unwrap();
        let has = |flag: &str| found.flags.iter().any(|known| known == flag);
        let claimed = pages.protection();
        assert_eq!(found.access, "rw-p");
        assert_eq!(has("lo"), claimed.locked, "{len} bytes: {found:?}");
        assert_eq!(has("dd"), claimed.undumpable, "{len} bytes: {found:?}");
        assert_eq!(has("wf"), claimed.unshared_with_children, "{len} bytes: {found:?}");
        assert!(claimed.undumpable && claimed.unshared_with_children, "Linux grants both: {found:?}");
    }
}

#[test]
fn a_key_is_locked() {
    let pages = SecretPages::zeroed(32).unwrap();
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max locked memory")).unwrap();
    if line.split_whitespace().nth(3) == Some("0") {
        println!("skipped: this process may lock no memory");
    } else {
        assert!(pages.protection().locked);
    }
}

#[test]
fn nobody_touches_the_pages_beside_a_secret() {
    let pages = SecretPages::zeroed(32).unwrap();
    let found = mapping_at(start(&pages)).unwrap();
    assert_eq!(found.from, start(&pages), "the secret begins its own mapping");
    for beside in [found.from - 1, found.to] {
        match mapping_at(beside) {
            Some(guard) => assert_eq!(guard.access, "---p"),
            None => panic!("no guard page at either side"),
        }
    }
}

#[test]
fn a_dropped_secret_is_unmapped() {
    let pages = SecretPages::zeroed(3 << 20).unwrap();
    let (from, to) = (start(&pages), start(&pages) + (3 << 20));
    drop(pages);
    // Another thread may map the same place again, but not as secret pages of this size.
    let again = mapping_at(from).is_some_and(|found| found.from == from && found.to == to);
    assert!(!again);
}
