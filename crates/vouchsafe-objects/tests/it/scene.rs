//! A server, a gate before it, and a bucket of its own for each use.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use vouchsafe_objects::{Bucket, BucketConfig, BucketCredentials};
use vouchsafe_testkit::services::gate::Gate;
use vouchsafe_testkit::services::objects::{ACCESS_KEY, ObjectServer, ObjectServerKind, SECRET};
use vouchsafe_types::SecretBytes;

pub(crate) struct Scene {
    pub(crate) server: Arc<ObjectServer>,
    pub(crate) gate: Gate,
}

/// Tests share a server, and never a bucket.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Scene {
    pub(crate) fn start(kind: ObjectServerKind, test: &str) -> Option<Self> {
        let server = ObjectServer::shared(kind, test)?;
        let gate = Gate::before(server.address());
        Some(Self { server, gate })
    }

    /// One of each server that is installed.
    pub(crate) fn all(test: &str) -> Vec<Self> {
        ObjectServerKind::ALL.into_iter().filter_map(|kind| Self::start(kind, test)).collect()
    }

    /// The name of a new bucket.
    pub(crate) fn name(&self) -> String {
        let name = format!("bucket-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.server.make_bucket(&name);
        name
    }

    /// A new bucket behind the gate.
    pub(crate) fn bucket(&self) -> Bucket {
        Bucket::new(self.config(&self.name())).unwrap()
    }

    /// A new bucket of the server, not behind the gate.
    pub(crate) fn open_bucket(&self) -> Bucket {
        Bucket::new(config(&self.server.endpoint(), &self.name(), SECRET)).unwrap()
    }

    pub(crate) fn config(&self, bucket: &str) -> BucketConfig {
        config(&self.gate.endpoint(), bucket, SECRET)
    }
}

pub(crate) fn config(endpoint: &str, bucket: &str, secret: &str) -> BucketConfig {
    let credentials = BucketCredentials::new(ACCESS_KEY, SecretBytes::new(secret.as_bytes().to_vec()));
    BucketConfig::new(endpoint, bucket, credentials).timeout(Duration::from_secs(20))
}
