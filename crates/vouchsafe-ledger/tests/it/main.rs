//! Integration tests of the ledger: vectors, projection, lock, cosigning, handovers, monitoring, receipts, tampering, interoperability.

// `cfg(test)` always holds here; it tells the linter that helpers are tests, too.
#[cfg(test)]
mod cosign;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod projection;
#[cfg(test)]
mod receipt;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod vectors;
