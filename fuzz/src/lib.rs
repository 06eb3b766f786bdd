//! What several fuzz targets and the maker of their seeds share: fixed keys, and ports in memory.
#![forbid(unsafe_code)]

mod keys;
mod tiles;

pub use keys::{Fixed, acme, context, leaf, record_key, seal_state, state_ring};
pub use tiles::{ORIGIN, OneTile, signer};
