//! Random records with their keys and contexts, and how they are told to the other side.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use vouchsafe_envelope::{Context, EnvelopeError, record, test_util};
use vouchsafe_types::{
    DataClass, Digest, Entropy, EntropyUnavailable, LeafIndex, Modality, OrganisationId, Purpose, RecordId,
    Role, Scope, Secret,
};

/// SHA-256 of a seed and a counter: the same bytes in every run.
#[derive(Debug)]
pub(crate) struct Stream {
    seed: &'static str,
    next: AtomicU64,
}

impl Entropy for Stream {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        for chunk in buffer.chunks_mut(32) {
            let number = self.next.fetch_add(1, Relaxed).to_be_bytes();
            let block = digest(&SHA256, &[self.seed.as_bytes(), &number].concat());
            chunk.iter_mut().zip(block.as_ref()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

impl Stream {
    pub(crate) const fn new(seed: &'static str) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    pub(crate) fn array<const N: usize>(&self) -> [u8; N] {
        let mut array = [0; N];
        self.fill(&mut array).unwrap();
        array
    }

    pub(crate) fn number(&self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    /// From 0 to `below` - 1.
    fn below(&self, below: usize) -> usize {
        usize::try_from(self.number() % below as u64).unwrap()
    }

    fn coin(&self) -> bool {
        self.number().is_multiple_of(2)
    }
}

/// One record, its key and its context.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) key: [u8; 32],
    pub(crate) context: Context,
    pub(crate) plaintext: Vec<u8>,
}

impl Case {
    /// A plaintext of this length, or of some length below 4 KiB.
    pub(crate) fn random(stream: &Stream, len: Option<usize>) -> Self {
        let mut plaintext = vec![0; len.unwrap_or_else(|| stream.below(4096))];
        stream.fill(&mut plaintext).unwrap();
        Self { key: stream.array(), context: random_context(stream), plaintext }
    }

    /// The example of the specification.
    pub(crate) fn of_the_page() -> Self {
        let context = Context {
            organisation: OrganisationId::parse("acme").unwrap(),
            leaf: LeafIndex::new(0x0100_0000_0007).unwrap(),
            class: DataClass::Biometric,
            scope: Some(Scope::FACE_VERIFICATION),
            record: RecordId::from_bytes(*b"0123456789abcdef"),
            model: Some(Digest::from_bytes([0x11; 32])),
            dimension: Some(512),
            key_version: 1,
        };
        Self { key: [1; 32], context, plaintext: b"example".to_vec() }
    }

    pub(crate) fn seal(&self, entropy: &dyn Entropy) -> Vec<u8> {
        let key = test_util::record_key(Secret::copy_from_slice(&self.key).unwrap());
        record::seal(&key, &self.context, &self.plaintext, entropy).unwrap()
    }

    /// The plaintext, or the word for the refusal.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, &'static str> {
        let key = test_util::record_key(Secret::copy_from_slice(&self.key).unwrap());
        match record::open(&key, &self.context, sealed) {
            Ok(plaintext) => Ok(plaintext.expose_secret().to_vec()),
            Err(EnvelopeError::Malformed(_)) => Err("malformed"),
            Err(EnvelopeError::NotAuthentic) => Err("not authentic"),
            Err(_) => Err("another error"),
        }
    }

    /// What `record.py` is asked, with the bytes that the question is about.
    pub(crate) fn request(&self, what: &str, name: &str, bytes: &[u8]) -> Value {
        json!({ "do": what, "key": hex(&self.key), "context": told(&self.context), name: hex(bytes) })
    }
}

fn random_context(stream: &Stream) -> Context {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| char::from(letters[stream.below(letters.len())]);
    let name: String = (0..=stream.below(64)).map(letter).collect();
    Context {
        organisation: OrganisationId::parse(&name).unwrap(),
        leaf: LeafIndex::new(stream.number() >> 16).unwrap(),
        class: DataClass::ALL[stream.below(DataClass::ALL.len())],
        scope: stream.coin().then(|| random_scope(stream)),
        record: RecordId::from_bytes(stream.array()),
        model: stream.coin().then(|| Digest::from_bytes(stream.array())),
        dimension: stream.coin().then(|| u16::from_be_bytes(stream.array())),
        key_version: u32::from_be_bytes(stream.array()),
    }
}

/// Draws codes until they are those of a scope.
fn random_scope(stream: &Stream) -> Scope {
    loop {
        let [modality, role, purpose] = stream.array();
        if let Ok(scope) = Scope::from_code([modality % 3, role % 3, purpose % 7]) {
            return scope;
        }
    }
}

fn told(context: &Context) -> Value {
    json!({
        "organisation": context.organisation.as_str(),
        "leaf": context.leaf.get(),
        "class": context.class.name(),
        "scope": context.scope.map(words),
        "record": hex(context.record.as_bytes()),
        "model": context.model.map(|model| hex(model.as_bytes())),
        "dimension": context.dimension,
        "key_version": context.key_version,
    })
}

/// The words of the specification's table of codes.
fn words(scope: Scope) -> [&'static str; 3] {
    let modality = match scope.modality() {
        None => "none",
        Some(Modality::Face) => "face",
        Some(Modality::Voice) => "voice",
        Some(_) => "a modality that the specification lacks",
    };
    let role = match scope.role() {
        Role::Administrator => "administrator",
        Role::EndUser => "end user",
        _ => "a role that the specification lacks",
    };
    let purpose = match scope.purpose() {
        Purpose::Audit => "audit",
        Purpose::Communication => "communication",
        Purpose::FraudPrevention => "fraud prevention",
        Purpose::PresenceToken => "presence token",
        Purpose::ServiceSecurity => "service security",
        Purpose::Verification => "verification",
    };
    [modality, role, purpose]
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
