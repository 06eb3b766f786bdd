//! Requests of persons by right: to know, to export, to correct, to delete, to restrict, to object, to withdraw, to opt
//! out of sale.

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
