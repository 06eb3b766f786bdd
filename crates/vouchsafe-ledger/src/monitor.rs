use std::fmt;

use vouchsafe_types::Digest;

use crate::merkle::{Frontier, consistency_proof, verify_consistency};
use crate::{
    Checkpoint, Cosignature, Finding, KeyChain, Leaf, LedgerError, Note, Policy, Report, SignedCheckpoint,
    TILE_WIDTH, TileReader, TileStore, Trust, VerifierKey, read_entries, read_handovers,
};

/// What a monitor keeps from one look to the next: the signed note of the last head that it found sound.
///
/// The text form is the note, verbatim; whoever has two of them that contradict has the proof of a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorState(String);

impl MonitorState {
    /// Reads the text form. It is verified each time it is used.
    ///
    /// # Errors
    /// [`LedgerError::NoteMalformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        Note::parse(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl From<&SignedCheckpoint> for MonitorState {
    fn from(signed: &SignedCheckpoint) -> Self {
        Self(signed.note().to_owned())
    }
}

impl fmt::Display for MonitorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a look at a log found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct MonitorReport {
    report: Report,
    signed: Option<SignedCheckpoint>,
    key: VerifierKey,
    cosignatures: Vec<Cosignature>,
    proof: Option<Vec<Digest>>,
}

impl MonitorReport {
    /// Whether every check passed.
    pub fn is_sound(&self) -> bool {
        self.report.is_sound()
    }

    /// The head, the new leaves and the checks that failed.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The newest checkpoint with its note, once it has verified.
    pub const fn signed(&self) -> Option<&SignedCheckpoint> {
        self.signed.as_ref()
    }

    /// The key that signs the log now, after every handover that holds.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Which witnesses of the policy cosigned the newest checkpoint.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// The proof that the newest checkpoint continues the last one, checked.
    pub fn consistency_proof(&self) -> Option<&[Digest]> {
        self.proof.as_deref()
    }

    /// What to keep for the next look; none when anything is wrong, so that the old one is kept.
    pub fn state(&self) -> Option<MonitorState> {
        self.signed.as_ref().filter(|_| self.is_sound()).map(MonitorState::from)
    }
}

/// Looks at a published log as an outsider who remembers the last look.
///
/// The newest checkpoint verifies under the trust's key, or the key that handovers lead to, and its policy's
/// quorum; it continues the last one, by a proof made from the tiles and checked; the new entries, and no others,
/// lead from the last root to the new one, and each is a leaf. What it costs depends on what is new.
///
/// # Errors
/// [`LedgerError::StoreUnavailable`], which is no verdict; [`LedgerError::OriginMismatch`] when the checkpoint that
/// the trust remembers is of another log.
pub fn monitor(
    store: &dyn TileStore,
    trust: &Trust<'_>,
    last: Option<&MonitorState>,
) -> Result<MonitorReport, LedgerError> {
    let mut report = Report::default();
    let chain = follow(store, trust, &mut report)?;
    let mut chained = Trust::chained(&chain);
    if let Some(policy) = trust.policy() {
        chained = chained.demanding(policy);
    }
    let last = last.and_then(|last| match chained.open(last.0.as_bytes()) {
        Ok(signed) => Some(signed.checkpoint().clone()),
        Err(error) => {
            report.add(Finding::StateRefused(error));
            None
        }
    });
    for remembered in [trust.remembered(), last.as_ref()].into_iter().flatten() {
        chained = chained.remembering(remembered);
    }
    let mut look = Look { store, report, proof: None };
    let signed = look.report.read_signed(store, &chained)?;
    if let Some(signed) = &signed {
        look.walk(signed.checkpoint(), last.as_ref())?;
        for handed_over in chain.handed_over().chain(trust.remembered()) {
            look.prove(handed_over, signed.checkpoint())?;
        }
    }
    let witnesses = trust.policy().map_or(&[][..], Policy::witnesses);
    let cosignatures = signed.as_ref().map_or(Ok(Vec::new()), |signed| signed.cosignatures(witnesses))?;
    let (report, proof, key) = (look.report, look.proof, chain.current().clone());
    Ok(MonitorReport { report, signed, key, cosignatures, proof })
}

/// Follows the published handovers; where one does not hold, the trusted key stays.
fn follow(store: &dyn TileStore, trust: &Trust<'_>, report: &mut Report) -> Result<KeyChain, LedgerError> {
    let followed = read_handovers(store).and_then(|handovers| {
        let (key, origin) = (trust.initial_key(), trust.origin());
        // A trust that begins later than the log does follows what comes after its key.
        let known = handovers.iter().position(|handover| handover.statement().old() == key);
        let rest = known.and_then(|first| handovers.get(first..)).unwrap_or_default();
        KeyChain::follow(key.clone(), origin, rest, trust.policy())
    });
    match followed {
        Ok(chain) => Ok(chain),
        Err(LedgerError::StoreUnavailable(kind)) => Err(LedgerError::StoreUnavailable(kind)),
        Err(error) => {
            report.add(Finding::HandoverRefused(error));
            Ok(KeyChain::new(trust.initial_key().clone(), trust.origin()))
        }
    }
}

struct Look<'a> {
    store: &'a dyn TileStore,
    report: Report,
    proof: Option<Vec<Digest>>,
}

impl Look<'_> {
    /// Checks that the head continues the last one, and recomputes its root from the new entries.
    fn walk(&mut self, head: &Checkpoint, last: Option<&Checkpoint>) -> Result<(), LedgerError> {
        let from = last.map_or(0, Checkpoint::size);
        if from > head.size() {
            return Ok(());
        }
        if let Some(last) = last {
            self.proof = self.prove(last, head)?;
        }
        let start = from - from % TILE_WIDTH;
        let edge = Frontier::read(&TileReader::new(self.store, head.size()), start);
        let Some(mut edge) = self.take(start, edge)? else { return Ok(()) };
        while edge.size() < head.size() {
            let bundle = read_entries(self.store, edge.size() / TILE_WIDTH, head.size());
            let width = (head.size() - edge.size()).min(TILE_WIDTH);
            let whole = bundle.and_then(|entries| match entries.len() as u64 == width {
                true => Ok(entries),
                false => Err(LedgerError::BundleMalformed),
            });
            let Some(entries) = self.take(edge.size(), whole)? else { return Ok(()) };
            for entry in entries {
                self.compare(&edge, last);
                if edge.size() >= from {
                    self.report.take_leaf();
                    if Leaf::from_bytes(&entry).is_err() {
                        self.report.add(Finding::LeafMalformed(edge.size()));
                    }
                }
                edge.push(&entry);
            }
        }
        self.compare(&edge, last);
        if edge.root() != *head.root() {
            self.report.add(Finding::RootDiffers);
        }
        Ok(())
    }

    /// Makes the consistency proof from the tiles, and checks it.
    fn prove(&mut self, old: &Checkpoint, new: &Checkpoint) -> Result<Option<Vec<Digest>>, LedgerError> {
        if old.size() > new.size() {
            self.report.add_once(Finding::RolledBack);
            return Ok(None);
        }
        let reader = TileReader::new(self.store, new.size());
        let proof = consistency_proof(&reader, old.size(), new.size()).and_then(|proof| {
            verify_consistency(old.size(), new.size(), old.root(), new.root(), &proof).map(|()| proof)
        });
        self.take(old.size(), proof)
    }

    fn compare(&mut self, edge: &Frontier, last: Option<&Checkpoint>) {
        if last.is_some_and(|last| last.size() == edge.size() && *last.root() != edge.root()) {
            self.report.add_once(Finding::Forked);
        }
    }

    /// Keeps what failed as a finding, unless the store could not answer.
    fn take<T>(&mut self, size: u64, result: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(LedgerError::StoreUnavailable(kind)) => Err(LedgerError::StoreUnavailable(kind)),
            Err(error) => {
                self.report.add(Finding::NotContinued(size, error));
                Ok(None)
            }
        }
    }
}
