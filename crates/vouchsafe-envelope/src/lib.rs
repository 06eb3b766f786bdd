//! Sealed records under a puncturable key tree, and the key-service port
#![forbid(unsafe_code)]
