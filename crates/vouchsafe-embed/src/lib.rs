//! Capture sessions that consume media and give face embeddings.
//!
//! ```text
//! bytes ─decode─▶ Image ─CaptureSession(permit)─▶ detect ▸ landmarks ▸ quality ▸ judge ▸ align ─▶ LiveFace ─embed─▶ FaceEmbedding
//! ```
//!
//! Decoding is free; everything after it takes a [`Permit`](vouchsafe_consent::Permit). No frame reaches an
//! embedding around the session: were other pixels judged than matched, a stolen photograph would pass behind the
//! thief's own live face. Frames, crops, points, model inputs and outputs, and embeddings are wiped on drop.
//!
//! # Features
//!
//! | feature | what it adds | semver stable? |
//! |---|---|---|
//! | `engine-tract` | `FaceEngine::load`: inference in pure Rust | yes |
//! | `bundled-models` | `ModelSet::bundled`: the weights inside the binary | yes |
//! | `test-util` | `danger::supplied_embedding` | no |
//!
//! # What is not wiped
//!
//! The inference engine's own intermediate tensors and packed copies, and the decoders' scratch rows. They are
//! freed when a call returns, not overwritten; a process that must not leave them in memory installs a global
//! allocator that wipes on free. The engine keeps packed copies as long as its thread lives, so each run has a
//! thread of its own. The stack that decoding, capture and inference used is overwritten.
#![deny(unsafe_code)]

mod align;
pub mod danger;
mod detect;
mod embedding;
mod engine;
mod error;
mod image;
mod landmark;
mod live;
mod manifest;
mod model;
mod port;
mod quality;
mod sample;
mod scene;
mod session;
mod stack;
#[cfg(feature = "engine-tract")]
mod tract;

pub use detect::FaceBox;
pub use embedding::FaceEmbedding;
pub use engine::{FaceEngine, Graphs};
pub use error::EmbedError;
pub use image::{Image, Limits};
pub use live::LiveFace;
pub use model::{ModelRole, ModelSet};
pub use port::{Assurance, Inference, Judge, Judgement, Outputs};
pub use quality::CapturePolicy;
pub use scene::{Crop, Eye, FaceScene};
pub use session::CaptureSession;
