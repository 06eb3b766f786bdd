//! The storage port and its SQLite implementation
#![forbid(unsafe_code)]
