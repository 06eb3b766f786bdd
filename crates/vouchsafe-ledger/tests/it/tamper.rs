//! Random single edits of everything a log consists of: each is found, and what found it is counted.

use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_ledger::{CHECKPOINT_PATH, Finding, Publisher, verify_log, verify_tiles};

use crate::support::{Dice, MemoryTiles, ORIGIN, Rows, signer, trust};

const EDITS: usize = 1_000;
const LEAVES: u64 = 600;

type Files = BTreeMap<String, Vec<u8>>;

/// A log that grew in steps, without the superseded partial tiles, which no current reader asks for.
fn log() -> (Rows, Files) {
    let rows = Rows::numbered(LEAVES);
    let (grown, scratch) = (MemoryTiles::default(), MemoryTiles::default());
    let mut publisher = Publisher::new(ORIGIN);
    for size in [10, 256, 300, rows.0.len()] {
        publisher.publish(&[&signer()], &rows.first(size), &grown, &grown.lock).unwrap();
    }
    Publisher::new(ORIGIN).publish(&[&signer()], &rows, &scratch, &scratch.lock).unwrap();
    let needed = scratch.snapshot().into_keys().collect::<BTreeSet<_>>();
    let files = grown.snapshot().into_iter().filter(|(path, _)| needed.contains(path)).collect();
    (rows, files)
}

/// Changes bytes in one of six ways; may leave them as they are.
fn edit(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, dice.byte()),
        3 => drop(bytes.remove(at)),
        4 => bytes.push(dice.byte()),
        _ => *bytes = other.to_vec(),
    }
}

fn edit_rows(rows: &mut Rows, dice: &mut Dice) {
    let (a, b) = (dice.below(rows.0.len()), dice.below(rows.0.len()));
    match dice.below(5) {
        0 => rows.0.swap(a, b),
        1 => drop(rows.0.remove(a)),
        2 => rows.0.truncate(a),
        3 => rows.0.insert(a, rows.0[b].clone()),
        _ => {
            let other = rows.0[b].clone();
            edit(&mut rows.0[a], &other, dice);
        }
    }
}

fn edit_files(files: &mut Files, dice: &mut Dice) {
    let paths = files.keys().cloned().collect::<Vec<_>>();
    let (path, other) = (&paths[dice.below(paths.len())], &paths[dice.below(paths.len())]);
    if dice.below(8) == 0 {
        files.remove(path);
    } else {
        let other = files[other].clone();
        edit(files.get_mut(path).unwrap(), &other, dice);
    }
}

fn name(finding: &Finding) -> &'static str {
    match finding {
        Finding::BundleMalformed(_) => "bundle malformed",
        Finding::CheckpointMissing => "checkpoint missing",
        Finding::CheckpointRefused(_) => "checkpoint refused",
        Finding::LeafMalformed(_) => "leaf malformed",
        Finding::RootDiffers => "root differs",
        Finding::RowsMissing(_) => "rows missing",
        Finding::TileDiffers(_) => "tile differs",
        Finding::TileMissing(_) => "tile missing",
        other => panic!("no edit of these kinds gives {other:?}"),
    }
}

/// Invariant 7: a log that nobody edits; whoever does is found out.
///
/// Promise: WB-1.4-immutable
#[test]
fn every_single_edit_is_detected_and_the_untouched_log_is_sound() {
    let (signer, (rows, files)) = (signer(), log());
    let sound = MemoryTiles::restored(files.clone());
    assert!(verify_log(&rows, &sound, &trust(&signer)).unwrap().is_sound());
    assert!(verify_tiles(&sound, &trust(&signer)).unwrap().is_sound());

    let (mut dice, mut done, mut caught) = (Dice(0x5eed), 0, BTreeMap::<&str, usize>::new());
    while done < EDITS {
        let (mut edited_rows, mut edited_files) = (rows.clone(), files.clone());
        match dice.below(4) {
            0 => edit_rows(&mut edited_rows, &mut dice),
            1 => {
                let note = edited_files.get_mut(CHECKPOINT_PATH).unwrap();
                edit(note, files["tile/0/000"].as_slice(), &mut dice);
            }
            _ => edit_files(&mut edited_files, &mut dice),
        }
        let files_changed = edited_files != files;
        if !files_changed && edited_rows.0.starts_with(&rows.0) {
            continue;
        }
        let store = MemoryTiles::restored(edited_files);
        let report = verify_log(&edited_rows, &store, &trust(&signer)).unwrap();
        assert!(!report.is_sound(), "edit {done} was not detected");
        let first = report.findings().first().unwrap();
        *caught.entry(name(first)).or_default() += 1;
        let outside = verify_tiles(&store, &trust(&signer)).unwrap();
        assert_eq!(outside.is_sound(), !files_changed, "edit {done}: {:?}", outside.findings());
        done += 1;
    }
    eprintln!("{done} edits, all detected, first by: {caught:?}");
    assert!(caught.len() >= 6, "{caught:?}");
}
