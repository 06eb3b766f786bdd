//! Integration tests of the ledger: vectors, projection, receipts, tampering, interoperability.

mod interop;
mod projection;
mod receipt;
mod support;
mod tamper;
mod vectors;
