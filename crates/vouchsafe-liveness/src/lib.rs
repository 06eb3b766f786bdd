#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod evidence;
mod judge;
mod policy;
mod signal;

pub use judge::PassiveJudge;
pub use policy::PassivePolicy;

#[doc = include_str!("../docs/passive-judge.md")]
pub mod passive_judge {}
