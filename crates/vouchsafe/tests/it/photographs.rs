//! The life of a template on the photographs of the examples, with the real models.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use vouchsafe::{FaceEngine, Image, Limits, ModelSet, Refusal, Vouchsafe};

use crate::scene::{Scene, consented, permit, ports_in, refusal};

pub(crate) fn picture(name: &str) -> Image {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(name);
    Image::decode(&fs::read(file).unwrap(), &Limits::default()).unwrap()
}

/// Promise: WB-1.2-camera, WB-1.2-512d, WB-11-consent-first
#[test]
fn one_person_is_enrolled_recognised_and_told_from_another() {
    let scene = Scene::new();
    let engine = Arc::new(FaceEngine::load(&ModelSet::bundled().unwrap()).unwrap());
    let ports = ports_in(scene.dir.path()).with_clock(scene.clock.clone());
    let service = Vouchsafe::open_with(ports.with_engine(engine));
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let capture = |name: &str| {
        let permit = permit(&person);
        let face = service.capture(&permit, picture(name)).unwrap().or_refuse().unwrap();
        (permit, face)
    };
    let (allowed, face) = capture("obama.jpg");
    person.enrol(&allowed, face).unwrap().or_refuse().unwrap();
    let (allowed, face) = capture("obama2.jpg");
    assert!(person.verify(&allowed, face).unwrap().is_accepted());
    for stranger in ["biden.jpg", "astronaut.png"] {
        let (allowed, face) = capture(stranger);
        assert!(!person.verify(&allowed, face).unwrap().is_accepted(), "{stranger}");
    }
    let stale = permit(&person);
    scene.pass(600);
    assert_eq!(refusal(service.capture(&stale, picture("obama.jpg")).unwrap()), Refusal::PermitStale);
    assert!(matches!(
        scene.service.capture(&permit(&person), picture("obama.jpg")),
        Err(vouchsafe::Error::NoEngine)
    ));

    let pixels = picture("obama.jpg");
    let row = pixels_of(&pixels);
    for file in files(scene.dir.path()) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(row.len()).any(|window| window == row), "frame bytes on disk");
    }
}

/// A stretch of the decoded picture that is not one colour.
fn pixels_of(image: &Image) -> Vec<u8> {
    let debug = format!("{image:?}");
    assert!(!debug.contains('['), "a frame prints no pixels");
    let rgb = image::load_from_memory(
        &fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/obama.jpg")).unwrap(),
    )
    .unwrap()
    .to_rgb8();
    let offset = (rgb.width() as usize * 200 + 450) * 3;
    rgb.as_raw()[offset..offset + 48].to_vec()
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(dir)
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}
