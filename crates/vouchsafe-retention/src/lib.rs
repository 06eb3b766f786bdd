//! Retention policy packs, deadlines and plans, as pure functions.
//!
//! What a notice or a statute says about keeping and destroying data is here as data with citations, never as
//! scattered conditions. The crate reads no clock and no disk: it takes facts, and gives deadlines with their reasons.
//!
//! - A [`Policy`] is loaded from packs (TOML). [`Policy::default_notices`] holds the two notices' retention tables
//!   and what the libraries add.
//! - [`Policy::resolve`] takes the [`Facts`] of one record and gives its [`Deadline`]: when it has to be
//!   destroyed, not before when, which rule decided, which ones lost.
//! - A [`Plan`] lists what is due among many records; it has one encoding, a digest, and a [`Breaker`].
//!
//! # Rules
//!
//! A **ceiling** says by when data is destroyed; among several the earliest wins. A **floor** says until when it
//! is kept; among several the latest wins. A floor is a duty to keep: a ceiling that falls before it waits for
//! it, unless a law sets the ceiling and none the floor ([`Force`]). Where two rules give the same instant, the more
//! specific one (by modality, role and place) decides, then the law, then the one whose id sorts first.
//!
//! A rule of one **jurisdiction** applies to whoever lives or lived there while the data is held; while no place is
//! known, every law of the policy applies.
//!
//! # Holds
//!
//! A legal [`Hold`] stops destruction and nothing else, as long as any matter is open and its [`Authority`] is one that
//! the law honours for that data ([`Honour`] rows of the packs): [`Policy::decide`] gives the [`Verdict`], and
//! [`Decision::explanation`] says why in one paragraph. An open rights request keeps its own evidence.
//!
//! # Rights and disclosures
//!
//! [`rights`] holds requests as state machines with statutory clocks from the packs; [`disclosure`] the register of what
//! went to whom, in which sale has no basis. Neither is an input of anything that compares, judges or admits.
//!
//! Figures about everybody together are [`Aggregates`]: they name nobody, and may be kept when the data is gone.
//!
//! A rule whose period its source does not state is a [`Gap`], never a default: data that it covers has no
//! deadline until the organisation states one in a pack of its own.
//!
//! # Interaction
//!
//! Periods of inactivity (740 ILCS 14/15(a): three years after "the individual's last interaction") are extended by
//! the person's own acts only. [`PersonalAct`] lists them; background jobs and administrators' look-ups have no
//! variant and no way in.
//!
//! # Calendar
//!
//! Periods are added in the calendar of a stated zone, UTC by default, keeping the time of day. A day that does
//! not exist becomes the last of its month: three years after 29 February 2024 is 28 February 2027. Thirty days
//! are thirty calendar days.
//!
//! # Packs
//!
//! ```toml
#![doc = include_str!("../docs/example-pack.toml")]
//! ```
//!
//! Every field of a rule is a string. `period` is `at once`, `not stated`, or numbers with `years`, `months`, `days`
//! in that order. `modality` (`face`, `voice`) and `role` (`end_user`, `administrator`) narrow a rule; `least` and
//! `most` make it configurable within bounds. A rule of any other `confidence` than `confirmed` is listed and
//! decides nothing.
//!
#![doc = include_str!("../docs/retention-matrix.md")]
//!
#![doc = include_str!("../docs/conflicts.md")]
//!
#![doc = include_str!("../docs/one-life.md")]
#![forbid(unsafe_code)]

mod adopt;
mod aggregate;
mod approval;
mod authority;
mod breaker;
mod conflict;
mod contradiction;
mod deadline;
mod decision;
mod diff;
mod error;
mod facts;
mod force;
mod guard;
mod hex;
mod hold;
mod honour;
mod html;
mod matrix;
mod note;
mod pack;
mod period;
mod plan;
mod policy;
mod profile;
mod reader;
mod reference;
mod rule;
mod schema;
mod statement;
mod tables;
mod wire;

pub mod disclosure;
pub mod documents;
pub mod rights;

pub use adopt::Adoption;
pub use aggregate::{Aggregates, GroupSize};
pub use approval::{Approvals, Stage};
pub use authority::Authority;
pub use breaker::{Breaker, ReleasedPlan};
pub use conflict::{Conflict, ConflictKind};
pub use deadline::{Deadline, Ruling};
pub use decision::{Decision, NotHonoured, Verdict};
pub use diff::{RuleChange, Shift};
pub use error::{Contradiction, PackFault, Problem, RetentionError};
pub use facts::{Facts, PersonalAct};
pub use force::Force;
pub use guard::ClockGuard;
pub use hold::{Hold, HoldFault, HoldId};
pub use honour::Honour;
pub use note::{MinimumAge, Note};
pub use period::Period;
pub use plan::{ItemId, Plan, PlanItem};
pub use policy::{Gap, Policy};
pub use profile::{Profile, Region};
pub use reference::{RecipientId, Reference};
pub use rule::{Confidence, Rule, RuleKind, Trigger};
pub use schema::pack_schema;
pub use statement::{PackStatement, PackVerifier};
