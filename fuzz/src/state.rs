use vouchsafe_envelope::port::StateVersion;

use crate::seal_state;

/// The key of the fence journal in every state.
pub const FENCE_KEY: [u8; 32] = [6; 32];
/// The counter of a class that gave out every index but one.
pub const FULL: u64 = (1 << 40) - 1;
/// What every tree is made with where its keys do not matter.
pub const NODE_KEY: [u8; 32] = [7; 32];

/// A subtree: depth and prefix.
pub type Node = (u8, u64);

/// A shard, as a head knows it: subtree, name, digest and key.
pub type ShardEntry = (Node, [u8; 16], [u8; 32], [u8; 32]);

/// The plaintext of a state, as its specification says; written here a second time on purpose.
#[derive(Debug, Clone, Default)]
pub struct Plain {
    /// Generation and revision.
    pub version: StateVersion,
    /// How many records of the fence journal it knows.
    pub fences: u64,
    /// Versions of the data keys.
    pub data_keys: Vec<u32>,
    /// Class code and next free counter.
    pub counters: Vec<(u8, u64)>,
    /// Leaves of honey records.
    pub honey: Vec<u64>,
    /// What lies in no head.
    pub shards: Vec<ShardEntry>,
    /// The encoded tree.
    pub tree: Vec<u8>,
}

impl Plain {
    /// A state with one data key, every class full, and this encoded tree.
    pub fn full(generation: u64, revision: u64, tree: Vec<u8>) -> Self {
        let counters = (1..=11).map(|class| (class, FULL)).collect();
        let version = StateVersion { generation, revision };
        Self { version, data_keys: vec![1], counters, tree, ..Self::default() }
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![3];
        for number in [self.version.generation, self.version.revision, self.fences] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for key in [[4; 32], [5; 32], FENCE_KEY] {
            out.extend_from_slice(&key);
        }
        // No next log seed.
        out.push(0);
        out.push(self.data_keys.len() as u8);
        for version in &self.data_keys {
            out.extend_from_slice(&version.to_be_bytes());
            out.extend_from_slice(&[8; 32]);
        }
        out.push(self.counters.len() as u8);
        for (class, next) in &self.counters {
            out.push(*class);
            out.extend_from_slice(&next.to_be_bytes());
        }
        out.extend_from_slice(&(self.honey.len() as u16).to_be_bytes());
        self.honey.iter().for_each(|leaf| out.extend_from_slice(&leaf.to_be_bytes()[2..]));
        out.extend_from_slice(&(self.shards.len() as u16).to_be_bytes());
        for ((depth, prefix), name, digest, key) in &self.shards {
            out.push(*depth);
            out.extend_from_slice(&prefix.to_be_bytes()[2..]);
            out.extend_from_slice(name);
            out.extend_from_slice(digest);
            out.extend_from_slice(key);
        }
        out.extend_from_slice(&self.tree);
        out
    }

    /// What a store holds of it.
    pub fn head(&self) -> Option<(StateVersion, Vec<u8>)> {
        Some((self.version, seal_state(self.version.generation, &self.encode())))
    }
}

/// A tree of these nodes, all with the same key, in the order in which they are given.
pub fn tree(nodes: &[Node]) -> Vec<u8> {
    let mut out = vec![1, 48];
    out.extend_from_slice(&(nodes.len() as u32).to_be_bytes());
    for (depth, prefix) in nodes {
        out.push(*depth);
        out.extend_from_slice(&prefix.to_be_bytes()[2..]);
        out.extend_from_slice(&NODE_KEY);
    }
    out
}

/// The first and the last index below a node; `None` for one that is in no tree.
pub fn range((depth, prefix): Node) -> Option<(u64, u64)> {
    if depth > 48 || prefix >> depth != 0 {
        return None;
    }
    let first = prefix << (48 - depth);
    Some((first, first | ((1 << (48 - depth)) - 1)))
}

/// Whether these are the nodes of a cover: ascending, disjoint, and no two siblings.
pub fn is_cover(nodes: &[Node]) -> bool {
    let follows = |pair: &[Node]| {
        let (before, node) = (pair[0], pair[1]);
        let siblings = before.0 == node.0 && before.1 ^ 1 == node.1;
        range(before) < range(node) && range(before).map(|r| r.1) < range(node).map(|r| r.0) && !siblings
    };
    nodes.iter().all(|node| range(*node).is_some()) && nodes.windows(2).all(follows)
}
