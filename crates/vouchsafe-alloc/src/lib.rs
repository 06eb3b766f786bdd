//! A global allocator that wipes memory before it is given back
#![deny(unsafe_code)]
