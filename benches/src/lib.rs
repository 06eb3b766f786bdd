//! The benches are in `benches/`; run them with `cargo bench -p vouchsafe-benches`.
