//! The disclosure register: to whom data went, on which basis, and whom deletion was ordered of.
//!
//! Sale, lease and trade have no [`LegalBasis`]: they cannot be written down, and what cannot be written down is refused.

/// The longest encoding of a disclosure or an order, in bytes.
const MAX_LEN: usize = 64 << 10;

mod order;
mod recipient;
mod register;

pub use order::DeletionOrder;
pub use recipient::{Recipient, RecipientKind, Safeguard};
pub use register::{Disclosure, DisclosureRefusal, LegalBasis};
