use std::fmt;

use crate::builder::{Builder, Sink};
use crate::tiles::split_entries;
use crate::{
    CHECKPOINT_PATH, Checkpoint, Leaf, LeafSource, LedgerError, SignedCheckpoint, TILE_WIDTH, TilePath,
    TileStore, Trust,
};

/// One check that failed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// An entry bundle does not divide into as many entries as the checkpoint requires.
    BundleMalformed(TilePath),
    /// No checkpoint is published.
    CheckpointMissing,
    /// The checkpoint does not parse, is not signed by the log's key, or is of another log.
    CheckpointRefused(LedgerError),
    /// The log has another history than the remembered checkpoint.
    Forked,
    /// A published handover of the log's key does not hold.
    HandoverRefused(LedgerError),
    /// The leaf with this index has another version, length or kind than the format knows.
    LeafMalformed(u64),
    /// The published files do not show how the log goes on from this size.
    NotContinued(u64, LedgerError),
    /// The log is shorter than the remembered checkpoint.
    RolledBack,
    /// The leaves give another root than the signed one.
    RootDiffers,
    /// There are this many rows, fewer than were signed.
    RowsMissing(u64),
    /// What a monitor kept does not verify.
    StateRefused(LedgerError),
    /// A tile or bundle differs from what the leaves give.
    TileDiffers(TilePath),
    /// A tile or bundle that the checkpoint requires is missing.
    TileMissing(TilePath),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BundleMalformed(path) => write!(f, "{path} is malformed"),
            Self::CheckpointMissing => f.write_str("no checkpoint is published"),
            Self::CheckpointRefused(error) => write!(f, "checkpoint is refused: {error}"),
            Self::Forked => f.write_str("log contradicts the remembered checkpoint"),
            Self::HandoverRefused(error) => write!(f, "key handover is refused: {error}"),
            Self::LeafMalformed(index) => write!(f, "leaf {index} is malformed"),
            Self::NotContinued(size, error) => {
                write!(f, "files do not show how the log goes on from size {size}: {error}")
            }
            Self::RolledBack => f.write_str("log is shorter than the remembered checkpoint"),
            Self::RootDiffers => f.write_str("leaves give another root than the signed one"),
            Self::RowsMissing(rows) => write!(f, "only {rows} rows are left of those signed"),
            Self::StateRefused(error) => write!(f, "state of the monitor is refused: {error}"),
            Self::TileDiffers(path) => write!(f, "{path} differs from what the leaves give"),
            Self::TileMissing(path) => write!(f, "{path} is missing"),
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Report {
    checkpoint: Option<Checkpoint>,
    leaves: u64,
    findings: Vec<Finding>,
    omitted: u64,
}

impl Report {
    /// The most findings that are kept; the rest is counted.
    pub const MAX_FINDINGS: usize = 1000;

    /// Whether every check passed.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.checkpoint.is_some()
    }

    /// The signed head, once its signature has verified.
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// How many leaves were hashed.
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The checks that failed, in the order they were made.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings there were beyond [`Self::MAX_FINDINGS`].
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    pub(crate) fn take_leaf(&mut self) {
        self.leaves += 1;
    }

    pub(crate) fn add_once(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.add(finding);
        }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        if self.findings.len() < Self::MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    /// Reads the head, as far as it can be believed.
    fn read_head(
        &mut self,
        store: &dyn TileStore,
        trust: &Trust<'_>,
    ) -> Result<Option<Checkpoint>, LedgerError> {
        Ok(self.read_signed(store, trust)?.map(|signed| signed.checkpoint().clone()))
    }

    /// Reads the head with its note, as far as it can be believed.
    pub(crate) fn read_signed(
        &mut self,
        store: &dyn TileStore,
        trust: &Trust<'_>,
    ) -> Result<Option<SignedCheckpoint>, LedgerError> {
        let Some(note) = store.read(CHECKPOINT_PATH)? else {
            self.add(Finding::CheckpointMissing);
            return Ok(None);
        };
        let opened = trust.open(&note);
        match &opened {
            Ok(signed) => self.checkpoint = Some(signed.checkpoint().clone()),
            Err(error) => self.add(Finding::CheckpointRefused(*error)),
        }
        match trust.check_not_older(self.checkpoint.as_ref()) {
            Err(LedgerError::RolledBack) if self.checkpoint.is_some() => self.add(Finding::RolledBack),
            Err(LedgerError::Forked) => self.add(Finding::Forked),
            Err(LedgerError::OriginMismatch) => return Err(LedgerError::OriginMismatch),
            _ => {}
        }
        Ok(opened.ok())
    }
}

/// Recomputes the whole log from its rows: the root is the signed one, every tile and bundle is what the rows
/// give, every leaf decodes, and the log continues the remembered checkpoint.
///
/// Rows beyond the checkpoint are not published yet, and are not looked at.
///
/// # Errors
/// [`LedgerError::SourceUnavailable`] or [`LedgerError::StoreUnavailable`], which are no verdict;
/// [`LedgerError::OriginMismatch`] when the remembered checkpoint is of another log.
pub fn verify_log(
    source: &dyn LeafSource,
    store: &dyn TileStore,
    trust: &Trust<'_>,
) -> Result<Report, LedgerError> {
    let mut walk = Walk { store, trust, report: Report::default(), builder: Builder::default() };
    let Some(head) = walk.report.read_head(store, trust)? else { return Ok(walk.report) };
    let rows = source.len()?;
    if rows < head.size() {
        walk.report.add(Finding::RowsMissing(rows));
    }
    let end = rows.min(head.size());
    while walk.builder.size() < end {
        let wanted = usize::try_from(end - walk.builder.size()).unwrap_or(BATCH).min(BATCH);
        let rows = source.leaves(walk.builder.size(), wanted)?;
        if rows.is_empty() {
            return Err(LedgerError::SourceUnavailable);
        }
        for row in rows.iter().take(wanted) {
            if !walk.step(row)? {
                return Ok(walk.report);
            }
        }
    }
    walk.end(&head)
}

/// Recomputes the whole log from its published files, for an outsider who has nothing else: as [`verify_log`],
/// with the entry bundles in the place of the rows.
///
/// # Errors
/// [`LedgerError::StoreUnavailable`], which is no verdict; [`LedgerError::OriginMismatch`] when the remembered
/// checkpoint is of another log.
pub fn verify_tiles(store: &dyn TileStore, trust: &Trust<'_>) -> Result<Report, LedgerError> {
    let mut walk = Walk { store, trust, report: Report::default(), builder: Builder::default() };
    let Some(head) = walk.report.read_head(store, trust)? else { return Ok(walk.report) };
    while walk.builder.size() < head.size() {
        let start = walk.builder.size();
        let width = (head.size() - start).min(TILE_WIDTH);
        let path = TilePath::entries(start / TILE_WIDTH, width)?;
        let Some(bundle) = store.read(&path.to_string())? else {
            walk.report.add(Finding::TileMissing(path));
            return Ok(walk.report);
        };
        let entries = split_entries(&bundle).unwrap_or_default();
        if entries.len() as u64 != width {
            walk.report.add(Finding::BundleMalformed(path));
            return Ok(walk.report);
        }
        for entry in entries {
            walk.step(entry)?;
        }
    }
    walk.end(&head)
}

struct Walk<'a> {
    store: &'a dyn TileStore,
    trust: &'a Trust<'a>,
    report: Report,
    builder: Builder,
}

impl Walk<'_> {
    /// Checks one leaf; `false` when it is too long to have ever been in the log.
    fn step(&mut self, leaf: &[u8]) -> Result<bool, LedgerError> {
        self.compare_remembered();
        if Leaf::from_bytes(leaf).is_err() {
            self.report.add(Finding::LeafMalformed(self.builder.size()));
        }
        if leaf.len() > usize::from(u16::MAX) {
            return Ok(false);
        }
        let (store, report) = (self.store, &mut self.report);
        self.builder.push(leaf, &mut |path, bytes| compare(store, report, path, bytes))?;
        Ok(true)
    }

    fn end(mut self, head: &Checkpoint) -> Result<Report, LedgerError> {
        self.report.leaves = self.builder.size();
        if self.builder.size() == head.size() {
            self.compare_remembered();
            let (store, report) = (self.store, &mut self.report);
            let sink: &mut Sink<'_> = &mut |path, bytes| compare(store, report, path, bytes);
            self.builder.finish(sink)?;
            if self.builder.root() != *head.root() {
                self.report.add(Finding::RootDiffers);
            }
        }
        Ok(self.report)
    }

    fn compare_remembered(&mut self) {
        let Some(remembered) = self.trust.remembered() else { return };
        let here = remembered.size() == self.builder.size();
        let said = self.report.findings.contains(&Finding::Forked);
        if here && !said && *remembered.root() != self.builder.root() {
            self.report.add(Finding::Forked);
        }
    }
}

fn compare(
    store: &dyn TileStore,
    report: &mut Report,
    path: &TilePath,
    bytes: &[u8],
) -> Result<(), LedgerError> {
    match store.read(&path.to_string())? {
        None => report.add(Finding::TileMissing(*path)),
        Some(stored) if stored != bytes => report.add(Finding::TileDiffers(*path)),
        Some(_) => {}
    }
    Ok(())
}

/// Rows read at once.
const BATCH: usize = 1024;
