//! S3.
#![forbid(unsafe_code)]

mod answer;
mod bucket;
mod client;
mod config;
mod error;
mod fences;
mod lease;
mod lock;
mod logs;
mod probe;
mod states;
mod tiles;

pub use bucket::{Bucket, Condition, ETag, Object, Put};
pub use config::{Addressing, BucketConfig, BucketCredentials};
pub use error::ObjectsError;
pub use fences::BucketFences;
pub use lease::{BucketLease, HeldLease, LeaseTerms};
pub use lock::BucketLock;
pub use logs::BucketLogs;
pub use probe::{BucketReport, Conditional, Verdict, Versioning};
pub use states::BucketStates;
pub use tiles::BucketTiles;
