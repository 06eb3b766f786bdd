//! Integration tests of the template crate.

#[cfg(test)]
mod life;
