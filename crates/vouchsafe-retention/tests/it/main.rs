//! Integration tests of the retention crate.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod forces;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod model;
#[cfg(test)]
mod one_life;
#[cfg(test)]
mod organisation;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod register;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod states;
