use crate::tiles::split_entries;
use crate::{LedgerError, TILE_WIDTH, TilePath, TileStore};

/// Reads the entries of one published bundle of a log of `size` entries: those with index `256 × bundle` and up.
///
/// They are as the store gives them; check them against a signed root before they are believed.
///
/// # Errors
/// [`LedgerError::OutOfRange`] for a bundle beyond the size, [`LedgerError::TileMissing`],
/// [`LedgerError::BundleMalformed`], [`LedgerError::StoreUnavailable`].
pub fn read_entries(store: &dyn TileStore, bundle: u64, size: u64) -> Result<Vec<Vec<u8>>, LedgerError> {
    let before = bundle.checked_mul(TILE_WIDTH).filter(|before| *before < size);
    let width = (size - before.ok_or(LedgerError::OutOfRange)?).min(TILE_WIDTH);
    let path = TilePath::entries(bundle, width)?;
    let bytes = store.read(&path.to_string())?.ok_or(LedgerError::TileMissing)?;
    Ok(split_entries(&bytes)?.into_iter().map(<[u8]>::to_vec).collect())
}
