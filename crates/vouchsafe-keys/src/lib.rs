//! Key services and key-state stores for the vouchsafe envelope
#![forbid(unsafe_code)]
