//! The facade as its callers use it.

mod folder;
mod life;
mod log;
mod photographs;
mod scene;
mod two_processes;
