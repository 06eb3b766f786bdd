//! What several fuzz targets and the maker of their seeds share: fixed keys, ports in memory, and second writings
//! of the formats whose writers are not public.
#![forbid(unsafe_code)]

mod files;
mod journal;
mod keys;
mod ports;
mod shards;
mod state;
mod tiles;

pub use files::{folder, is_file_name, put, put_summed};
pub use journal::{Said, chain};
pub use keys::{World, acme, context, leaf, parts, record_key, seal_state};
pub use ports::{Fixed, OneState, OpenService, Shelf, Steps};
pub use shards::{Harm, Large};
pub use state::{FENCE_KEY, FULL, NODE_KEY, Node, Plain, ShardEntry, is_cover, range, tree};
pub use tiles::{ORIGIN, OneTile, cosigner, signer};

/// A place that depends on all of the bytes, so that the fuzzer can move it.
pub fn place(bytes: &[u8], places: usize) -> usize {
    bytes.iter().fold(0, |sum, byte| (sum * 31 + usize::from(*byte)) % 16_777_213) % places.max(1)
}
