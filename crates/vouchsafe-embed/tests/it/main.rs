//! Integration tests; those of the models need features `engine-tract` and `bundled-models`.

mod fake;
mod models;
#[cfg(all(feature = "engine-tract", feature = "bundled-models"))]
mod recipe;
mod session;
