//! The examples are the files beside this package manifest; run one with `cargo run --example NAME`.
