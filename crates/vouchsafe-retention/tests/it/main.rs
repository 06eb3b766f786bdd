//! Integration tests of the retention crate.

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod model;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rows;
