//! Notices, grants, withdrawals and the gate that makes a [`Permit`].
//!
//! Informed written consent comes before any biometric is collected (740 ILCS 14/15(b); GDPR Art 9(2)(a)).
//! Here that order is a matter of types: capture and embedding take a [`Permit`], and [`Gate::permit`] is the
//! only maker of a `Permit<Consented>`. The crate is pure: it holds no log, no database and no clock.
#![forbid(unsafe_code)]

pub mod danger;
mod error;
mod gate;
mod line;
mod notice;
mod permit;

pub use error::ConsentError;
pub use gate::Gate;
pub use line::{Act, ConsentLine, ConsentState};
pub use notice::Notice;
pub use permit::{Basis, Binding, Consented, Evaluation, Permit};
