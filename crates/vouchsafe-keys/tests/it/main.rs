//! The adapters of this crate under the key ring of the envelope.
mod cache;
mod drill;
mod faults;
mod folder;
mod gate;
mod key_file;
mod key_services;
mod ring;
mod setup;
#[cfg(feature = "tpm")]
mod tpm;
