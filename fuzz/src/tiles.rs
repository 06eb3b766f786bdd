use vouchsafe_ledger::{Cosigner, LedgerError, LogSigner, TileStore};
use vouchsafe_types::Secret;

/// The name of every target's log and key.
pub const ORIGIN: &str = "log.example/acme";

/// The same signing key in every run.
pub fn signer() -> LogSigner {
    LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(42))).expect("the name is well-formed")
}

/// The same witness in every run.
pub fn cosigner() -> Cosigner {
    Cosigner::from_seed("w.example/1", &Secret::init_with(|seed| seed.fill(41)))
        .expect("the name is well-formed")
}

/// A store that gives the same bytes for every path.
#[derive(Debug)]
pub struct OneTile(pub Vec<u8>);

impl TileStore for OneTile {
    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(Some(self.0.clone()))
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        Ok(())
    }
}
