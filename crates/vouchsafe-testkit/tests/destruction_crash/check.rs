//! What was found after a restart.

use crate::keys::Keys;

/// What must not be, one line for each.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// A leaf that was never condemned has no key, or another one.
    pub(crate) survivors_lost: Vec<String>,
    /// A leaf that was destroyed gives a key.
    pub(crate) destroyed_readable: Vec<String>,
    /// A call that failed, a state key too many, a place or a journal that is not whole.
    pub(crate) unfinished: Vec<String>,
    /// An index that was given out twice.
    pub(crate) indices_reused: Vec<u64>,
}

impl Findings {
    pub(crate) fn merge(&mut self, other: Self) {
        self.survivors_lost.extend(other.survivors_lost);
        self.destroyed_readable.extend(other.destroyed_readable);
        self.unfinished.extend(other.unfinished);
        self.indices_reused.extend(other.indices_reused);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.survivors_lost.is_empty()
            && self.destroyed_readable.is_empty()
            && self.unfinished.is_empty()
            && self.indices_reused.is_empty()
    }

    pub(crate) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.unfinished.push(what());
        }
    }

    pub(crate) fn note_given(&mut self, keys: &mut Keys, index: u64) {
        if !keys.note_given(index) {
            self.indices_reused.push(index);
        }
    }
}
