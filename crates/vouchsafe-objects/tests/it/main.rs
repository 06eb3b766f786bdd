//! The adapters against real servers of the S3 protocol.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop where it stands")]

mod bucket;
mod faults;
mod fences;
mod honoured;
mod lease;
mod logs;
mod ports;
mod races;
mod replica;
mod scene;
mod transit;
