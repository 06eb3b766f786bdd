//! The published side of an organisation's log: tiles and checkpoint as a projection of the entry rows.

use std::time::{Duration, Instant};

use vouchsafe_envelope::OrganisationState;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Checkpoint, Finding, LeafSource, LedgerError, Publisher, Report, SignedCheckpoint,
    TILE_WIDTH, TileStore, Trust, VerifierKey, prove_inclusion, published, read_entries, rebuild, verify_log,
};
use vouchsafe_store::{FolderTiles, Store, StoreError};
use vouchsafe_types::{OrganisationId, wipe_stack};

use crate::Error;
use crate::core::Core;

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

fn folder_name(state: &OrganisationState) -> String {
    hex(state.organisation_pseudonym())
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One organisation's log: its rows, its published files and the key that its checkpoints are signed with.
pub(crate) struct Log<'a> {
    rows: Rows<'a>,
    tiles: FolderTiles,
    /// The newest checkpoint once more, outside of what a restore replaces.
    outside: FolderTiles,
    key: VerifierKey,
    origin: String,
}

impl<'a> Log<'a> {
    pub(crate) fn open(core: &'a Core, organisation: &'a OrganisationId) -> Result<Self, Error> {
        let (folder, key, origin) = core.ring.with_state(organisation, |state| {
            Ok::<_, Error>((folder_name(state), core.signer(state)?.verifier().clone(), origin(state)))
        })??;
        let outside = FolderTiles::at(core.ports.checkpoints.join(&folder));
        let tiles = FolderTiles::at(core.ports.logs.join(folder));
        Ok(Self { rows: Rows { store: &*core.ports.store, organisation }, tiles, outside, key, origin })
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
        Ok(published(&self.tiles, &self.trust())?)
    }

    /// The newest checkpoint that is kept outside, if there is one.
    pub(crate) fn kept_outside(&self) -> Result<Option<SignedCheckpoint>, Error> {
        Ok(published(&self.outside, &self.trust())?)
    }

    /// Refuses a published log that is older than the checkpoint kept outside, or another one of the same size.
    pub(crate) fn check_outside(&self) -> Result<(), Error> {
        let Some(kept) = self.kept_outside()? else { return Ok(()) };
        let (kept, published) = (kept.checkpoint().clone(), self.published()?);
        let published = published.ok_or(Error::LogLost)?;
        let published = published.checkpoint();
        let older = published.size() < kept.size();
        let other = published.size() == kept.size() && published.root() != kept.root();
        if older || other { Err(Error::LogLost) } else { Ok(()) }
    }

    /// Brings a published log that is too old up to the checkpoint kept outside, where the rows give its root.
    pub(crate) fn adopt_outside(&self) -> Result<(), Error> {
        let _lease = self.lease()?;
        let kept = self.outside.read(CHECKPOINT_PATH)?.ok_or(Error::LogLost)?;
        let former = self.tiles.read(CHECKPOINT_PATH)?;
        self.tiles.write(CHECKPOINT_PATH, &kept)?;
        if rebuild(&self.rows, &self.tiles, &self.trust()).is_ok() {
            return Ok(());
        }
        if let Some(former) = former {
            self.tiles.write(CHECKPOINT_PATH, &former)?;
        }
        Err(Error::LogLost)
    }

    /// Whether the published log knows entries that the rows do not have, or have otherwise.
    ///
    /// Recomputes the root from the rows, once for each process and organisation. A damaged tile is not the rows'
    /// fault and does not count.
    pub(crate) fn is_behind(&self) -> Result<bool, Error> {
        self.check_outside()?;
        let Some(head) = self.published()? else { return Ok(false) };
        if self.rows.len()? < head.checkpoint().size() {
            return Ok(true);
        }
        Ok(self.verify(None)?.findings().contains(&Finding::RootDiffers))
    }

    /// Writes missing and damaged tiles again from the rows; gives how many. Never touches the checkpoint.
    pub(crate) fn rebuild(&self) -> Result<u64, Error> {
        let _lease = self.lease()?;
        Ok(rebuild(&self.rows, &self.tiles, &self.trust())?)
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
            let bundle = read_entries(&self.tiles, at / TILE_WIDTH, to)?;
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
        let report = verify_log(&joined, &self.tiles, &self.trust())?;
        if report.is_sound() { Ok(()) } else { Err(Error::Ledger(LedgerError::Forked)) }
    }

    /// Publishes every committed entry; waits a bounded time for the process that holds the lease.
    pub(crate) fn publish(
        &self,
        core: &Core,
        organisation: &OrganisationId,
    ) -> Result<SignedCheckpoint, Error> {
        let lease = self.lease()?;
        self.check_outside()?;
        let signer = core.ring.with_state(organisation, |state| core.signer(state))??;
        let mut publisher = core.take_publisher(organisation).unwrap_or_else(|| Publisher::new(&self.origin));
        let signed = publisher.publish(&signer, &self.rows, &self.tiles);
        drop(signer);
        wipe_stack();
        core.keep_publisher(organisation, publisher);
        let signed = signed?;
        if let Some(note) = self.tiles.read(CHECKPOINT_PATH)? {
            let _folder_is_made = self.outside.lease()?;
            self.outside.write(CHECKPOINT_PATH, &note)?;
        }
        drop(lease);
        Ok(signed)
    }

    fn lease(&self) -> Result<vouchsafe_store::Lease, Error> {
        let asked = Instant::now();
        loop {
            match self.tiles.lease() {
                Err(LedgerError::Leased) if asked.elapsed() < LEASE_WAIT => std::thread::sleep(LEASE_POLL),
                lease => return Ok(lease?),
            }
        }
    }

    /// The proof that an entry is in the log: C2SP tlog-proof text.
    pub(crate) fn prove(&self, entry: u64) -> Result<String, Error> {
        Ok(prove_inclusion(&self.tiles, entry, &self.trust())?.to_string())
    }

    pub(crate) fn verify(&self, remembered: Option<&Checkpoint>) -> Result<Report, Error> {
        let trust = self.trust();
        let trust = remembered.map_or(trust, |checkpoint| trust.remembering(checkpoint));
        Ok(verify_log(&self.rows, &self.tiles, &trust)?)
    }
}

/// The entry rows of one organisation as the ledger reads them.
pub(crate) struct Rows<'a> {
    store: &'a dyn Store,
    organisation: &'a OrganisationId,
}

impl LeafSource for Rows<'_> {
    fn len(&self) -> Result<u64, LedgerError> {
        vouchsafe_store::read(self.store, |rows| rows.entry_count(self.organisation)).map_err(unavailable)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        vouchsafe_store::read(self.store, |rows| rows.entries(self.organisation, from, limit))
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
