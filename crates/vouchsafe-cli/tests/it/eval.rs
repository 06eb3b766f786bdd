//! Error rates on real photographs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scene::{Run, Scene};

/// The pictures and figures that are shared beside the repository, which not everybody has.
fn shared() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found = shared.join("data/face/verify").is_dir() && shared.join("golden/face_pairs.csv").is_file();
    if !found {
        println!("skipped: ../shared holds no face pictures");
    }
    found.then(|| shared.canonicalize().unwrap())
}

fn figure(out: &str, name: &str) -> f64 {
    let prefix = format!("{name}=");
    out.split_whitespace().find_map(|word| word.strip_prefix(&prefix)?.parse().ok()).unwrap()
}

#[test]
fn people_are_told_apart_and_another_implementation_agrees() {
    let Some(shared) = shared() else { return };
    let scene = Scene::new();
    let (people, golden) = (shared.join("data/face/verify"), shared.join("golden/face_pairs.csv"));
    let arguments = ["eval", "face", people.to_str().unwrap(), "--golden", golden.to_str().unwrap()];
    let more = ["--json", "figures.json", "--crops-out", "crops"];
    let out = scene.run_anywhere(&[&arguments[..], &more].concat()).done();

    let last = out.lines().last().unwrap();
    let names: Vec<_> = last.split(' ').filter_map(|word| Some(word.split_once('=')?.0)).collect();
    assert_eq!(names, ["eer", "fnmr_at_fmr_1e-2", "fnmr_at_fmr_1e-3", "genuine", "impostor", "people"]);
    assert!(figure(last, "eer") <= 0.005, "{out}");
    assert_eq!((figure(last, "genuine"), figure(last, "impostor")), (367.0, 3461.0));
    assert_eq!(figure(last, "people"), 12.0);
    assert!(figure(&out, "golden_max") <= 0.05 && figure(&out, "golden_mean") <= 0.01, "{out}");
    assert_eq!(figure(&out, "golden_pairs"), 3828.0);
    assert!(
        out.contains("12 people bound very little; not certifiable at FMR 1e-2, not certifiable at FMR 1e-3")
    );

    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(scene.path("figures.json")).unwrap()).unwrap();
    assert_eq!((json["people"].as_u64(), json["pictures"].as_u64()), (Some(12), Some(88)));
    let crops = fs::read_dir(scene.path("crops")).unwrap().count() as u64 - 1;
    assert_eq!(fs::metadata(scene.path("crops/embeddings.f32")).unwrap().len(), crops * 512 * 4);
}

#[test]
fn what_cannot_be_evaluated_is_said_in_one_sentence() {
    let scene = Scene::new();
    let eval = |more: &[&str]| scene.run_anywhere(&[&["eval", "face", "people"], more].concat());
    eval(&[]).fails(2, "the folder of people does not exist");
    fs::create_dir_all(scene.path("people/one")).unwrap();
    fs::create_dir_all(scene.path("people/two")).unwrap();
    eval(&[]).fails(1, "there are no pictures (jpg, jpeg, png, webp) below the folder");
    fs::write(scene.path("people/one/a.jpg"), b"").unwrap();
    fs::write(scene.path("people/one/b.png"), b"not a picture").unwrap();
    let one = "there are usable pictures of one person only, so there is no impostor comparison";
    eval(&[]).fails(1, one);
    fs::rename(scene.path("people/one/b.png"), scene.path("people/two/b.png")).unwrap();
    eval(&[]).fails(1, "no person has two usable pictures, so there is no genuine comparison");
    fs::write(scene.path("people/two/c.webp"), b"RIFF").unwrap();
    std::os::unix::fs::symlink("nowhere", scene.path("people/two/d.jpg")).unwrap();
    eval(&["--golden", "nowhere.csv"]).fails(2, "the golden file does not exist");
    eval(&["--models", "nowhere"]).fails(1, "model manifest cannot be read");

    let run = eval(&[]);
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    let said: Vec<_> = run.err.lines().collect();
    assert_eq!(said.len(), 5, "{said:?}");
    assert_eq!(said[0], "not used: one/a.jpg: image is empty");
    assert!(said[1].starts_with("not used: two/b.png: image "));
    assert_eq!(said[3], "not used: two/d.jpg: cannot be read: entity not found");
    assert_eq!(said[4], "vouchsafe: none of the pictures could be used");
}

/// The portraits in the tree: two people, one of whom has a picture without a face beside theirs.
#[test]
fn pictures_that_give_no_face_are_listed_and_the_rest_is_compared() {
    let scene = Scene::new();
    let portraits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    for (name, person) in [("obama.jpg", "o"), ("obama2.jpg", "o"), ("biden.jpg", "b")] {
        fs::create_dir_all(scene.path("people").join(person)).unwrap();
        fs::copy(portraits.join(name), scene.path("people").join(person).join(name)).unwrap();
    }
    image::RgbImage::new(64, 64).save(scene.path("people/b/blank.png")).unwrap();
    let Run { code, out, err } = scene.run_anywhere(&["eval", "face", "people", "--threads", "3"]);
    assert_eq!((code, err.as_str()), (Some(0), "not used: b/blank.png: no face was found\n"), "{out}");
    let summary =
        "eer=0.00000 fnmr_at_fmr_1e-2=0.00000 fnmr_at_fmr_1e-3=0.00000 genuine=1 impostor=2 people=2\n";
    assert!(out.ends_with(summary), "{out}");
    assert!(out.contains("pictures          4, of which 1 gave no face\n"));
}
