use crate::builder::{Builder, Sink};
use crate::merkle::leaf_hash;
use crate::{
    CHECKPOINT_PATH, Checkpoint, LeafSource, LedgerError, LogSigner, SignedCheckpoint, TileStore, Trust,
    published,
};

/// Publishes the committed leaves: writes the tiles and bundles that changed, then the signed checkpoint.
///
/// Before anything is written, every row that the published checkpoint covers is read again and must give its
/// root. That is one pass over the log; [`Publisher`] does it once and then goes on from what it knows.
///
/// # Errors
/// Nothing is written with [`LedgerError::RolledBack`], when there are fewer rows than were signed;
/// [`LedgerError::Forked`], when the rows give another root than was signed; or when the published checkpoint
/// does not verify. [`LedgerError::SourceUnavailable`] and [`LedgerError::StoreUnavailable`] may leave tiles that
/// no checkpoint covers yet; publishing again completes them.
pub fn publish(
    source: &dyn LeafSource,
    store: &dyn TileStore,
    signer: &LogSigner,
    origin: &str,
) -> Result<SignedCheckpoint, LedgerError> {
    let trust = Trust::new(signer.verifier(), origin);
    let head = published(store, &trust)?;
    let builder = replay(source, head.as_ref().map(SignedCheckpoint::checkpoint), &trust)?;
    extend(builder, head, source, store, signer, origin).map(|(_, signed)| signed)
}

/// Publishes one log again and again, about once a second, at a cost that depends on the new leaves only.
///
/// It keeps no key: the signer is lent for each call. It remembers the last checkpoint it published or was given, so a store or a database that is restored under
/// its feet is noticed. One publisher a log: hold the adapter's lease.
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
    /// As [`publish`](fn@publish), and [`LedgerError::RolledBack`] or [`LedgerError::Forked`] when the published
    /// checkpoint does not continue the remembered one.
    pub fn publish(
        &mut self,
        signer: &LogSigner,
        source: &dyn LeafSource,
        store: &dyn TileStore,
    ) -> Result<SignedCheckpoint, LedgerError> {
        let edge = self.edge.take();
        let mut trust = Trust::new(signer.verifier(), &self.origin);
        if let Some(remembered) = &self.remembered {
            trust = trust.remembering(remembered);
        }
        let head = published(store, &trust)?;
        let signed_head = head.as_ref().map(SignedCheckpoint::checkpoint);
        let builder = match edge {
            Some(edge) if continues(&edge, signed_head, source)? => edge,
            _ => replay(source, signed_head, &trust)?,
        };
        let (edge, signed) = extend(builder, head, source, store, signer, &self.origin)?;
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
    replay(source, Some(head.checkpoint()), trust)?;
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
    builder.take_rows(source, head.checkpoint().size(), sink, &mut |_| Ok(()))?;
    builder.finish(sink)?;
    Ok(written)
}

/// Whether the edge is that of the published head and of the rows.
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

/// Reads the rows that the head covers, and checks that they give its root, and the remembered one's on the way.
fn replay(
    source: &dyn LeafSource,
    head: Option<&Checkpoint>,
    trust: &Trust<'_>,
) -> Result<Builder, LedgerError> {
    let size = head.map_or(0, Checkpoint::size);
    if source.len()? < size {
        return Err(LedgerError::RolledBack);
    }
    let mut builder = Builder::default();
    let heads = [head, trust.remembered()];
    let check = &mut |builder: &Builder| {
        let differs = |head: &&Checkpoint| head.size() == builder.size() && *head.root() != builder.root();
        if heads.iter().flatten().any(differs) { Err(LedgerError::Forked) } else { Ok(()) }
    };
    builder.take_rows(source, size, &mut |_, _| Ok(()), check)?;
    Ok(builder)
}

/// Takes the new rows, writes what they change, and the checkpoint last.
fn extend(
    mut builder: Builder,
    head: Option<SignedCheckpoint>,
    source: &dyn LeafSource,
    store: &dyn TileStore,
    signer: &LogSigner,
    origin: &str,
) -> Result<(Builder, SignedCheckpoint), LedgerError> {
    let size = source.len()?;
    match head {
        Some(head) if head.checkpoint().size() == size => return Ok((builder, head)),
        Some(head) if head.checkpoint().size() > size => return Err(LedgerError::RolledBack),
        _ => {}
    }
    let sink: &mut Sink<'_> = &mut |path, bytes| store.write(&path.to_string(), bytes);
    builder.take_rows(source, size, sink, &mut |_| Ok(()))?;
    builder.finish(sink)?;
    // INVARIANT (tiles first): whoever sees a checkpoint finds every tile it needs.
    let signed = SignedCheckpoint::sign(Checkpoint::new(origin, size, builder.root())?, &[signer])?;
    store.write(CHECKPOINT_PATH, signed.note().as_bytes())?;
    Ok((builder, signed))
}
