//! Integration tests of the evaluation crate.

#[cfg(test)]
mod reference;
