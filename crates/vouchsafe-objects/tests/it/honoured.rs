use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_objects::{
    BucketFences, BucketLease, BucketLock, BucketStates, BucketTiles, Conditional, LeaseTerms, ObjectsError,
    Verdict, Versioning,
};
use vouchsafe_testkit::services::gate::Fault;
use vouchsafe_testkit::services::objects::ObjectServerKind;

use crate::scene::Scene;

/// The rows of the table in the crate's documentation that do not hang on luck. One request at a time, both servers
/// honour both conditions; what each makes of several at once is told, not asserted.
#[test]
fn what_each_server_honours_is_as_documented() {
    for scene in Scene::all("objects: conditions") {
        let kind = scene.server.kind();
        let open = scene.open_bucket().check().unwrap();
        println!("{kind:?}, several at once:\n{open}");
        let gated = scene.bucket().check().unwrap();
        for conditional in Conditional::ALL {
            assert_eq!(gated.verdict(conditional), Verdict::Honoured, "{kind:?} {conditional:?}");
            let alone = !matches!(open.verdict(conditional), Verdict::Ignored | Verdict::Unsupported);
            assert!(alone, "{kind:?} {conditional:?}");
        }
        assert!(gated.reads_writes() && gated.lists_writes(), "{kind:?}");
        let versions = match kind {
            ObjectServerKind::Moto => Versioning::Never,
            ObjectServerKind::S3sFs => Versioning::Unsupported,
        };
        assert_eq!(gated.versioning(), Some(versions));
        assert!(scene.bucket().list(".probe").unwrap().is_empty());
    }
}

/// Where two writers are told that each of them won, nothing that relies on it opens.
#[test]
fn a_server_that_checks_and_then_writes_is_refused() {
    let Some(scene) = Scene::start(ObjectServerKind::S3sFs, "objects: racy server") else { return };
    let report = scene.open_bucket().check().unwrap();
    let racy = Conditional::ALL.into_iter().find(|one| matches!(report.verdict(*one), Verdict::Racy { .. }));
    assert!(racy.is_some(), "{report}");
    let refused = |_| matches!(BucketLock::open(scene.open_bucket()), Err(ObjectsError::ConditionIgnored(_)));
    assert!((0..5).any(refused));
}

#[test]
fn a_server_that_ignores_conditions_is_refused_by_everything() {
    // Signatures cover the conditions, so only a server that looks at no signature takes the request without them.
    let Some(scene) = Scene::start(ObjectServerKind::Moto, "objects: ignored conditions") else { return };
    scene.gate.plan(|_| Fault::Unconditional);
    let bucket = scene.bucket();
    let report = bucket.check().unwrap();
    assert!(Conditional::ALL.iter().all(|one| report.verdict(*one) == Verdict::Ignored));
    let refused = ObjectsError::ConditionIgnored(Conditional::IfAbsent);
    assert_eq!(BucketTiles::open(bucket.clone()).err(), Some(refused));
    assert_eq!(BucketLock::open(bucket.clone()).err(), Some(refused));
    assert_eq!(BucketLease::open(bucket.clone(), LeaseTerms::default()).err(), Some(refused));
    assert_eq!(BucketFences::open(bucket.clone()).err(), Some(refused));
    assert_eq!(BucketStates::open(bucket.clone(), ErasureStrength::HostOnly).err(), Some(refused));
    scene.gate.mend();
    assert!(BucketTiles::open(bucket).is_ok());
}

#[test]
fn a_condition_that_is_taken_off_on_the_way_breaks_the_signature() {
    let Some(scene) = Scene::start(ObjectServerKind::S3sFs, "objects: signed conditions") else { return };
    let bucket = scene.bucket();
    scene.gate.plan(|_| Fault::Unconditional);
    assert_eq!(bucket.check(), Err(ObjectsError::Denied));
}

#[test]
fn key_states_do_not_lie_where_old_versions_are_kept() {
    let Some(scene) = Scene::start(ObjectServerKind::Moto, "objects: versions") else { return };
    for status in ["Enabled", "Suspended"] {
        let name = scene.name();
        scene.server.set_versioning(&name, status);
        let bucket = vouchsafe_objects::Bucket::new(scene.config(&name)).unwrap();
        for strength in [ErasureStrength::HostOnly, ErasureStrength::None] {
            let refused = BucketStates::open(bucket.clone(), strength).err();
            assert_eq!(refused, Some(ObjectsError::Versioned), "{status}");
        }
        assert!(BucketStates::open(bucket, ErasureStrength::ServiceAttested).is_ok());
    }
    assert!(BucketStates::open(scene.bucket(), ErasureStrength::HostOnly).is_ok());
}
