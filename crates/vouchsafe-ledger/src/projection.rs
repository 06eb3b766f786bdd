use crate::builder::{Builder, Sink};
use crate::heads::Heads;
use crate::merkle::leaf_hash;
use crate::{
    CHECKPOINT_PATH, Checkpoint, CheckpointLock, LeafSource, LedgerError, LogSigner, SignedCheckpoint,
    TileStore, Trust, published,
};

/// Publishes the committed leaves: the tiles and bundles that changed, then the swap of the lock, then the signed
/// checkpoint.
///
/// Before anything is written, every row that the newest checkpoint covers is read again and must give its root.
/// That is one pass over the log; [`Publisher`] does it once and then goes on from what it knows. A publication
/// that was cut short between the swap and the file is finished first, with the note as it was signed. An empty
/// lock takes over the published checkpoint. During a handover of the log's key there are two signers, the current
/// one first, and both sign.
///
/// # Errors
/// Nothing is written with [`LedgerError::RolledBack`], when there are fewer rows than were signed;
/// [`LedgerError::Forked`], when the rows, or lock and file, give another root than was signed; or when a
/// checkpoint does not verify. [`LedgerError::CheckpointMoved`], when the lock is older than the file or another
/// writer was faster; [`LedgerError::SourceUnavailable`], [`LedgerError::StoreUnavailable`] and
/// [`LedgerError::LockUnavailable`] may leave tiles that no checkpoint covers yet; publishing again completes them.
pub fn publish(
    source: &dyn LeafSource,
    store: &dyn TileStore,
    lock: &dyn CheckpointLock,
    signers: &[&LogSigner],
    origin: &str,
) -> Result<SignedCheckpoint, LedgerError> {
    Projection { source, store, lock, signers, origin }.run(None, None).map(|(_, signed)| signed)
}

/// Publishes one log again and again, about once a second, at a cost that depends on the new leaves only.
///
/// It keeps no key: the signers are lent for each call. It remembers the last checkpoint it published or was given,
/// so a store or a database that is restored under its feet is noticed. One publisher a log: hold the adapter's
/// lease.
#[derive(Debug)]
pub struct Publisher {
    origin: String,
    remembered: Option<Checkpoint>,
    edge: Option<Builder>,
}

impl Publisher {
    /// A publisher of the log with this origin.
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), remembered: None, edge: None }
    }

    /// Demands that the log continues this checkpoint, which comes from outside the restored domain.
    #[must_use]
    pub fn remembering(self, checkpoint: Checkpoint) -> Self {
        Self { remembered: Some(checkpoint), ..self }
    }

    /// The newest checkpoint that this publisher knows.
    pub const fn remembered(&self) -> Option<&Checkpoint> {
        self.remembered.as_ref()
    }

    /// Publishes the committed leaves, as [`publish`](fn@publish).
    ///
    /// The first call, and each after a failure, reads the whole log; the others read what is new and the row
    /// before it, which a restored snapshot that grew again would not share.
    ///
    /// # Errors
    /// As [`publish`](fn@publish), and [`LedgerError::RolledBack`] or [`LedgerError::Forked`] when the newest
    /// checkpoint does not continue the remembered one.
    pub fn publish(
        &mut self,
        signers: &[&LogSigner],
        source: &dyn LeafSource,
        store: &dyn TileStore,
        lock: &dyn CheckpointLock,
    ) -> Result<SignedCheckpoint, LedgerError> {
        let projection = Projection { source, store, lock, signers, origin: &self.origin };
        let (edge, signed) = projection.run(self.edge.take(), self.remembered.as_ref())?;
        self.remembered = Some(signed.checkpoint().clone());
        self.edge = Some(edge);
        Ok(signed)
    }
}

/// Writes again, byte for byte, every tile and bundle that is missing or differs from what the rows give.
///
/// Returns: how many files were written. The signed checkpoint is never touched.
///
/// # Errors
/// Nothing is written with [`LedgerError::CheckpointMissing`], [`LedgerError::RolledBack`],
/// [`LedgerError::Forked`], or when the checkpoint does not verify; [`LedgerError::SourceUnavailable`],
/// [`LedgerError::StoreUnavailable`].
pub fn rebuild(
    source: &dyn LeafSource,
    store: &dyn TileStore,
    trust: &Trust<'_>,
) -> Result<u64, LedgerError> {
    let head = published(store, trust)?.ok_or(LedgerError::CheckpointMissing)?;
    let head = head.checkpoint();
    replay(source, head.size(), &[Some(head), trust.remembered()])?;
    let mut written = 0;
    let sink: &mut Sink<'_> = &mut |path, bytes| {
        let path = path.to_string();
        if store.read(&path)?.as_deref() != Some(bytes) {
            store.write(&path, bytes)?;
            written += 1;
        }
        Ok(())
    };
    let mut builder = Builder::default();
    builder.take_rows(source, head.size(), sink, &mut |_| Ok(()))?;
    builder.finish(sink)?;
    Ok(written)
}

/// One publication of one log.
#[derive(Clone, Copy)]
struct Projection<'a> {
    source: &'a dyn LeafSource,
    store: &'a dyn TileStore,
    lock: &'a dyn CheckpointLock,
    signers: &'a [&'a LogSigner],
    origin: &'a str,
}

impl Projection<'_> {
    fn run(
        self,
        edge: Option<Builder>,
        remembered: Option<&Checkpoint>,
    ) -> Result<(Builder, SignedCheckpoint), LedgerError> {
        let heads = Heads::read(self.store, self.lock, self.signers, self.origin)?;
        heads.check_order(remembered, self.origin)?;
        let newest = heads.newest().map(SignedCheckpoint::checkpoint);
        let builder = match edge {
            Some(edge) if heads.agree() && continues(&edge, newest, self.source)? => edge,
            _ => {
                let marks = [newest, heads.published().map(SignedCheckpoint::checkpoint), remembered];
                let builder = replay(self.source, newest.map_or(0, Checkpoint::size), &marks)?;
                self.settle(&heads)?;
                builder
            }
        };
        self.extend(builder, heads.into_newest())
    }

    /// Brings lock and file to the newest note, once the rows are known to give its root.
    fn settle(self, heads: &Heads) -> Result<(), LedgerError> {
        match (heads.published(), heads.locked()) {
            (Some(published), None) => self.lock.swap(None, published.note().as_bytes()),
            (published, Some(locked)) if !heads.agree() => {
                let mut builder = Builder::default();
                let start = published.map_or(0, |published| published.checkpoint().size());
                builder.take_rows(self.source, start, &mut |_, _| Ok(()), &mut |_| Ok(()))?;
                self.write_tiles(&mut builder, locked.checkpoint().size())?;
                if builder.root() != *locked.checkpoint().root() {
                    return Err(LedgerError::Forked);
                }
                self.store.write(CHECKPOINT_PATH, locked.note().as_bytes())
            }
            _ => Ok(()),
        }
    }

    /// Takes the new rows, writes what they change, and the checkpoint last.
    fn extend(
        self,
        mut builder: Builder,
        head: Option<SignedCheckpoint>,
    ) -> Result<(Builder, SignedCheckpoint), LedgerError> {
        let size = self.source.len()?;
        let expected = match head {
            Some(head) if head.checkpoint().size() == size => return Ok((builder, head)),
            Some(head) if head.checkpoint().size() > size => return Err(LedgerError::RolledBack),
            head => head,
        };
        self.write_tiles(&mut builder, size)?;
        let checkpoint = Checkpoint::new(self.origin, size, builder.root())?;
        let signed = SignedCheckpoint::sign(checkpoint, self.signers)?;
        let note = signed.note().as_bytes();
        // INVARIANT (tiles first): whoever sees a checkpoint, here or in the lock, finds every tile it needs.
        // INVARIANT (lock before file): no note is read from the file that the lock does not know.
        self.lock.swap(expected.as_ref().map(|head| head.note().as_bytes()), note)?;
        self.store.write(CHECKPOINT_PATH, note)?;
        Ok((builder, signed))
    }

    fn write_tiles(self, builder: &mut Builder, size: u64) -> Result<(), LedgerError> {
        let sink: &mut Sink<'_> = &mut |path, bytes| self.store.write(&path.to_string(), bytes);
        builder.take_rows(self.source, size, sink, &mut |_| Ok(()))?;
        builder.finish(sink)
    }
}

/// Whether the edge is that of the newest head and of the rows.
fn continues(
    edge: &Builder,
    head: Option<&Checkpoint>,
    source: &dyn LeafSource,
) -> Result<bool, LedgerError> {
    let same_head = head.is_some_and(|head| head.size() == edge.size() && *head.root() == edge.root());
    if !same_head || source.len()? < edge.size() {
        return Ok(false);
    }
    let Some(last) = edge.last_leaf() else { return Ok(true) };
    let row = source.leaves(edge.size() - 1, 1)?;
    Ok(row.first().is_some_and(|row| leaf_hash(row) == *last))
}

/// Reads the first `size` rows, and checks that they give the root of each mark on the way.
fn replay(source: &dyn LeafSource, size: u64, marks: &[Option<&Checkpoint>]) -> Result<Builder, LedgerError> {
    if source.len()? < size {
        return Err(LedgerError::RolledBack);
    }
    let mut builder = Builder::default();
    let check = &mut |builder: &Builder| {
        let differs = |head: &&Checkpoint| head.size() == builder.size() && *head.root() != builder.root();
        if marks.iter().flatten().any(differs) { Err(LedgerError::Forked) } else { Ok(()) }
    };
    builder.take_rows(source, size, &mut |_, _| Ok(()), check)?;
    Ok(builder)
}
