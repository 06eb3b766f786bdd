//! Capture sessions that consume media and give face embeddings
#![forbid(unsafe_code)]
