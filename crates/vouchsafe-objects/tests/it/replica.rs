//! A bucket as the second place of key states.
use std::sync::Arc;

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{ErasureStrength, ShardName, StateStore, StateVersion};
use vouchsafe_keys::{FolderStates, Replica, ReplicatedStates};
use vouchsafe_objects::{BucketStates, Condition};
use vouchsafe_testkit::services::gate::Fault;
use vouchsafe_types::OrganisationId;

use crate::scene::Scene;

const VERSION: StateVersion = StateVersion { generation: 2, revision: 3 };

#[test]
fn a_bucket_stands_beside_a_place_with_locks_and_not_alone() {
    for scene in Scene::all("objects: replica") {
        let folder = tempfile::tempdir().unwrap();
        let acme = OrganisationId::parse("acme").unwrap();
        let local: Arc<dyn StateStore> =
            Arc::new(FolderStates::create_new(folder.path().join("state")).unwrap());
        let bucket = scene.bucket();
        let remote: Arc<dyn StateStore> =
            Arc::new(BucketStates::open(bucket.clone(), ErasureStrength::HostOnly).unwrap());
        let alone = ReplicatedStates::new(vec![Arc::clone(&remote)]).unwrap();
        assert_eq!(alone.lock_exclusive(&acme).err(), Some(StateStoreError::NoLocks));
        assert_eq!(remote.lease(&acme, VERSION).err(), Some(StateStoreError::NoLocks));
        assert_eq!(alone.replicate(&acme), Err(StateStoreError::NoLocks));

        let both = ReplicatedStates::new(vec![Arc::clone(&local), Arc::clone(&remote)]).unwrap();
        let shard = ShardName::from_bytes([5; 16]);
        {
            let _guard = both.lock_exclusive(&acme).unwrap();
            let _lease = both.lease(&acme, VERSION).unwrap();
            both.write_shard(&acme, &shard, b"shard").unwrap();
            both.write(&acme, VERSION, b"head").unwrap();
            assert_eq!(both.leased_before(&acme, StateVersion { generation: 3, revision: 0 }), Ok(1));
        }
        assert_eq!(both.check(&acme), Ok(vec![Replica::Newest(VERSION); 2]));

        // The folder is lost and comes back from the bucket; then the other way round.
        std::fs::remove_file(folder.path().join("state/acme.state")).unwrap();
        assert_eq!(both.read(&acme), Ok(Some(b"head".to_vec())));
        assert_eq!(both.replicate(&acme), Ok(1));
        assert_eq!(local.read(&acme), Ok(Some(b"head".to_vec())));
        for key in bucket.list("acme").unwrap() {
            bucket.delete(&key).unwrap();
        }
        assert_eq!(both.check(&acme).unwrap()[1], Replica::Missing);
        assert_eq!(both.replicate(&acme), Ok(1));
        assert_eq!(remote.read_shard(&acme, &shard), Ok(Some(b"shard".to_vec())));

        // Damage is seen, and read around.
        let _ = bucket.put("acme/state", b"damaged", &Condition::Always).unwrap();
        assert_eq!(both.check(&acme).unwrap()[1], Replica::Unreadable(StateStoreError::Corrupt));
        assert_eq!(both.read(&acme), Ok(Some(b"head".to_vec())));
        assert_eq!(both.replicate(&acme), Ok(1));
        assert_eq!(both.check(&acme), Ok(vec![Replica::Newest(VERSION); 2]));
    }
}

#[test]
fn while_the_bucket_is_away_states_are_read_and_none_is_written() {
    for scene in Scene::all("objects: replica away") {
        let folder = tempfile::tempdir().unwrap();
        let acme = OrganisationId::parse("acme").unwrap();
        let local: Arc<dyn StateStore> =
            Arc::new(FolderStates::create_new(folder.path().join("state")).unwrap());
        let remote = Arc::new(BucketStates::open(scene.bucket(), ErasureStrength::HostOnly).unwrap());
        let both = ReplicatedStates::new(vec![local, remote.clone()]).unwrap();
        both.write(&acme, VERSION, b"head").unwrap();
        scene.gate.plan(|_| Fault::Busy);
        let _guard = both.lock_exclusive(&acme).unwrap();
        assert_eq!(both.read(&acme), Ok(Some(b"head".to_vec())));
        assert_eq!(both.version(&acme), Ok(Some(VERSION)));
        let next = StateVersion { generation: 3, revision: 0 };
        assert_eq!(both.write(&acme, next, b"next"), Err(StateStoreError::Unavailable));
        scene.gate.mend();
        assert_eq!(remote.version(&acme), Ok(Some(VERSION)));
        both.write(&acme, next, b"next").unwrap();
        assert_eq!(remote.read(&acme), Ok(Some(b"next".to_vec())));
        // One that is late with an older state never sets it back.
        assert_eq!(remote.write(&acme, VERSION, b"head"), Err(StateStoreError::OlderGeneration));
    }
}
