//! Witnesses over HTTPS: somebody else remembers the newest checkpoint of a log, and cosigns what continues it.
//!
//! [`HttpWitness`] speaks [C2SP tlog-witness](https://c2sp.org/tlog-witness) and is the adapter of the ledger's
//! [`Witness`](vouchsafe_ledger::Witness) port. It carries bytes: the ledger makes the request and verifies the
//! cosignatures, so neither the network nor the server is trusted with more than to answer.
//!
//! ```no_run
//! use vouchsafe_ledger::{Witness, WitnessKey};
//! use vouchsafe_witness::{HttpWitness, WitnessConfig};
//!
//! # fn ask(key: WitnessKey, roots: &[u8], note: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let witness = HttpWitness::new(WitnessConfig::new("https://witness.example/w1", key).ca_certificates(roots))?;
//! let lines = witness.add_checkpoint(0, &[], note)?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod answer;
mod client;
mod config;
mod error;

pub use client::HttpWitness;
pub use config::WitnessConfig;
pub use error::SetupError;
