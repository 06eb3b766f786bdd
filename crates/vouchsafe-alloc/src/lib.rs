//! A global allocator that wipes memory before it is given back.
//!
//! Types that hold a secret wipe themselves, but a secret also passes through buffers nobody wrapped: the scratch
//! tensors of an inference engine, a `Vec` that outgrew its block, the temporary of a decoder. A library cannot
//! choose the allocator of the program it is part of, so this one is offered for the program to install:
//!
//! ```
//! use vouchsafe_alloc::WipingAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: WipingAllocator = WipingAllocator::system();
//!
//! fn main() {
//!     let mut scratch = vec![7_u8; 4096];
//!     scratch.push(7); // the block of 4,096 bytes is zeroed, then freed
//!     drop(scratch); // and so is its successor
//! }
//! ```
//!
//! # What it covers
//! Every block that Rust code gives back through the global allocator: `Box`, `Vec`, `String`, `Arc`, collections,
//! the tensors of a pure-Rust engine. A block that is resized moves through a fresh block, and the old one is wiped.
//! The wipe is a `memset` behind an optimisation barrier: it runs at the speed of memory and the optimiser cannot
//! take it out as a dead store.
//!
//! # What it does not cover
//! - Blocks still alive: a leaked block, a `static`, a cache, a thread that never ends. The wipe happens at the free.
//! - C libraries, which call `malloc` and `free` themselves. The bundled SQLite is one: nothing secret in clear is
//!   handed to it.
//! - Stacks and registers: a key copied to the stack by a function stays there until the frame is overwritten.
//! - Pages that the kernel wrote to swap, hibernation images and core dumps. Turn those off, or encrypt them.
//! - Memory maps made without the allocator.
//!
//! Without this allocator, freed copies of crops, tensors and embeddings linger in the heap until something else is
//! written over them.
//!
//! # What it costs
//! One `memset` of each freed block, and a copy where the system allocator could have grown a block in place. A
//! block that was reserved but never written is touched by the wipe, and so becomes resident before it is freed.
//! `cargo bench -p vouchsafe-alloc` measures it against the system allocator; the figures stand at
//! [`WipingAllocator`].
#![deny(unsafe_code)]

mod wiping;

pub use wiping::WipingAllocator;
