//! The judge on real pictures, through the whole face path. Skipped, and said so, where the pictures are missing.

use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe_consent::{Evaluation, Permit, danger::evaluation_permit};
use vouchsafe_embed::{Assurance, FaceEngine, Image, Judgement, Limits, ModelSet, danger};
use vouchsafe_liveness::PassiveJudge;
use vouchsafe_types::{Modality, Refusal};

/// How often each answer was given.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    live: usize,
    undecided: usize,
    attack: usize,
}

struct Bench {
    engine: FaceEngine,
    permit: Permit<Evaluation>,
}

impl Bench {
    fn new() -> Self {
        let engine = FaceEngine::load(&ModelSet::bundled().unwrap()).unwrap();
        Self { engine, permit: evaluation_permit(Modality::Face).unwrap() }
    }

    fn judge(&self, bytes: &[u8]) -> Judgement {
        let image = Image::decode(bytes, &Limits::default()).unwrap();
        danger::judge(&self.engine, &self.permit, &image, &PassiveJudge::default()).unwrap().unwrap()
    }

    fn tally(&self, pictures: &[PathBuf]) -> Tally {
        let mut tally = Tally::default();
        for picture in pictures {
            match self.judge(&fs::read(picture).unwrap()) {
                Judgement::Live(assurance) => {
                    assert_eq!(assurance, Assurance::Weak);
                    tally.live += 1;
                }
                Judgement::Refused(reasons) => match reasons.as_slice() {
                    [Refusal::PresentationAttackSuspected] => tally.attack += 1,
                    [Refusal::Undecided] => tally.undecided += 1,
                    other => panic!("{other:?}"),
                },
            }
        }
        tally
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The pictures below a folder, in order.
fn pictures(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_picture =
        |path: &Path| path.extension().is_some_and(|end| ["jpg", "png"].iter().any(|known| end == *known));
    let below = |path: PathBuf| match path {
        path if path.is_dir() => pictures(&path),
        path if is_picture(&path) => vec![path],
        _ => Vec::new(),
    };
    paths.into_iter().flat_map(below).collect()
}

/// The pictures of a folder beside the repository, or `None` and one line.
fn shared(folder: &str) -> Option<Vec<PathBuf>> {
    let found = pictures(&root().join("../shared/data/face").join(folder));
    if found.is_empty() {
        eprintln!("skipped: no pictures in ../shared/data/face/{folder}");
    }
    (!found.is_empty()).then_some(found)
}

#[test]
fn the_real_attacks_are_never_live_and_the_live_samples_are() {
    let (Some(attacks), Some(live)) = (shared("liveness/attack"), shared("liveness/live")) else { return };
    let bench = Bench::new();
    assert_eq!(bench.tally(&attacks), Tally { attack: 2, ..Tally::default() });
    assert_eq!(bench.tally(&live), Tally { live: 2, ..Tally::default() });
}

/// The people whose pictures chose the rule; `docs/passive-judge.md` has the split.
const CHOSEN_ON: [&str; 6] = ["Ariel_Sharon", "George_W_Bush", "John_Salley", "Tony_Blair", "id02", "id06"];

#[test]
fn few_bona_fide_pictures_are_called_attacks() {
    let Some(verify) = shared("verify") else { return };
    let chosen_on = |path: &PathBuf| CHOSEN_ON.iter().any(|person| path.parent().unwrap().ends_with(person));
    let (chosen_on, held_out): (Vec<_>, Vec<_>) = verify.into_iter().partition(chosen_on);
    let bench = Bench::new();
    let (chosen_on, held_out) = (bench.tally(&chosen_on), bench.tally(&held_out));
    eprintln!("chosen on: {chosen_on:?}\nheld out: {held_out:?}");
    assert_eq!(held_out.live + held_out.undecided + held_out.attack, 43);
    assert!(held_out.attack + chosen_on.attack <= 4);
    assert!(held_out.attack <= 2);
    assert!(held_out.undecided + chosen_on.undecided <= 16);
}

#[test]
fn the_portraits_of_the_quickstart_are_live() {
    let portraits = pictures(&root().join("examples/data"));
    if portraits.is_empty() {
        return eprintln!("skipped: no portraits in examples/data");
    }
    let tally = Bench::new().tally(&portraits);
    assert_eq!(tally, Tally { live: portraits.len(), ..Tally::default() });
}
