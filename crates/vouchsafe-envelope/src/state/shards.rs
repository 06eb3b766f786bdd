//! A large key tree in shards: spans of the cover, each sealed under a key of its own that only the head holds.
//!
//! Spans with few nodes stay in the head. A puncture writes the touched shards anew, under fresh names and keys, and then the head. The old shards stay
//! ciphertext whose keys are in no head that can still be opened.
use ring::digest::{SHA256, digest};
use vouchsafe_types::{Entropy, OrganisationId, Secret};

use super::OrganisationState;
use crate::context::push;
use crate::port::ShardName;
use crate::tree::{KeyTree, Node, Span};
use crate::{EnvelopeError, cobblestone};

/// The most nodes of one blob: 16,384 of 39 bytes, 640 KB.
pub(crate) const SPAN_NODES: usize = 1 << 14;
/// Spans of a large tree with no more nodes than this stay in the head.
const LOOSE_NODES: usize = 256;
const LABEL: &[u8] = b"vouchsafe state shard v1";

/// A stored shard, as the head knows it.
pub(crate) struct Shard {
    pub(crate) root: Node,
    pub(crate) name: ShardName,
    /// SHA-256 of the sealed bytes, so that no other blob is tried.
    pub(crate) digest: [u8; 32],
    pub(crate) key: Secret<32>,
}

/// A shard that has to be written before the head that names it.
pub(crate) struct FreshShard {
    pub(crate) name: ShardName,
    pub(crate) sealed: Vec<u8>,
}

impl OrganisationState {
    /// Brings the shards up to date with the tree and gives those that have to be written.
    pub(crate) fn reshard(
        &mut self,
        organisation: &OrganisationId,
        entropy: &dyn Entropy,
    ) -> Result<Vec<FreshShard>, EnvelopeError> {
        let mut before = std::mem::take(&mut self.shards);
        let mut fresh = Vec::new();
        for span in self.tree.spans(SPAN_NODES).iter().filter(|span| !is_loose(&self.tree, span)) {
            let known = before.iter().position(|shard| shard.root == span.root);
            let shard = match known.filter(|_| !self.is_touched(span)) {
                Some(place) => before.swap_remove(place),
                None => {
                    let (shard, sealed) = seal(&self.tree, span, organisation, entropy)?;
                    fresh.push(FreshShard { name: shard.name, sealed });
                    shard
                }
            };
            self.shards.push(shard);
        }
        self.touched.clear();
        Ok(fresh)
    }

    /// The names of the stored shards.
    pub(crate) fn shard_names(&self) -> Vec<ShardName> {
        self.shards.iter().map(|shard| shard.name).collect()
    }

    /// The spans whose nodes stand in the head.
    pub(super) fn loose_spans(&self) -> Vec<Span> {
        let mut spans = self.tree.spans(SPAN_NODES);
        spans.retain(|span| is_loose(&self.tree, span));
        spans
    }

    /// Completes the tree of a head, which has the loose nodes only, from its shards in their order.
    pub(crate) fn load_shards(
        &mut self,
        organisation: &OrganisationId,
        read: &dyn Fn(&ShardName) -> Result<Vec<u8>, EnvelopeError>,
    ) -> Result<(), EnvelopeError> {
        let mut tree = KeyTree::with_capacity(self.tree.node_count() + self.shards.len() * SPAN_NODES / 2)?;
        let (mut loose, mut ranges) = (0, Vec::with_capacity(self.shards.len()));
        for shard in &self.shards {
            loose = tree.append_before(&self.tree, loose, shard.root.first::<48>())?;
            let sealed = read(&shard.name)?;
            if digest(&SHA256, &sealed).as_ref() != shard.digest {
                return Err(EnvelopeError::NotAuthentic);
            }
            let plain = cobblestone::open(&shard.key, &context(organisation, shard), &sealed)?;
            let start = tree.node_count();
            tree.append_encoded(plain.expose_secret())?;
            ranges.push(start..tree.node_count());
        }
        tree.append_before(&self.tree, loose, u64::MAX)?;
        let spans = tree.spans(SPAN_NODES);
        // Each shard holds the nodes of its own span, all of them and no other.
        let cut = spans.into_iter().filter(|span| !is_loose(&tree, span)).map(|span| (span.root, span.nodes));
        if !cut.eq(self.shards.iter().map(|shard| shard.root).zip(ranges)) {
            return Err(EnvelopeError::malformed("shards of the organisation state"));
        }
        self.tree = tree;
        Ok(())
    }

    fn is_touched(&self, span: &Span) -> bool {
        let range = span.root.first::<48>()..=span.root.last::<48>();
        self.touched.iter().any(|index| range.contains(index))
    }
}

/// Whether a span's nodes stand in the head: those of a small tree, and the crumbs beside large subtrees.
fn is_loose(tree: &KeyTree, span: &Span) -> bool {
    tree.node_count() <= SPAN_NODES || span.nodes.len() <= LOOSE_NODES
}

fn seal(
    tree: &KeyTree,
    span: &Span,
    organisation: &OrganisationId,
    entropy: &dyn Entropy,
) -> Result<(Shard, Vec<u8>), EnvelopeError> {
    let unavailable = |_| EnvelopeError::EntropyUnavailable;
    let mut name = [0; 16];
    entropy.fill(&mut name).map_err(unavailable)?;
    let mut shard = Shard {
        root: span.root,
        name: ShardName::from_bytes(name),
        digest: [0; 32],
        key: Secret::random(entropy).map_err(unavailable)?,
    };
    let plain = tree.encode_spans(std::slice::from_ref(span));
    let sealed =
        cobblestone::seal(&shard.key, &context(organisation, &shard), plain.expose_secret(), entropy)?;
    shard.digest.copy_from_slice(digest(&SHA256, &sealed).as_ref());
    Ok((shard, sealed))
}

/// `"vouchsafe state shard v1" || organisation || depth (1) || prefix (6) || name (16)`, each behind its length.
fn context(organisation: &OrganisationId, shard: &Shard) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let [_, _, prefix @ ..] = shard.root.prefix.to_be_bytes();
    push(&mut out, LABEL);
    push(&mut out, organisation.as_str().as_bytes());
    push(&mut out, &[crate::tree::low_byte(shard.root.depth)]);
    push(&mut out, &prefix);
    push(&mut out, shard.name.as_bytes());
    out
}
