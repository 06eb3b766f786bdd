//! Secret memory: own pages, locked, not dumped, wiped.
//!
//! A secret on the heap shares its page with everything else. The kernel may write that page to swap, put it into
//! a core dump, or hand it to a child process. [`SecretPages`] holds its bytes in a mapping of their own:
//!
//! ```
//! use vouchsafe_pages::SecretPages;
//!
//! let mut key = SecretPages::zeroed(32)?;
//! key.expose_secret_mut().fill(7);
//! assert_eq!(key.expose_secret(), [7; 32]);
//! if !key.protection().locked {
//!     // RLIMIT_MEMLOCK is used up: the secret works, but may reach the swap.
//! }
//! drop(key); // wiped, then unmapped
//! # Ok::<(), vouchsafe_pages::PagesError>(())
//! ```
//!
//! # Where it holds
//!
//! | | Linux, Android | other Unix | elsewhere |
//! |---|---|---|---|
//! | own pages between two inaccessible ones | yes | yes | no, on the heap |
//! | kept out of swap: `mlock` | as far as `RLIMIT_MEMLOCK` allows | as far as the system allows | no |
//! | left out of core dumps: `MADV_DONTDUMP` | yes | no | no |
//! | zero in a forked child: `MADV_WIPEONFORK` | from Linux 4.14 | no | no |
//! | wiped before it is given back | yes | yes | yes |
//!
//! [`SecretPages::protection`] says what the kernel granted. Nothing fails because a protection was refused.
//!
//! # What it does not cover
//! - Hibernation writes locked pages to disk. Encrypt it, or turn it off.
//! - Copies: what is read out of the pages into a variable lives on the stack or the heap.
//! - Whoever may trace the process reads its memory; [`disable_core_dumps`] also refuses tracers that are not root.
//! - A process that is killed wipes nothing. The kernel zeroes pages before it hands them to another process.
//!
//! # What it costs
//! A secret takes whole pages: 4 KiB for a key of 32 bytes, and address space for two more. Making one takes five
//! system calls, and dropping it one: 12 µs for a key, 0.7 ms for a state of 1 MiB, made, touched, wiped and
//! dropped (Linux, x86-64, two cores under load). It is meant for few and lasting secrets, not for one per record.
#![deny(unsafe_code)]

mod dumps;
mod error;
#[cfg(any(not(unix), miri))]
mod heap;
#[cfg(all(unix, not(miri)))]
mod mapping;
mod pages;

pub use dumps::disable_core_dumps;
pub use error::PagesError;
pub use pages::{Protection, SecretPages};
