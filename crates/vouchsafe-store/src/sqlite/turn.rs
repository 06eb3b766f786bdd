//! Turns among the processes that write one database.
//!
//! SQLite lets whoever asks at the right instant write, so a process that writes without a pause can keep another
//! one waiting until it gives up. Whoever wants to write therefore first locks a file beside the database, and keeps
//! that lock until its transaction has begun: the one that has just written queues behind the one that waits.
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::StoreError;

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(2));

/// The lock file; without one (a folder that cannot be written to) everybody takes their chance.
#[derive(Debug)]
pub(super) struct Turnstile(Option<File>);

/// Ends the turn when it is dropped.
pub(super) struct Turn<'a>(Option<&'a File>);

impl Turnstile {
    pub(super) fn beside(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-turn");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self(options.open(name).ok())
    }

    /// Waits for its turn; the caller holds this process's connection.
    pub(super) fn wait(&self, at_most: Duration) -> Result<Turn<'_>, StoreError> {
        let Some(file) = &self.0 else { return Ok(Turn(None)) };
        let begun = Instant::now();
        let (mut pause, longest) = PAUSES;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Turn(Some(file))),
                Err(TryLockError::WouldBlock) if begun.elapsed() < at_most => std::thread::sleep(pause),
                Err(TryLockError::WouldBlock) => return Err(StoreError::Locked),
                // A file system without locks.
                Err(TryLockError::Error(_)) => return Ok(Turn(None)),
            }
            pause = longest.min(pause * 2);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.0 {
            // The operating system ends it with the process at the latest.
            let _ = file.unlock();
        }
    }
}
