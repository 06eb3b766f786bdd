//! Integration tests; those of the models need features `engine-tract` and `bundled-models`.

// `cfg(test)` always holds here; it tells the linter that helpers are tests, too.
#[cfg(test)]
mod fake;
#[cfg(test)]
mod models;
#[cfg(test)]
#[cfg(all(feature = "engine-tract", feature = "bundled-models"))]
mod recipe;
#[cfg(test)]
mod session;
