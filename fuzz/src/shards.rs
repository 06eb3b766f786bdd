use ring::digest::{SHA256, digest};
use vouchsafe_envelope::cobblestone;
use vouchsafe_envelope::port::ShardName;
use vouchsafe_types::Secret;

use crate::{Fixed, Node, Plain, World, is_cover, leaf, parts, range, tree};

/// A state that is too large for its head.
///
/// ```text
/// count of shards (1) || root (7)* || edit*            root and node = depth (1) || prefix (6)
/// edit = list and what to do (1) || place (2) || node (7)
/// ```
///
/// The edits change lists of nodes of which a large tree is made: 16,640 of the first biometric leaves, every other
/// one, and a few of another class. An input without edits is an honest state if its roots are right.
#[derive(Debug, Clone)]
pub struct Large {
    roots: Vec<Node>,
    /// First the nodes of the head, then those of each shard.
    lists: Vec<Vec<Node>>,
}

/// What is done to a stored shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Nothing.
    None,
    /// A bit of it is changed.
    Bit,
    /// A bit of it is changed, and the head knows the digest of that.
    BitWithDigest,
    /// The first two change places, and the head knows their digests.
    Swap,
}

impl Large {
    /// Reads what the fuzzer says.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first()?;
        let count = usize::from(count % 4);
        let (roots, edits) = rest.split_at_checked(7 * count)?;
        let mut large =
            Self { roots: roots.as_chunks::<7>().0.iter().map(node).collect(), lists: base(count) };
        edits.as_chunks::<10>().0.iter().for_each(|edit| large.edit(edit));
        Some(large)
    }

    fn edit(&mut self, [what, high, low, changed @ ..]: &[u8; 10]) {
        let count = self.lists.len();
        let Some(list) = self.lists.get_mut(usize::from(what >> 2) % count) else { return };
        let place = usize::from(u16::from_be_bytes([*high, *low]));
        let (slot, node) = (place % list.len().max(1), node(changed));
        match what & 3 {
            0 => list.insert(place % (list.len() + 1), node),
            1 if !list.is_empty() => list[slot] = node,
            2 if !list.is_empty() => drop(list.remove(slot)),
            3 if !list.is_empty() => {
                let moved = list.remove(slot);
                let to = usize::from(changed[0]) % count;
                if let Some(to) = self.lists.get_mut(to) {
                    let place = to.partition_point(|node| range(*node) < range(moved));
                    to.insert(place, moved);
                }
            }
            _ => {}
        }
    }

    /// How many shards there are.
    pub fn shard_count(&self) -> usize {
        self.roots.len()
    }

    /// Every node, ascending.
    pub fn nodes(&self) -> Vec<Node> {
        let mut nodes = self.lists.concat();
        nodes.sort_unstable_by_key(|node| range(*node));
        nodes
    }

    /// Whether the nodes are those of one tree, each in its place.
    pub fn is_sound(&self) -> bool {
        let inside = |root: &Node, node: &Node| {
            let (root, node) = (range(*root), range(*node));
            root.map(|r| r.0) <= node.map(|n| n.0) && node.map(|n| n.1) <= root.map(|r| r.1)
        };
        let shards = &self.lists[1..];
        is_cover(&self.nodes())
            && shards.iter().zip(&self.roots).all(|(nodes, root)| nodes.iter().all(|node| inside(root, node)))
            && self.lists[0].iter().all(|node| !self.roots.iter().any(|root| inside(root, node)))
    }

    /// The sealed state, in a store; also the length of its head's plaintext.
    pub fn world(&self, harm: Harm, place: usize) -> (World, usize) {
        let mut plain = Plain::full(1, 1, tree(&self.lists[0]));
        let mut stored = Vec::new();
        for (number, (root, nodes)) in (1u8..).zip(self.roots.iter().zip(&self.lists[1..])) {
            let (name, key) = ([number; 16], [number | 0x40; 32]);
            let depth = [root.0];
            let context =
                parts(&[b"vouchsafe state shard v1", b"acme", &depth, &root.1.to_be_bytes()[2..], &name]);
            let key = Secret::init_with(|own| *own = key);
            let sealed = cobblestone::seal(&key, &context, &tree(nodes), &Fixed(2)).expect("short enough");
            plain.shards.push((*root, name, sum(&sealed), *key.expose_secret()));
            stored.push((ShardName::from_bytes(name), sealed));
        }
        if let [(_, first), ..] = stored.as_mut_slice()
            && matches!(harm, Harm::Bit | Harm::BitWithDigest)
        {
            let place = place % (8 * first.len());
            first[place / 8] ^= 1 << (place % 8);
        }
        if let [(_, first), (_, second), ..] = stored.as_mut_slice()
            && harm == Harm::Swap
        {
            std::mem::swap(first, second);
        }
        if harm != Harm::Bit {
            plain.shards.iter_mut().zip(&stored).for_each(|(shard, (_, sealed))| shard.2 = sum(sealed));
        }
        let len = plain.encode().len();
        (World::with(plain.head(), stored, Vec::new()), len)
    }
}

fn sum(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("a SHA-256")
}

fn node(bytes: &[u8; 7]) -> Node {
    (bytes[0], bytes[1..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// The nodes of the head and of this many shards.
fn base(shards: usize) -> Vec<Vec<Node>> {
    let every_other =
        |from: u64, count: u64| (0..count).map(move |number| (48, leaf().get() + from + 2 * number));
    // A whole class, alone in its part of the tree.
    let crumb = (8, 3);
    match shards {
        0 => vec![vec![(48, leaf().get()), crumb]],
        1 => vec![every_other(1 << 15, 256).chain([crumb]).collect(), every_other(0, 16_384).collect()],
        2 => vec![vec![crumb], every_other(0, 8320).collect(), every_other(1 << 15, 8320).collect()],
        _ => vec![
            vec![],
            every_other(0, 8320).collect(),
            every_other(1 << 15, 8320).collect(),
            every_other(1 << 40, 300).chain([crumb]).collect(),
        ],
    }
}
