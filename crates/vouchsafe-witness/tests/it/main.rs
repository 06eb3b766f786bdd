//! The client of a witness against servers of this process, and against a witness that shares no code with us.
mod answers;
mod fake;
mod log;
mod real;
mod tls;
