//! Requests of persons by right: to know, to export, to correct, to delete, to restrict, to object, to withdraw, to opt
//! out of sale.
//!
//! A [`RightsRequest`] is a state machine that the caller stores; its deadlines come from the [`Clock`]s of the packs, the
//! strictest of those that apply deciding. Work on it is a task for every class and place of an [`Inventory`], and it is
//! not answered before each has its answer. An [`ExportDocument`] is silent about no class.
//!
//! Nobody is treated worse for a request: nothing here is an input of what judges, matches or admits people, and no type
//! of theirs can hold one.
//!
#![doc = include_str!("../docs/request-states.md")]

mod answer;
mod clock;
mod deadlines;
mod error;
mod export;
mod ground;
mod identity;
mod kind;
mod request;
mod status;
mod task;
mod wire;

pub use answer::{ExportBuilder, ExportDocument, ExportRecord};
pub use clock::{Clock, Interval};
pub use deadlines::{Action, ActionKind, Deadlines, Urgency};
pub use error::RightsError;
pub use export::{ExportContent, ExportRule};
pub use ground::RefusalGround;
pub use identity::{ExtensionReason, IdentityProof};
pub use kind::{RequestId, RequestKind};
pub use request::{RightsRequest, Step};
pub use status::{RequestEvent, RequestStatus, TRANSITIONS, Transition, next};
pub use task::{Completeness, Inventory, KeepReason, Place, Task, TaskStatus};
