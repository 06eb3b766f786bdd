//! The published side of an organisation's log: tiles and checkpoint as a projection of the entry rows.

use std::time::{Duration, Instant};

use vouchsafe_envelope::OrganisationState;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Checkpoint, CheckpointLock, CosignReport, Finding, LeafSource, LedgerError, LogFiles,
    LogSigner, Publisher, PublisherLease, Report, SignedCheckpoint, TILE_WIDTH, TileStore, Trust,
    VerifierKey, Witness, cosign, prove_inclusion, published, read_entries, read_handovers, rebuild,
    verify_log, verify_tiles,
};
use vouchsafe_store::{Store, StoreError};
use vouchsafe_types::{OrganisationId, wipe_stack};

use crate::Error;
use crate::core::Core;
use crate::organisation::is_gate;

/// How long a process waits for the one that holds the publishing lease.
const LEASE_WAIT: Duration = Duration::from_secs(5);
const LEASE_POLL: Duration = Duration::from_millis(10);

/// The origin of an organisation's log: it names a pseudonym, not the organisation.
pub(crate) fn origin(state: &OrganisationState) -> String {
    origin_of(state.organisation_pseudonym())
}

pub(crate) fn origin_of(organisation: [u8; 16]) -> String {
    format!("vouchsafe/{}", hex(organisation))
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One organisation's log: its rows, its published files and the key that its checkpoints are signed with.
pub(crate) struct Log<'a> {
    rows: Rows<'a>,
    /// The published files, and the newest checkpoint once more, outside of what a restore replaces.
    files: Box<dyn LogFiles>,
    key: VerifierKey,
    origin: String,
}

impl<'a> Log<'a> {
    pub(crate) fn open(core: &'a Core, organisation: &'a OrganisationId) -> Result<Self, Error> {
        let named = core.ring.with_state(organisation, |state| {
            let signer = core.signer(state)?;
            Ok::<_, Error>((state.organisation_pseudonym(), signer.verifier().clone()))
        });
        let (pseudonym, key) = match named {
            // What was published can be read and proven while everything else waits for the recovery.
            Err(error) if is_gate(&error) => {
                let identity = core.ring.log_identity(organisation).map_err(|_| error)?;
                let signer = LogSigner::from_seed(&origin_of(identity.organisation), &identity.seed)?;
                (identity.organisation, signer.verifier().clone())
            }
            named => named??,
        };
        let (name, origin) = (hex(pseudonym), origin_of(pseudonym));
        let files = core.ports.logs.log(&name)?;
        Ok(Self { rows: Rows { store: &*core.ports.store, organisation }, files, key, origin })
    }

    pub(crate) const fn key(&self) -> &VerifierKey {
        &self.key
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    fn trust(&self) -> Trust<'_> {
        Trust::new(&self.key, &self.origin)
    }

    /// The published checkpoint, if there is one.
    pub(crate) fn published(&self) -> Result<Option<SignedCheckpoint>, Error> {
        Ok(published(self.tiles(), &self.trust())?)
    }

    /// The newest checkpoint that is kept outside, if there is one.
    pub(crate) fn kept_outside(&self) -> Result<Option<SignedCheckpoint>, Error> {
        Ok(self.outside().load()?.map(|note| self.trust().open(&note)).transpose()?)
    }

    /// Takes the published checkpoint for the one kept outside, where that is older: it was lost or restored itself.
    pub(crate) fn adopt_published(&self) -> Result<(), Error> {
        let _lease = self.lease()?;
        let (kept, published) = (self.outside().load()?, self.tiles().read(CHECKPOINT_PATH)?);
        let (Some(kept), Some(published)) = (kept, published) else { return Ok(()) };
        let (older, newer) = (self.trust().open(&kept)?, self.trust().open(&published)?);
        if older.checkpoint().size() >= newer.checkpoint().size() {
            return Ok(());
        }
        // The published entries have to lead from the one to the other; the rows may be older than both.
        let trust = self.trust().remembering(older.checkpoint());
        if !verify_tiles(self.tiles(), &trust)?.is_sound() {
            return Err(Error::Ledger(LedgerError::Forked));
        }
        Ok(self.outside().swap(Some(&kept), &published)?)
    }

    /// Whether somebody signed entries that the rows do not have, or have otherwise.
    ///
    /// Recomputes the root from the rows, once for each process and organisation. A damaged tile is not the rows'
    /// fault and does not count. A publication that was cut short is finished.
    ///
    /// # Errors
    /// [`Error::LogLost`] when the published files lack what the checkpoint kept outside covers, and the rows too.
    pub(crate) fn is_behind(&self, core: &Core) -> Result<bool, Error> {
        let (kept, published) = (self.kept_outside()?, self.published()?);
        let size = |head: &Option<SignedCheckpoint>| head.as_ref().map_or(0, |head| head.checkpoint().size());
        let rows = self.rows.len()?;
        if size(&kept) > size(&published) {
            return match self.publish(core) {
                Err(Error::Ledger(LedgerError::RolledBack | LedgerError::Forked)) => Err(Error::LogLost),
                finished => finished.map(|_| false),
            };
        }
        if published.is_none() {
            return Ok(false);
        }
        if rows < size(&published) {
            return Ok(true);
        }
        let report = self.verify(kept.as_ref().map(SignedCheckpoint::checkpoint))?;
        Ok(report.findings().iter().any(|finding| matches!(finding, Finding::RootDiffers | Finding::Forked)))
    }

    /// Writes missing and damaged tiles again from the rows; gives how many. Never touches the checkpoint.
    pub(crate) fn rebuild(&self) -> Result<u64, Error> {
        let _lease = self.lease()?;
        Ok(rebuild(&self.rows, self.files.repairs(), &self.trust())?)
    }

    pub(crate) const fn rows(&self) -> &Rows<'a> {
        &self.rows
    }

    /// Entries `from..to` as the published bundles hold them.
    pub(crate) fn published_entries(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, Error> {
        let mut entries = Vec::new();
        while let at = from + entries.len() as u64
            && at < to
        {
            let bundle = read_entries(self.tiles(), at / TILE_WIDTH, to)?;
            let skip = usize::try_from(at % TILE_WIDTH).unwrap_or(usize::MAX);
            let before = entries.len();
            entries.extend(bundle.into_iter().skip(skip));
            if entries.len() == before {
                return Err(Error::Ledger(LedgerError::TileCorrupt));
            }
        }
        Ok(entries)
    }

    /// Checks that the rows followed by these entries are the published log.
    pub(crate) fn check_continuation(&self, missing: &[Vec<u8>]) -> Result<(), Error> {
        let joined = Joined { rows: &self.rows, more: missing };
        let report = verify_log(&joined, self.tiles(), &self.trust())?;
        if report.is_sound() { Ok(()) } else { Err(Error::Ledger(LedgerError::Forked)) }
    }

    /// Publishes every committed entry; waits a bounded time for the process that holds the lease.
    pub(crate) fn publish(&self, core: &Core) -> Result<SignedCheckpoint, Error> {
        let _lease = self.lease()?;
        self.publish_leased(core)
    }

    /// As [`Self::publish`], for the holder of the lease.
    pub(crate) fn publish_leased(&self, core: &Core) -> Result<SignedCheckpoint, Error> {
        let organisation = self.rows.organisation;
        let mut signers = core.ring.with_state(organisation, |state| signers(core, state))??;
        if self.is_handed_over(&signers)? {
            // Another process rotated the key a moment ago; what is cached here is the former one.
            core.ring.wipe_one(organisation);
            signers = core.ring.with_state(organisation, |state| self::signers(core, state))??;
        }
        let mut publisher = core.take_publisher(organisation).unwrap_or_else(|| Publisher::new(&self.origin));
        let signers: Vec<&LogSigner> = signers.iter().collect();
        let signed = publisher.publish(&signers, &self.rows, self.tiles(), self.outside());
        drop(signers);
        wipe_stack();
        core.keep_publisher(organisation, publisher);
        Ok(signed?)
    }

    /// Whether the published handovers lead to another key than the first signer's.
    fn is_handed_over(&self, signers: &[LogSigner]) -> Result<bool, Error> {
        let current = signers.first().map(LogSigner::verifier);
        let handovers = read_handovers(self.tiles())?;
        let newest = handovers.last().map(|handover| handover.statement().new_key());
        // While a handover is being made, the key that it leads to signs second.
        let next = signers.get(1).map(LogSigner::verifier);
        Ok(newest.is_some() && newest != current && newest != next)
    }

    /// Publishes, and asks the witnesses to cosign; gives what each of them answered.
    pub(crate) fn cosign(&self, core: &Core) -> Result<CosignReport, Error> {
        let _lease = self.lease()?;
        self.cosign_leased(core)
    }

    /// As [`Self::cosign`], for the holder of the lease.
    pub(crate) fn cosign_leased(&self, core: &Core) -> Result<CosignReport, Error> {
        self.publish_leased(core)?;
        let witnesses: Vec<&dyn Witness> = core.ports.witnesses.iter().map(|witness| &**witness).collect();
        let mut sizes = core.take_cosigned(self.rows.organisation);
        let report = cosign(self.tiles(), self.outside(), &self.trust(), &witnesses, &mut sizes);
        core.keep_cosigned(self.rows.organisation, sizes);
        Ok(report?)
    }

    /// The published files, for what is published beside the tiles.
    pub(crate) fn tiles(&self) -> &dyn TileStore {
        self.files.tiles()
    }

    fn outside(&self) -> &dyn CheckpointLock {
        self.files.outside()
    }

    pub(crate) fn lease(&self) -> Result<Box<dyn PublisherLease>, Error> {
        let asked = Instant::now();
        loop {
            match self.files.lease() {
                Err(LedgerError::Leased) if asked.elapsed() < LEASE_WAIT => std::thread::sleep(LEASE_POLL),
                lease => return Ok(lease?),
            }
        }
    }

    /// Who signs what is given out of the log, also while the gate is closed.
    pub(crate) fn signer(&self, core: &Core) -> Result<LogSigner, Error> {
        let identity = core.ring.log_identity(self.rows.organisation)?;
        Ok(LogSigner::from_seed(&self.origin, &identity.seed)?)
    }

    /// Whether somebody holds the publishing lease.
    pub(crate) fn is_leased(&self) -> Result<bool, Error> {
        match self.files.lease() {
            Err(LedgerError::Leased) => Ok(true),
            free => Ok(free.map(|_| false)?),
        }
    }

    /// The proof that an entry is in the log: C2SP tlog-proof text.
    pub(crate) fn prove(&self, entry: u64) -> Result<String, Error> {
        Ok(prove_inclusion(self.tiles(), entry, &self.trust())?.to_string())
    }

    /// Recomputes the log, which must also continue the checkpoint kept outside; nobody publishes meanwhile.
    pub(crate) fn verify_kept(&self) -> Result<Report, Error> {
        // Without the lease, as on a medium that cannot be written, the two could be read around a publication.
        let lease = self.lease().ok();
        let Some(kept) = lease.as_ref().map(|_| self.kept_outside()).transpose()?.flatten() else {
            return self.verify(None);
        };
        // A newer one that rows and tiles lead to was about to be published: nothing is lost, and nobody signed another.
        let outside = Outside { tiles: self.tiles(), note: kept.note().as_bytes() };
        if self.lags(&kept)? && verify_log(&self.rows, &outside, &self.trust())?.is_sound() {
            return self.verify(None);
        }
        self.verify(Some(kept.checkpoint()))
    }

    /// The checkpoint kept outside, when it is newer than the published one.
    pub(crate) fn newer_outside(&self) -> Result<Option<Checkpoint>, Error> {
        let Some(kept) = self.kept_outside()? else { return Ok(None) };
        Ok(self.lags(&kept)?.then(|| kept.checkpoint().clone()))
    }

    fn lags(&self, kept: &SignedCheckpoint) -> Result<bool, Error> {
        let published = self.published()?;
        Ok(published.is_none_or(|published| published.checkpoint().size() < kept.checkpoint().size()))
    }

    pub(crate) fn verify(&self, remembered: Option<&Checkpoint>) -> Result<Report, Error> {
        let trust = self.trust();
        let trust = remembered.map_or(trust, |checkpoint| trust.remembering(checkpoint));
        Ok(verify_log(&self.rows, self.tiles(), &trust)?)
    }
}

/// Who signs checkpoints: the log's key, and the one that it is being handed over to.
fn signers(core: &Core, state: &OrganisationState) -> Result<Vec<LogSigner>, Error> {
    let mut signers = vec![core.signer(state)?];
    if let Some(next) = state.next_log_seed() {
        signers.push(LogSigner::from_seed(&origin(state), &next)?);
    }
    Ok(signers)
}

/// The published files as they would be with the checkpoint kept outside.
struct Outside<'a> {
    tiles: &'a dyn TileStore,
    note: &'a [u8],
}

impl TileStore for Outside<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        if path == CHECKPOINT_PATH { Ok(Some(self.note.to_vec())) } else { self.tiles.read(path) }
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        Err(LedgerError::PathMalformed)
    }
}

/// The entry rows of one organisation as the ledger reads them.
pub(crate) struct Rows<'a> {
    store: &'a dyn Store,
    organisation: &'a OrganisationId,
}

impl LeafSource for Rows<'_> {
    fn len(&self) -> Result<u64, LedgerError> {
        vouchsafe_store::read(self.store, self.organisation, |rows| rows.entry_count(self.organisation))
            .map_err(unavailable)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        vouchsafe_store::read(self.store, self.organisation, |rows| {
            rows.entries(self.organisation, from, limit)
        })
        .map_err(unavailable)
    }
}

/// Rows, and entries that come after them.
struct Joined<'a> {
    rows: &'a Rows<'a>,
    more: &'a [Vec<u8>],
}

impl LeafSource for Joined<'_> {
    fn len(&self) -> Result<u64, LedgerError> {
        Ok(self.rows.len()? + self.more.len() as u64)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        let have = self.rows.len()?;
        let mut leaves = if from < have { self.rows.leaves(from, limit)? } else { Vec::new() };
        let skip = usize::try_from((from + leaves.len() as u64).saturating_sub(have)).unwrap_or(usize::MAX);
        let more = self.more.iter().skip(skip).take(limit - leaves.len().min(limit));
        leaves.extend(more.cloned());
        Ok(leaves)
    }
}

fn unavailable(_: StoreError) -> LedgerError {
    LedgerError::SourceUnavailable
}
