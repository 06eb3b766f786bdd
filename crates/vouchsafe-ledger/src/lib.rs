//! A transparency log of consent and audit leaves in the C2SP tlog formats
#![forbid(unsafe_code)]
