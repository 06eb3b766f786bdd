use vouchsafe_types::{OrganisationId, Secret};

use crate::KeyServiceError;

/// Names one state key: organisation and generation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHandle {
    organisation: OrganisationId,
    generation: u64,
}

impl KeyHandle {
    /// The handle of an organisation's state key of this generation, 1 or more.
    pub const fn new(organisation: OrganisationId, generation: u64) -> Self {
        Self { organisation, generation }
    }

    /// Whose key it is.
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// Which of the organisation's state keys it is.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

/// How strong a destruction at a key service is. Ordered: a later variant is weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "certificates and the command line name each strength on purpose"
)]
pub enum ErasureStrength {
    /// The service holds keys outside the host and attests that the key is gone.
    ServiceAttested,
    /// The service is outside the host and its storage is excluded from backups.
    ServiceExcludedFromBackup,
    /// The key was on this host: a copy of the disk taken earlier still holds it.
    HostOnly,
    /// The service cannot destroy a key.
    None,
}

impl ErasureStrength {
    /// The stable name used in certificates and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceAttested => "service_attested",
            Self::ServiceExcludedFromBackup => "service_excluded_from_backup",
            Self::HostOnly => "host_only",
            Self::None => "none",
        }
    }
}

/// A key service's statement that a state key is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DestructionEvidence {
    handle: KeyHandle,
    strength: ErasureStrength,
    attestation: Option<Vec<u8>>,
}

impl DestructionEvidence {
    /// A statement without an attestation.
    pub const fn new(handle: KeyHandle, strength: ErasureStrength) -> Self {
        Self { handle, strength, attestation: None }
    }

    /// Adds the bytes by which the service attests the destruction to others.
    pub fn with_attestation(mut self, attestation: Vec<u8>) -> Self {
        self.attestation = Some(attestation);
        self
    }

    /// Which key is gone.
    pub const fn handle(&self) -> &KeyHandle {
        &self.handle
    }

    /// How strong the destruction is.
    pub const fn strength(&self) -> ErasureStrength {
        self.strength
    }

    /// What the service signed, if it signs.
    pub fn attestation(&self) -> Option<&[u8]> {
        self.attestation.as_deref()
    }
}

/// Which state keys a service can destroy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers decide by it")]
pub enum Destroys {
    /// Any key, the newest included.
    Any,
    /// Keys older than the organisation's newest one, and with a key every older one (OpenBao and Vault transit:
    /// rotate, then trim).
    OlderThanNewest,
}

/// What a key service can do beyond wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a further capability must be decided by every adapter")]
pub struct Capabilities {
    /// Which keys it can destroy.
    pub destroys: Destroys,
    /// Whether it encrypts a wrapped secret again under a newer key without giving it out. No service does so for
    /// wraps bound to a context, and ours are.
    pub rewraps: bool,
    /// Whether its statement of a destruction carries an attestation that others can check.
    pub attests: bool,
    /// Whether keys stay outside this process's host: a call then costs a network or bus round trip.
    pub remote: bool,
}

/// Holds state keys and wraps 32-byte secrets under them. Every call is idempotent.
///
/// The service is trusted to keep keys secret and to destroy them; [`Self::strength`] says how far.
pub trait KeyService: Send + Sync {
    /// Makes a fresh random key; an existing one stays as it is.
    ///
    /// # Errors
    /// [`KeyServiceError`] when the service cannot make the key durable.
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError>;

    /// Encrypts a secret under the key, bound to the context.
    ///
    /// # Errors
    /// [`KeyServiceError::NoSuchKey`] after destruction; otherwise as the service states.
    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError>;

    /// Decrypts what [`Self::wrap`] gave for the same handle and context.
    ///
    /// # Errors
    /// [`KeyServiceError::NoSuchKey`] after destruction, [`KeyServiceError::NotAuthentic`] for another key,
    /// another context or changed bytes; otherwise as the service states.
    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError>;

    /// Destroys the key for good; a key that is gone already gives the same evidence.
    ///
    /// # Errors
    /// [`KeyServiceError::NewestKey`] for the newest key of a service that [`Destroys::OlderThanNewest`];
    /// otherwise [`KeyServiceError`] when the service cannot say that the key is gone.
    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError>;

    /// The state keys that the service holds for an organisation, ascending by generation.
    ///
    /// # Errors
    /// [`KeyServiceError`] when the service does not answer.
    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError>;

    /// How strong a destruction at this service is.
    fn strength(&self) -> ErasureStrength;

    /// What the service can do.
    fn capabilities(&self) -> Capabilities;
}
