//! The binary as operators and auditors use it.

// `cfg(test)` always holds here; it tells the linter that helpers are tests, too.
#[cfg(test)]
mod audit;
#[cfg(test)]
mod drill;
#[cfg(test)]
mod eval;
#[cfg(test)]
mod key_services;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod log;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod recover;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod rights_export;
#[cfg(test)]
mod runbook;
#[cfg(test)]
mod runbook_audit;
#[cfg(test)]
mod runbook_retention;
#[cfg(test)]
mod runbook_store;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod store;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod witness;
