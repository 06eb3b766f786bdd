//! How a large cover is cut into spans: halves of halves, until each has few enough nodes.
//!
//! The cut depends on the cover alone, so that there is one for each.
use std::ops::Range;

use super::{KeyTree, Node};

/// A subtree whose part of the cover is stored by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// The subtree.
    pub(crate) root: Node,
    /// Which nodes of the cover lie in it; never none.
    pub(crate) nodes: Range<usize>,
}

impl<const DEPTH: u32> KeyTree<DEPTH> {
    /// The spans of at most `limit` nodes, ascending; one span, the whole tree, while it is small.
    pub(crate) fn spans(&self, limit: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        self.cut(Node { prefix: 0, depth: 0 }, 0..self.nodes.len(), limit.max(1), &mut spans);
        spans
    }

    fn cut(&self, root: Node, nodes: Range<usize>, limit: usize, spans: &mut Vec<Span>) {
        if nodes.len() <= limit || root.depth == DEPTH {
            if !nodes.is_empty() || root.depth == 0 {
                spans.push(Span { root, nodes });
            }
            return;
        }
        let [left, right] = root.children();
        let inside = self.nodes.get(nodes.clone()).unwrap_or_default();
        let middle = inside.partition_point(|node| node.first::<DEPTH>() < right.first::<DEPTH>());
        let middle = nodes.start + middle;
        self.cut(left, nodes.start..middle, limit, spans);
        self.cut(right, middle..nodes.end, limit, spans);
    }
}
