//! The explicit recovery after a restored backup.

use std::fs;

use crate::scene::{FACE, Scene, copy, enrol};

/// Promise: WB-3-30days
#[test]
fn a_restored_backup_is_refused_until_it_is_recovered_and_the_gap_is_named() {
    let scene = Scene::new();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        enrol(&organisation, "gone", 1);
        enrol(&organisation, "stays", 2);
    }
    assert!(scene.run(&["recover"]).done().starts_with("nothing to recover"));
    // Nobody has the database open, so its folder can be copied as it is.
    copy(&scene.path("store/data"), &scene.path("backup"));
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        let _ = organisation.subject("gone").unwrap().withdraw(FACE).unwrap();
    }
    fs::remove_dir_all(scene.path("store/data")).unwrap();
    copy(&scene.path("backup"), &scene.path("store/data"));

    let required = "the database is older than the published log, or was restored: run the recovery before anything else";
    scene.run(&["retention", "sweep"]).fails(1, required);
    scene.run(&["retention", "plan", "--out", "plan.json"]).fails(1, required);
    assert!(scene.run(&["log", "verify"]).code == Some(1));
    let recovered = scene.run(&["recover"]).done();
    assert!(recovered.starts_with("gap            entries 8 to 10, taken back"), "{recovered}");
    assert!(recovered.contains("\ndestroyed      1 holding(s)"), "{recovered}");
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"));
    assert!(scene.run(&["recover"]).done().starts_with("nothing to recover"));
}
