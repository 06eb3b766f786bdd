//! The file of a fence journal: what is read are its whole frames, what is appended follows them, and a damaged
//! frame is never read as another one.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::FenceStore;
use vouchsafe_fuzz::{acme, folder, place, put};
use vouchsafe_keys::FolderFences;

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);
const MAGIC: &[u8] = b"vouchsafe fence\x01";

fn open() -> FolderFences {
    FolderFences::at(FOLDER.path().join("fences")).expect("a folder of our own")
}

fn frame(record: &[u8]) -> Vec<u8> {
    [&(record.len() as u32).to_be_bytes(), &digest(&SHA256, record).as_ref()[..8], record].concat()
}

fuzz_target!(|bytes: &[u8]| {
    let fences = open();
    let path = FOLDER.path().join("fences/acme.fences");
    put(&path, bytes);
    let read = match fences.read(&acme(), 0) {
        Ok(read) => read,
        Err(error) => {
            assert_eq!(error, StateStoreError::Corrupt);
            closed(&fences, bytes);
            return;
        }
    };
    let mut whole = MAGIC.to_vec();
    let mut ends = vec![];
    for record in &read.records {
        whole.extend_from_slice(&frame(record));
        ends.push(whole.len());
    }
    // A file without its whole magic was begun and never written to.
    assert!(bytes.starts_with(&whole) || (bytes.len() < MAGIC.len() && read.records.is_empty()));
    let sound = bytes == whole;
    for (number, end) in ends.iter().enumerate() {
        let rest = fences.read(&acme(), *end as u64).expect("a place between two frames");
        assert_eq!(rest.records, read.records[number + 1..]);
        assert_eq!((rest.end, rest.damaged), (read.end, read.damaged));
    }
    if read.damaged {
        closed(&fences, bytes);
        return;
    }

    let end = fences.append(&acme(), b"example").expect("room on the disk");
    let again = open().read(&acme(), 0).expect("what was appended is read");
    assert_eq!(again.end, end);
    assert_eq!(
        again.records.split_last().map(|(last, before)| (&last[..], before)),
        Some((&b"example"[..], &read.records[..]))
    );

    if sound {
        let mut changed = bytes.to_vec();
        let bit = place(bytes, 8 * changed.len());
        changed[bit / 8] ^= 1 << (bit % 8);
        put(&path, &changed);
        match open().read(&acme(), 0) {
            Ok(other) => {
                assert!(other.records.len() < read.records.len() && read.records.starts_with(&other.records))
            }
            Err(error) => assert_eq!(error, StateStoreError::Corrupt),
        }
        aside(&open(), &changed);
    }
});

/// What is damaged is appended to only after it was set aside.
fn closed(fences: &FolderFences, bytes: &[u8]) {
    assert_eq!(fences.append(&acme(), b"example"), Err(StateStoreError::Corrupt));
    assert_eq!(fs::read(FOLDER.path().join("fences/acme.fences")).expect("it is there"), bytes);
    aside(fences, bytes);
}

/// Kept under another name, and begun anew.
fn aside(fences: &FolderFences, bytes: &[u8]) {
    fences.set_aside(&acme()).expect("room on the disk");
    let kept = FOLDER.path().join("fences/acme.fences.lost-1");
    assert_eq!(fs::read(&kept).expect("it is there"), bytes);
    fs::remove_file(kept).expect("a file of our own");
    assert!(fences.read(&acme(), 0).expect("nothing is there").records.is_empty());
    fences.append(&acme(), b"example").expect("room on the disk");
    assert_eq!(open().read(&acme(), 0).expect("what was appended is read").records, [b"example"]);
}
