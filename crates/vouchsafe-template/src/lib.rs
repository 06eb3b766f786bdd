//! Protected, renewable biometric templates and their comparison.
//!
//! Terms are those of ISO/IEC 2382-37 (biometric vocabulary) and ISO/IEC 24745 (biometric information
//! protection). An embedding that the consent gate allowed is [protected](protect()) under a [`TemplateKey`] into a
//! [`ProtectedProbe`]; at enrolment the probe [becomes](ProtectedProbe::into_reference) the
//! [`ProtectedReference`] that is stored, at verification it is [compared](compare()) with it. Nothing else leaves:
//! no raw embedding is stored, no score is returned.
//!
//! # What the protection is, and what it is not
//!
//! Scheme 1 is a keyed orthogonal transform ([specification](crate::scheme)). In the words of ISO/IEC 24745:
//! - **Unlinkable and renewable without the key.** Two references of one person under two keys are as unlike as
//!   those of two strangers; a new key makes a new reference and the old one matches nothing.
//! - **Not irreversible with the key.** Whoever holds the key inverts the transform exactly, and raw embeddings
//!   can be inverted to a lookalike face. Against that thief the scheme is encryption, not a one-way function:
//!   destroying the key is what destroys the template.
//! - **Distances are preserved.** References under one key compare as the embeddings do, so accuracy is
//!   that of the model, and whoever holds several references under one key sees which are alike. Each person
//!   and scope therefore has a key of its own.
//!
//! # Thresholds
//!
//! A [`Threshold`] carries a [`ThresholdCertificate`]: from which data its figure comes and how far it can be
//! trusted. The shipped default is *reported*, not certified.
#![forbid(unsafe_code)]

mod compare;
mod error;
mod key;
mod protect;
mod reference;
pub mod scheme;
mod threshold;
mod vector;

pub use compare::{Accepted, Decision, compare};
pub use error::{Part, TemplateError};
pub use key::TemplateKey;
pub use protect::{ProtectedProbe, protect};
pub use reference::ProtectedReference;
pub use threshold::{CertificateKind, Threshold, ThresholdCertificate};
