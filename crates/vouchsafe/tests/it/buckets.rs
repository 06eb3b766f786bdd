//! A life whose log, checkpoints and second place of key states lie in object storage.
use std::sync::Arc;

use vouchsafe::envelope::port::{ErasureStrength, StateStore};
use vouchsafe::keys::{FolderStates, ReplicatedStates};
use vouchsafe::ledger::verify_receipt;
use vouchsafe::types::SecretBytes;
use vouchsafe::{Destruction, Ports, Vouchsafe};
use vouchsafe_objects::{
    Bucket, BucketConfig, BucketCredentials, BucketLogs, BucketStates, Condition, LeaseTerms, Put,
};
use vouchsafe_testkit::services::gate::{Fault, Gate};
use vouchsafe_testkit::services::objects::{ACCESS_KEY, ObjectServer, ObjectServerKind, SECRET};

use crate::scene::{FACE, Scene, consented, enrol, verify};

struct Remote {
    _server: Arc<ObjectServer>,
    gate: Gate,
}

impl Remote {
    fn start(kind: ObjectServerKind) -> Option<Self> {
        let server = ObjectServer::shared(kind, "facade: object storage")?;
        ["published", "outside", "states"].into_iter().for_each(|name| server.make_bucket(name));
        let gate = Gate::before(server.address());
        Some(Self { _server: server, gate })
    }

    fn bucket(&self, name: &str) -> Bucket {
        let credentials = BucketCredentials::new(ACCESS_KEY, SecretBytes::new(SECRET.as_bytes().to_vec()));
        Bucket::new(BucketConfig::new(&self.gate.endpoint(), name, credentials)).unwrap()
    }

    /// From here on every third write is heard, and its answer lost.
    fn lose_answers(&self) {
        let mut writes = 0;
        self.gate.plan(move |seen| {
            writes += u32::from(seen.method == "PUT");
            if seen.method == "PUT" && writes % 3 == 0 { Fault::LoseAnswer } else { Fault::None }
        });
    }

    /// Without faults: opening tries what the server does, and of a try without an answer nothing is known.
    fn in_calm<T>(&self, act: impl FnOnce() -> T) -> T {
        self.gate.mend();
        let value = act();
        self.lose_answers();
        value
    }

    /// The folder's ports with everything that may lie elsewhere in buckets.
    fn ports(&self, scene: &Scene) -> Ports {
        let mut ports = scene.ports();
        let terms = LeaseTerms::default();
        let (published, outside) = (self.bucket("published"), self.bucket("outside"));
        ports.logs = Arc::new(BucketLogs::open(published, outside, terms, scene.clock.clone()).unwrap());
        let local = FolderStates::open(scene.dir.path().join("keys/state")).unwrap();
        let remote = BucketStates::open(self.bucket("states"), ErasureStrength::HostOnly).unwrap();
        let places: Vec<Arc<dyn StateStore>> = vec![Arc::new(local), Arc::new(remote)];
        ports.states = Arc::new(ReplicatedStates::new(places).unwrap());
        ports
    }
}

#[test]
fn a_life_in_buckets() {
    for remote in ObjectServerKind::ALL.into_iter().filter_map(Remote::start) {
        let scene = Scene::new();
        let service = Vouchsafe::open_with(remote.ports(&scene));
        let organisation = service.organisation("acme").unwrap();
        let person = consented(&organisation, "4711");
        remote.lose_answers();
        let enrolment = enrol(&person, 1);
        assert!(verify(&person, 1).is_accepted());
        organisation.publish_log().unwrap();
        assert!(organisation.verify_log().unwrap().is_sound());

        // Another process over the same places sees the withdrawal, and continues the log.
        let again = remote.in_calm(|| Vouchsafe::open_with(remote.ports(&scene)));
        let second = again.organisation("acme").unwrap();
        let withdrawn = second.subject("4711").unwrap().withdraw(FACE).unwrap();
        assert!(matches!(withdrawn.destruction, Destruction::Done(_) | Destruction::Pending(_)));
        assert!(person.permit(FACE).unwrap().or_refuse().is_err());
        second.publish_log().unwrap();
        organisation.publish_log().unwrap();
        assert!(second.verify_log().unwrap().is_sound());
        let receipt = enrolment.receipt();
        let proof = second.prove(receipt.entry()).unwrap();
        let (key, origin) = (second.verifier_key().unwrap(), second.log_origin().unwrap());
        verify_receipt(&proof, receipt.leaf(), &key, &origin).unwrap();

        // Nothing of the log lies in the folder.
        let left = std::fs::read_dir(scene.dir.path().join("log")).unwrap().count();
        assert_eq!(left, 0);
        // A damaged tile is found, and written again from the rows.
        let published = remote.bucket("published");
        let name = origin.strip_prefix("vouchsafe/").unwrap();
        let tiles = published.list(&format!("{name}/tile")).unwrap();
        let tile = tiles.iter().max_by_key(|tile| tile.len()).unwrap();
        assert!(matches!(published.put(tile, b"damage", &Condition::Always), Ok(Put::Done(_))));
        assert!(second.rebuild_log().unwrap() > 0);
        assert!(second.verify_log().unwrap().is_sound());
    }
}
