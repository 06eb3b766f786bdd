use thiserror::Error;

/// Why the envelope gave no answer. Wrong key, wrong context and changed bytes are one variant on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Final: the leaf was destroyed; nobody can derive its keys any more.
    #[error("key has been destroyed")]
    Destroyed,
    /// Environment: the source of randomness did not answer.
    #[error("source of randomness is unavailable")]
    EntropyUnavailable,
    /// Operator or wait: the key service still holds state keys that it was told to destroy, or a process still
    /// holds the state of before.
    #[error(
        "erasure is incomplete: {} state keys left at the service, {} processes with the former state",
        .0.generations().len(), .0.leases()
    )]
    ErasureIncomplete(Remaining),
    /// Misuse: a data class has no index left.
    #[error("data class has no key index left")]
    Exhausted,
    /// Operator: the fence journal is missing, altered, or older than the state. Bring it back, or run the recovery
    /// and accept the loss.
    #[error("fence journal is missing or older than the organisation state")]
    FencesLost,
    /// Operator: the state is there, but the key service does not hold its state key.
    #[error("key service does not hold the key of the organisation state")]
    KeyMissing,
    /// Operator: the data key of that version was retired by a rotation; the record is from an older backup.
    #[error("data key of that version is retired")]
    KeyRetired,
    /// Key service: it refused or did not answer.
    #[error("key service: {0}")]
    KeyService(#[source] KeyServiceError),
    /// Operator: the key service holds only older state keys than the state needs: it was restored from a backup.
    /// Restore a state of the same time and run the recovery.
    #[error("key service holds only older state keys than the organisation state needs")]
    KeyServiceRolledBack,
    /// Malformed: bytes that no version of this crate wrote.
    #[error("{} is malformed", .0.part())]
    Malformed(Malformed),
    /// Misuse: the index was never allocated.
    #[error("key index was never allocated")]
    NeverAllocated,
    /// Wrong key, wrong context, changed bytes, or another format version.
    #[error("ciphertext does not authenticate")]
    NotAuthentic,
    /// Misuse: the organisation was never provisioned.
    #[error("organisation has no key state yet")]
    NotProvisioned,
    /// Environment: the system gives no memory or no thread.
    #[error("no memory or thread for keys")]
    NoResources,
    /// Operator: state keys that were destroyed are back at the service (it was restored from a backup). Run the
    /// recovery, which destroys them again and replays the erasures.
    #[error("{} destroyed state keys are back at the key service: run the recovery", .0.generations().len())]
    Resurrected(Remaining),
    /// Operator: the key service holds state keys, but the state is gone; recover it from its second location.
    #[error("organisation state is missing while its keys exist")]
    StateLost,
    /// Operator: the state is older than the fence journal says. Bring the newer one back from another location, or
    /// run the recovery, which replays the erasures.
    #[error("organisation state is older than its fence journal")]
    StateRolledBack,
    /// State store: it refused or did not answer.
    #[error("state store: {0}")]
    StateStore(#[source] StateStoreError),
    /// Misuse: the plaintext is larger than the format allows.
    #[error("plaintext is larger than the format allows")]
    TooLarge,
}

impl EnvelopeError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        match self {
            // Another process's reservation is noticed within half a second.
            Self::NeverAllocated => true,
            Self::EntropyUnavailable | Self::ErasureIncomplete(_) | Self::NoResources => true,
            Self::KeyService(error) => error.is_retryable(),
            Self::StateStore(error) => error.is_retryable(),
            _ => false,
        }
    }

    pub(crate) const fn malformed(part: &'static str) -> Self {
        Self::Malformed(Malformed { part })
    }

    pub(crate) const fn incomplete(generations: Vec<u64>, leases: usize) -> Self {
        Self::ErasureIncomplete(Remaining { generations, leases })
    }

    pub(crate) const fn resurrected(generations: Vec<u64>) -> Self {
        Self::Resurrected(Remaining { generations, leases: 0 })
    }
}

/// Which part of an encoding could not be read. It never says what was found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    part: &'static str,
}

impl Malformed {
    /// The part, in the words of the format's specification.
    pub const fn part(&self) -> &'static str {
        self.part
    }
}

/// What outlived its destruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    generations: Vec<u64>,
    leases: usize,
}

impl Remaining {
    /// The generations of the state keys, ascending.
    pub fn generations(&self) -> &[u64] {
        &self.generations
    }

    /// How many leases on a former state are still live; each ends within 300 s.
    pub const fn leases(&self) -> usize {
        self.leases
    }
}

/// Why a key service gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyServiceError {
    /// Operator: what the service stores is damaged.
    #[error("stored keys are damaged")]
    Corrupt,
    /// Operator: the service refuses this process, or its storage is open to others.
    #[error("access is refused or too open")]
    Denied,
    /// Misuse: the request is larger than the service takes.
    #[error("request is malformed")]
    Malformed,
    /// Misuse: this service destroys only keys older than an organisation's newest one.
    #[error("the newest key cannot be destroyed at this service")]
    NewestKey,
    /// Final or operator: the key was destroyed, or was never created.
    #[error("no such key")]
    NoSuchKey,
    /// Wrong key, wrong context or changed bytes.
    #[error("wrapped key does not authenticate")]
    NotAuthentic,
    /// Environment: no answer, no space, a failing disk, or a lock held for too long.
    #[error("unavailable")]
    Unavailable,
}

impl KeyServiceError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

/// Why a state store gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateStoreError {
    /// Operator: the stored state is damaged; recover it from its second location.
    #[error("stored state is damaged")]
    Corrupt,
    /// Operator: the store refuses this process, or is open to others.
    #[error("access is refused or too open")]
    Denied,
    /// Misuse: this place has no locks and no leases; it may stand beside one that has, and not alone.
    #[error("place has no locks of its own")]
    NoLocks,
    /// Misuse: a state of a later generation is already stored.
    #[error("a later generation is already stored")]
    OlderGeneration,
    /// Environment: no answer, no space, a failing disk, or a lock held for too long.
    #[error("unavailable")]
    Unavailable,
}

impl StateStoreError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}
