//! The adapters against real servers of the S3 protocol.
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
