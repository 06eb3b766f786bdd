use vouchsafe_types::SecretBytes;

use super::{KeyTree, Node, Span};
use crate::EnvelopeError;
use crate::reader::Reader;

const VERSION: u8 = 0x01;
const HEADER_LEN: usize = 6;
pub(crate) const NODE_LEN: usize = 1 + 6 + 32;

impl<const DEPTH: u32> KeyTree<DEPTH> {
    /// The one encoding of this cover:
    /// `0x01 || tree depth (1) || node count (4) || nodes`, each node
    /// `depth (1) || prefix (6) || key (32)`, ascending; numbers are big-endian.
    pub fn encode(&self) -> SecretBytes {
        self.encode_spans(&[Span { root: Node { prefix: 0, depth: 0 }, nodes: 0..self.nodes.len() }])
    }

    /// The length of [`Self::encode`], in bytes.
    pub fn encoded_len(&self) -> usize {
        encoded_len(self.nodes.len())
    }

    /// The encoding of the part of the cover that lies in these spans, ascending, in the form of a whole tree.
    pub(crate) fn encode_spans(&self, spans: &[Span]) -> SecretBytes {
        let nodes = spans.iter().map(|span| span.nodes.len()).sum();
        // Reserved exactly, so that no smaller buffer is left behind by growth.
        let mut out = Vec::with_capacity(encoded_len(nodes));
        let count = u32::try_from(nodes).unwrap_or(u32::MAX);
        out.push(VERSION);
        out.push(low_byte(DEPTH));
        out.extend_from_slice(&count.to_be_bytes());
        for (node, key) in spans.iter().flat_map(|span| self.nodes_in(span.nodes.clone())) {
            let [_, _, prefix @ ..] = node.prefix.to_be_bytes();
            out.push(low_byte(node.depth));
            out.extend_from_slice(&prefix);
            out.extend_from_slice(key);
        }
        SecretBytes::new(out)
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// [`EnvelopeError::Malformed`] for another version or depth, trailing bytes, and nodes that are out of
    /// range, out of order, overlapping, or siblings (which a cover never holds); [`EnvelopeError::NoResources`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut tree = Self::with_capacity(bytes.len() / NODE_LEN)?;
        tree.append_encoded(bytes)?;
        Ok(tree)
    }

    /// Reads an encoding whose nodes follow those that are there.
    pub(crate) fn append_encoded(&mut self, bytes: &[u8]) -> Result<(), EnvelopeError> {
        let mut reader = Reader::new(bytes, "key tree");
        let head = [reader.u8()?, reader.u8()?];
        let count = usize::try_from(reader.u32()?).map_err(|_| reader.malformed())?;
        // Checked before anything is reserved for the count.
        if head != [VERSION, low_byte(DEPTH)] || Some(reader.rest().len()) != count.checked_mul(NODE_LEN) {
            return Err(reader.malformed());
        }
        for _ in 0..count {
            let node = read_node::<DEPTH>(&mut reader)?;
            if self.nodes.last().is_some_and(|before| !follows::<DEPTH>(*before, node)) {
                return Err(reader.malformed());
            }
            let key = reader.array::<32>()?;
            self.push(node, key)?;
        }
        reader.end()
    }
}

/// The length of an encoding of this many nodes.
pub(crate) const fn encoded_len(nodes: usize) -> usize {
    HEADER_LEN + NODE_LEN * nodes
}

fn read_node<const DEPTH: u32>(reader: &mut Reader<'_>) -> Result<Node, EnvelopeError> {
    let depth = u32::from(reader.u8()?);
    let prefix = reader.u48()?;
    if depth > DEPTH || prefix >> depth != 0 {
        return Err(reader.malformed());
    }
    Ok(Node { prefix, depth })
}

fn follows<const DEPTH: u32>(before: Node, node: Node) -> bool {
    let siblings = before.depth == node.depth && before.prefix ^ 1 == node.prefix;
    before.last::<DEPTH>() < node.first::<DEPTH>() && !siblings
}

/// Depths are at most 48.
pub(crate) const fn low_byte(depth: u32) -> u8 {
    let [.., byte] = depth.to_be_bytes();
    byte
}
