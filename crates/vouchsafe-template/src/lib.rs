//! Protected, renewable biometric templates and their comparison
#![forbid(unsafe_code)]
