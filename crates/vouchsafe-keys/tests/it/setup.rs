#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vouchsafe_envelope::port::{KeyHandle, KeyService, StateStore};
use vouchsafe_envelope::{EnvelopeError, KeyRing};
use vouchsafe_keys::{FolderStates, KeyFile, OsEntropy};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

/// A temporary folder with a key file and a folder of states.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        KeyFile::create_new(place.key_file()).unwrap();
        FolderStates::create_new(place.root.path().join("states")).unwrap();
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

    pub(crate) fn states(&self) -> Arc<FolderStates> {
        Arc::new(FolderStates::open(self.root.path().join("states")).unwrap())
    }

    pub(crate) fn ring(&self) -> KeyRing {
        ring_over(self.service(), self.states())
    }

    pub(crate) fn held(&self) -> Vec<u64> {
        self.service().list(&acme()).unwrap().iter().map(KeyHandle::generation).collect()
    }
}

pub(crate) fn ring_over(service: Arc<dyn KeyService>, states: Arc<dyn StateStore>) -> KeyRing {
    KeyRing::new(service, states, Arc::new(OsEntropy::new()))
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
