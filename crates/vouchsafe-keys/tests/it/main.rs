//! The adapters of this crate under the key ring of the envelope.
mod cache;
mod drill;
mod faults;
mod folder;
mod gate;
mod key_file;
mod key_services;
mod losses;
#[cfg(feature = "openbao")]
mod openbao;
mod passphrase;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod ring;
mod setup;
mod sharing;
#[cfg(feature = "tpm")]
mod tpm;
