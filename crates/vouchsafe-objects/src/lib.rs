//! S3.
#![forbid(unsafe_code)]

mod answer;
mod bucket;
mod client;
mod config;
mod error;
mod probe;

pub use bucket::{Bucket, Condition, ETag, Object, Put};
pub use config::{Addressing, BucketConfig, BucketCredentials};
pub use error::ObjectsError;
pub use probe::{BucketReport, Conditional, Verdict, Versioning};
