//! The adapters of this crate under the key ring of the envelope.
mod drill;
mod faults;
mod folder;
mod key_file;
mod key_services;
mod ring;
mod setup;
