#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::time::Duration;

use vouchsafe_envelope::port::{FenceStore, KeyHandle, KeyService, StateStore};
use vouchsafe_envelope::{CachePolicy, EnvelopeError, KeyPorts, KeyRing};
use vouchsafe_keys::{FolderFences, FolderStates, KeyFile, OsEntropy, ReplicatedStates};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, VirtualTicks};

/// A temporary folder with a key file, two folders of states and one of fence journals.
pub(crate) struct Place {
    root: tempfile::TempDir,
    pub(crate) ticks: Arc<VirtualTicks>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap(), ticks: Arc::default() };
        KeyFile::create_new(place.key_file()).unwrap();
        FolderStates::create_new(place.root.path().join("states")).unwrap();
        FolderStates::create_new(place.root.path().join("replica")).unwrap();
        place
    }

    /// A place with one organisation.
    pub(crate) fn provisioned() -> Self {
        let place = Self::new();
        place.ring().provision(&acme()).unwrap();
        place
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.root.path().join("states/acme.state")
    }

    pub(crate) fn service(&self) -> Arc<KeyFile> {
        Arc::new(KeyFile::open(self.key_file()).unwrap())
    }

    pub(crate) fn replica_file(&self) -> PathBuf {
        self.root.path().join("replica/acme.state")
    }

    pub(crate) fn journal_file(&self) -> PathBuf {
        self.root.path().join("fences/acme.fences")
    }

    pub(crate) fn folder(&self, name: &str) -> Arc<FolderStates> {
        Arc::new(FolderStates::open(self.root.path().join(name)).unwrap())
    }

    pub(crate) fn states(&self) -> Arc<ReplicatedStates> {
        Arc::new(ReplicatedStates::new(vec![self.folder("states"), self.folder("replica")]).unwrap())
    }

    pub(crate) fn fences(&self) -> Arc<FolderFences> {
        Arc::new(FolderFences::at(self.root.path().join("fences")).unwrap())
    }

    pub(crate) fn ports(&self) -> KeyPorts {
        self.ports_over(self.service(), self.states(), self.fences())
    }

    pub(crate) fn ports_over(
        &self,
        service: Arc<dyn KeyService>,
        states: Arc<dyn StateStore>,
        fences: Arc<dyn FenceStore>,
    ) -> KeyPorts {
        KeyPorts::new(
            service,
            states,
            fences,
            Arc::new(OsEntropy::new()),
            Arc::<VirtualTicks>::clone(&self.ticks),
        )
    }

    /// A ring as another process has one.
    pub(crate) fn ring(&self) -> KeyRing {
        ring(self.ports())
    }

    pub(crate) fn ring_over(&self, service: Arc<dyn KeyService>) -> KeyRing {
        ring(self.ports_over(service, self.states(), self.fences()))
    }

    pub(crate) fn held(&self) -> Vec<u64> {
        self.service().list(&acme()).unwrap().iter().map(KeyHandle::generation).collect()
    }
}

/// A ring that looks at the store before each use, as virtual ticks do not pass by themselves.
pub(crate) fn ring(ports: KeyPorts) -> KeyRing {
    let policy = CachePolicy {
        recheck: Duration::ZERO,
        negative: Duration::ZERO,
        lease_wait: Duration::from_secs(1),
        ..CachePolicy::default()
    };
    KeyRing::with_cache(ports, policy)
}

pub(crate) fn acme() -> OrganisationId {
    OrganisationId::parse("acme").unwrap()
}

pub(crate) fn allocate(ring: &KeyRing, count: usize) -> Vec<LeafIndex> {
    (0..count).map(|_| ring.allocate(&acme(), DataClass::Biometric).unwrap()).collect()
}

/// A value that only this leaf's keys give.
pub(crate) fn fingerprint(ring: &KeyRing, leaf: LeafIndex) -> Result<[u8; 32], EnvelopeError> {
    let secret = ring.with_state(&acme(), |state| state.template_secret(leaf))??;
    Ok(*secret.as_secret().expose_secret())
}
