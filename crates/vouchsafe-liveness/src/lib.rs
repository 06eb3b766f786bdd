//! The judge of presentation attacks on captured faces
#![forbid(unsafe_code)]
