//! Biometric privacy you can prove: consent, capture, protected templates, keys and a log
#![forbid(unsafe_code)]
