//! A child process enrols and verifies a face; then its memory and every file of its folder are searched.
//!
//! This process computes once more what the child computed: every input, output and inner tensor of the models,
//! crop, points, embedding and template, and every key, the latter from the specifications of the envelope. The
//! child (`memory-subject`) never gets any of it. It runs three times:
//!
//! - with the wiping allocator: nothing may be found;
//! - forgetting on purpose what it made, and keeping copies of all that is looked for: all must be found;
//! - with the system's allocator: what is found is reported.
//!
//! Before all that, while the open service still holds its key state, every lasting key is found in locked pages that no
//! core dump has, and nothing at all elsewhere. By design the state key lies in the key file.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop where it stands")]
#![expect(clippy::print_stdout, reason = "the figures are evidence")]

#[path = "memory/faces.rs"]
mod faces;
#[path = "memory/keys.rs"]
mod keys;
#[path = "memory/secrets.rs"]
mod secrets;
#[path = "memory/subject.rs"]
mod subject;

use std::fs;
use std::path::{Path, PathBuf};

use faces::Faces;
use keys::STATE_KEY;
use secrets::Secrets;
use subject::Process;
use tempfile::TempDir;
use vouchsafe_testkit::scan::{Findings, Hit, ProcessMemory, scan_files};

/// Promise: WB-1.2-camera, WB-1.2-512d, WB-3-key-cache
#[test]
fn nothing_of_a_verification_lingers_in_memory_or_files() {
    let faces = Faces::new();
    let Wiping { memory_found, files_found, held_locked, held_elsewhere } = wiping(&faces);
    let (control_found, control) = control(&faces);
    let without = without_allocator(&faces);
    println!(
        "memory_found={memory_found} files_found={files_found} control_found={control_found}/{control} \
         without_allocator_found={without} held_locked={held_locked}/{} held_elsewhere={held_elsewhere}",
        keys::HELD.len()
    );
    assert_eq!((memory_found, files_found, control_found), (0, 0, control));
    assert_eq!((held_locked, held_elsewhere), (keys::HELD.len(), 0));
}

/// What the drill itself found.
struct Wiping {
    /// Windows, once the keys were wiped.
    memory_found: u64,
    files_found: u64,
    /// Lasting keys in locked pages, and windows of anything elsewhere, before.
    held_locked: usize,
    held_elsewhere: u64,
}

fn wiping(faces: &Faces) -> Wiping {
    let mut run = Run::start(faces, "wiping");
    let held = run.memory();
    println!("while the service holds its key state, in memory: {held}");
    let locked = |hit: &&Hit| hit.place == "locked";
    let held_locked = keys::HELD.iter().filter(|name| {
        let of_key = held.hits().iter().filter(locked).filter(|hit| hit.needle == **name);
        // Both halves.
        of_key.map(|hit| hit.count).sum::<u64>() >= 2
    });
    let held_locked = held_locked.count();
    let held_elsewhere = held.hits().iter().filter(|hit| !locked(hit)).map(|hit| hit.count).sum();
    run.process.wipe_keys();
    let memory = run.memory();
    println!("with the wiping allocator, in memory: {memory}");
    let files = run.files();
    println!("in files: {files}");
    run.process.publish();
    let published = run.memory();
    println!("in memory once the log was published: {published}");
    let published_found = published.total();
    let mut files_found = unexpected(&files) + unexpected(&run.files());
    run.process.plant(std::iter::empty());
    run.process.end();
    let closed = scan_files(run.folder.path(), &run.secrets.needles()).unwrap();
    files_found += unexpected(&closed);
    Wiping { memory_found: memory.total() + published_found, files_found, held_locked, held_elsewhere }
}

/// The same scan finds what was not wiped; gives how many secrets it found, in memory and in a file, and of how many.
fn control(faces: &Faces) -> (usize, usize) {
    let mut run = Run::start(faces, "forgetting");
    run.process.wipe_keys();
    let forgotten = run.memory();
    println!("forgotten by the child itself, in memory: {forgotten}");
    for name in ["obama2 file", "obama2 frame/rgb", "obama2 crop/bgr", "obama2 embedding/f32", "template key"]
    {
        assert!(forgotten.of(name) > 0, "{name} was not found");
    }
    run.process.publish();
    run.process.plant(run.secrets.blocks().map(|(_, block)| block));
    let blocks: Vec<&[u8]> = run.secrets.blocks().map(|(_, block)| block).collect();
    fs::write(run.folder.path().join("data/planted"), blocks.concat()).unwrap();
    let (memory, files) = (run.memory(), run.files());
    let holds = |findings: &Findings, name: &str, place: &str| {
        findings.hits().iter().any(|hit| hit.needle == name && (place.is_empty() || hit.place == place))
    };
    let names: Vec<&str> = run.secrets.blocks().map(|(name, _)| name).collect();
    let missed = |name: &&&str| !holds(&memory, name, "") || !holds(&files, name, "data/planted");
    let missed: Vec<_> = names.iter().filter(missed).collect();
    println!(
        "planted, in memory: found={}; in a file: found={}; missed {missed:?}",
        memory.total(),
        files.total()
    );
    run.process.end();
    (names.len() - missed.len(), names.len())
}

/// What lingers when the program does not install the allocator; gives the windows found in memory.
fn without_allocator(faces: &Faces) -> u64 {
    let mut run = Run::start(faces, "system");
    run.process.wipe_keys();
    let memory = run.memory();
    println!("without the wiping allocator, in memory: {memory}");
    run.process.publish();
    run.process.plant(std::iter::empty());
    run.process.end();
    memory.total()
}

/// A child that has verified and stands still, and what must not be found.
struct Run {
    process: Process,
    secrets: Secrets,
    folder: TempDir,
}

impl Run {
    fn start(faces: &Faces, mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(folder.path(), &pictures(), mode);
        let mut secrets = Secrets::default();
        let key = keys::add(&mut secrets, folder.path(), "acme", "4711");
        for name in ["obama.jpg", "obama2.jpg"] {
            faces.add(&mut secrets, &pictures().join(name), &key);
        }
        Self { process, secrets, folder }
    }

    fn memory(&self) -> Findings {
        let memory = ProcessMemory::of(self.process.id()).unwrap();
        for kind in ["heap", "stack", "anonymous"] {
            assert!(memory.regions().iter().any(|region| region.kind == kind), "no {kind} to look at");
        }
        memory.scan(&self.secrets.needles()).unwrap()
    }

    fn files(&self) -> Findings {
        scan_files(self.folder.path(), &self.secrets.needles()).unwrap()
    }
}

/// How many windows were found but for the state key in the key file, which must be there.
fn unexpected(files: &Findings) -> u64 {
    let by_design = |hit: &&Hit| hit.needle == STATE_KEY && hit.place == "keys/service.keys";
    let expected: u64 = files.hits().iter().filter(by_design).map(|hit| hit.count).sum();
    assert_eq!(expected, 2, "both halves of the state key, once");
    files.total() - expected
}

fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data")
}
