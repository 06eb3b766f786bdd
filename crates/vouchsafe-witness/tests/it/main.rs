//! The client of a witness against servers of this process, and against a witness that shares no code with us.

// `cfg(test)` always holds here; it tells the linter that helpers are tests, too.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod log;
#[cfg(test)]
mod real;
#[cfg(test)]
mod tls;
