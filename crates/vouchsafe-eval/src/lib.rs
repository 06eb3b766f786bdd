//! Error rates of biometric comparison with sample sizes and intervals
#![forbid(unsafe_code)]
