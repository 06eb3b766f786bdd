//! Notices, acts of consent and the gate that makes a [`Permit`].
//!
//! Informed written consent comes before any biometric is collected (740 ILCS 14/15(b); GDPR Art 9(2)(a)).
//! Here that order is a matter of types: capture and embedding take a [`Permit`], and [`Gate::permit`] is the
//! only maker of a `Permit<Consented>`. The crate is pure: it holds no log, no database and no clock.
//!
//! A [`Notice`] is drafted from the exact bytes shown (see [`notices`]); [`Served`] records that it was shown; an [`Act`] answers that;
//! [`ConsentLine`] steps by the table of [`consent_states`]; [`Standing`] is what the gate judges by.
#![forbid(unsafe_code)]

mod act;
pub mod danger;
mod error;
mod gate;
mod line;
mod notice;
mod permit;
mod preference;
pub mod receipt;
mod served;
mod status;

pub use act::{
    Act, AgeAttestation, AgePolicy, Expression, ExpressionKind, NoPasskeys, PasskeyAssertion,
    PasskeyVerifier, challenge,
};
pub use error::ConsentError;
pub use gate::{Gate, Marks, Standing};
pub use line::{ConsentLine, LastAct};
pub use notice::{
    AttestedBy, Element, Materiality, Notice, NoticeDraft, NoticeRef, Passage, Period, Release, Schedule,
    Term, Terms,
};
pub use permit::{Basis, Binding, Consented, Evaluation, Permit};
pub use preference::{
    MessageKind, SendPermit, UnsubscribeToken, is_one_click_post, list_unsubscribe_headers, may_send,
};
pub use served::Served;
pub use status::{ConsentEvent, ConsentStatus, TRANSITIONS, Transition, next};

#[doc = include_str!("../docs/consent-states.md")]
pub mod consent_states {}

#[doc = include_str!("../docs/notices.md")]
pub mod notices {}
