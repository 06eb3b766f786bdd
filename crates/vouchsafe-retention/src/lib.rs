//! Retention policy packs, deadlines and plans, as pure functions
#![forbid(unsafe_code)]
