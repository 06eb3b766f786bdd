//! Drill.
#[test]
fn placeholder() {}
