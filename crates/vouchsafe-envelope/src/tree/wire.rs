use vouchsafe_types::{Secret, SecretBytes};

use super::{KeyTree, Node};
use crate::EnvelopeError;
use crate::reader::Reader;

const VERSION: u8 = 0x01;
const HEADER_LEN: usize = 6;
const NODE_LEN: usize = 1 + 6 + 32;

impl<const DEPTH: u32> KeyTree<DEPTH> {
    /// The one encoding of this cover:
    /// `0x01 || tree depth (1) || node count (4) || nodes`, each node
    /// `depth (1) || prefix (6) || key (32)`, ascending; numbers are big-endian.
    pub fn encode(&self) -> SecretBytes {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode_into(&mut out);
        SecretBytes::new(out)
    }

    /// The length of [`Self::encode`], in bytes.
    pub fn encoded_len(&self) -> usize {
        HEADER_LEN + NODE_LEN * self.nodes.len()
    }

    /// Appends the encoding; the caller reserved [`Self::encoded_len`] bytes, so that no copy is left behind.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let count = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        out.push(VERSION);
        out.push(low_byte(DEPTH));
        out.extend_from_slice(&count.to_be_bytes());
        for node in &self.nodes {
            let [_, _, prefix @ ..] = node.prefix.to_be_bytes();
            out.push(low_byte(node.depth));
            out.extend_from_slice(&prefix);
            out.extend_from_slice(node.key.expose_secret());
        }
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// [`EnvelopeError::Malformed`] for another version or depth, trailing bytes, and nodes that are out of
    /// range, out of order, overlapping, or siblings (which a cover never holds).
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(bytes, "key tree");
        let head = [reader.u8()?, reader.u8()?];
        let count = usize::try_from(reader.u32()?).map_err(|_| reader.malformed())?;
        // Checked before anything is reserved for the count.
        if head != [VERSION, low_byte(DEPTH)] || Some(reader.rest().len()) != count.checked_mul(NODE_LEN) {
            return Err(reader.malformed());
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(count);
        for _ in 0..count {
            let node = read_node::<DEPTH>(&mut reader)?;
            if nodes.last().is_some_and(|before| !follows::<DEPTH>(before, &node)) {
                return Err(reader.malformed());
            }
            nodes.push(node);
        }
        reader.end()?;
        Ok(Self { nodes })
    }
}

fn read_node<const DEPTH: u32>(reader: &mut Reader<'_>) -> Result<Node, EnvelopeError> {
    let depth = u32::from(reader.u8()?);
    let [a, b, c, d, e, f] = *reader.array()?;
    let prefix = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    if depth > DEPTH || prefix >> depth != 0 {
        return Err(reader.malformed());
    }
    let bytes = reader.array::<32>()?;
    Ok(Node { prefix, depth, key: Secret::init_with(|key| key.copy_from_slice(bytes)) })
}

fn follows<const DEPTH: u32>(before: &Node, node: &Node) -> bool {
    let siblings = before.depth == node.depth && before.prefix ^ 1 == node.prefix;
    before.last::<DEPTH>() < node.first::<DEPTH>() && !siblings
}

/// Depths are at most 48.
const fn low_byte(depth: u32) -> u8 {
    let [.., byte] = depth.to_be_bytes();
    byte
}
