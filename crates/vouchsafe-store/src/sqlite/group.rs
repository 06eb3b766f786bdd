//! Group commit: the callers of one process share a transaction and its fsync.
//!
//! A batch is one open transaction of the single writing connection. A caller takes the lock, joins the open batch
//! (or begins one), runs its closure on its own thread between `SAVEPOINT` and `RELEASE`, gives the lock back and
//! waits for the outcome of the batch. Whoever leaves and finds that nobody wants to join, or that the batch is full
//! or old, commits for all.
//!
//! Those that the last commit woke are likely to write again at once. While fewer have joined than then, the first
//! one that finds nobody joining becomes the steward: it yields its turn on the processor for as long as others keep
//! coming, then commits. A single writer never waits.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use vouchsafe_types::OrganisationId;

use super::engine::SqliteEngine;
use super::turn::Turnstile;
use super::{BUSY_WAIT, mapped};
use crate::StoreError;
use crate::port::Transaction;
use crate::sql::Rows;

/// After so many closures, or so long after its begin, a batch commits although others want to join: members wait no
/// longer, and other processes get their turn.
const MOST_MEMBERS: usize = 256;
const LONGEST: Duration = Duration::from_millis(2);
/// How long a steward waits for the next one to join: a quarter of the last commit, within these bounds.
const PATIENCE: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(1));

/// The writing connection and its open batch.
///
/// INVARIANT (no batch is forgotten): while the lock is free, a batch is open only if `joining` is above zero or the
/// batch has a steward. Each of those that `joining` counts takes the lock next, and commits or leaves on the same
/// condition; the steward comes back.
#[derive(Debug)]
pub(super) struct Group {
    writer: Mutex<Writer>,
    joining: AtomicUsize,
    /// How many have joined a batch, ever.
    joined: AtomicUsize,
    turnstile: Turnstile,
    /// How long after its begin a batch commits although others want to join.
    longest: Duration,
}

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    batch: Option<Batch>,
    /// How many members the last batch had.
    last: usize,
    patience: Duration,
}

#[derive(Debug)]
struct Batch {
    begun: Instant,
    members: usize,
    has_steward: bool,
    outcome: Outcome,
    waiting: Vec<Thread>,
}

/// How a batch ended, once it has.
type Outcome = Arc<OnceLock<Result<(), StoreError>>>;

impl Group {
    pub(super) const fn new(connection: Connection, turnstile: Turnstile) -> Self {
        let writer = Mutex::new(Writer { connection, batch: None, last: 0, patience: PATIENCE.0 });
        Self {
            writer,
            joining: AtomicUsize::new(0),
            joined: AtomicUsize::new(0),
            turnstile,
            longest: LONGEST,
        }
    }

    /// Runs the closure in a batch; returns when the batch is on the disk.
    pub(super) fn write(
        &self,
        organisation: &OrganisationId,
        act: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut member = self.join()?;
        let Some(writer) = &member.writer else { return Err(StoreError::Aborted) };
        let engine = SqliteEngine::new(&writer.connection);
        let verdict = act(&mut Rows::new(&engine, organisation));
        let lost = engine.lost();
        let Some(writer) = member.writer.take() else { return Err(StoreError::Aborted) };
        let (outcome, duty) = self.leave(writer, verdict, lost)?;
        if let Duty::Steward { patience } = duty {
            self.attend(&outcome, patience);
        }
        wait_for(&outcome)
    }

    /// The connection outside of any batch.
    pub(super) fn exclusive(&self) -> MutexGuard<'_, Writer> {
        let mut writer = self.lock();
        wake(writer.commit());
        writer
    }

    /// Empties the write-ahead log.
    pub(super) fn truncate_log(&self) -> Result<(), StoreError> {
        let writer = self.exclusive();
        let _turn = self.turnstile.wait(BUSY_WAIT)?;
        writer.connection.busy_timeout(BUSY_WAIT).map_err(mapped)?;
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = writer.connection.query_row(truncate, [], |row| row.get(0)).map_err(mapped)?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Locked) }
    }

    #[cfg(test)]
    pub(super) const fn set_longest(&mut self, longest: Duration) {
        self.longest = longest;
    }

    #[cfg(test)]
    pub(super) fn joining(&self) -> usize {
        self.joining.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.writer.try_lock().is_err()
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        // A poisoned lock only means that a closure panicked; its member left the batch on unwind.
        self.writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn join(&self) -> Result<Member<'_>, StoreError> {
        let called = Instant::now();
        self.joining.fetch_add(1, Ordering::SeqCst);
        let mut writer = self.lock();
        self.joining.fetch_sub(1, Ordering::SeqCst);
        self.joined.fetch_add(1, Ordering::Relaxed);
        if writer.batch.is_none() {
            self.begin(&mut writer, BUSY_WAIT.saturating_sub(called.elapsed()))?;
        }
        let member = Member { group: self, writer: Some(writer) };
        if let Some(writer) = &member.writer {
            writer.execute("SAVEPOINT member")?;
        }
        Ok(member)
    }

    fn begin(&self, writer: &mut Writer, at_most: Duration) -> Result<(), StoreError> {
        let _turn = self.turnstile.wait(at_most)?;
        writer.connection.busy_timeout(at_most).map_err(mapped)?;
        if !writer.connection.is_autocommit() {
            writer.execute("ROLLBACK")?;
        }
        writer.execute("BEGIN IMMEDIATE")?;
        writer.batch = Some(Batch::new());
        Ok(())
    }

    /// Ends the membership, and the batch if it is due.
    ///
    /// Returns: where the outcome of the batch will stand, and what is left to do for it.
    fn leave(
        &self,
        mut writer: MutexGuard<'_, Writer>,
        verdict: Result<(), StoreError>,
        lost: Option<StoreError>,
    ) -> Result<(Outcome, Duty), StoreError> {
        let Some(outcome) = writer.batch.as_ref().map(|batch| Arc::clone(&batch.outcome)) else {
            return Err(StoreError::Aborted);
        };
        let (mut duty, mut woken) = (Duty::None, Vec::new());
        match writer.close_member(verdict.is_ok(), lost) {
            Err(error) => woken = writer.end(Err(error)),
            Ok(()) => {
                // Relied on: INVARIANT (no batch is forgotten).
                let others_join = self.joining.load(Ordering::SeqCst) > 0;
                duty = writer.duty(self.longest, others_join, verdict.is_ok());
                if duty == Duty::Commit {
                    woken = writer.commit();
                }
            }
        }
        drop(writer);
        wake(woken);
        verdict.map(|()| (outcome, duty))
    }

    /// Keeps the batch open while others join, then commits it unless somebody has.
    fn attend(&self, outcome: &Outcome, patience: Duration) {
        let (mut seen, mut since) = (self.joined.load(Ordering::Relaxed), Instant::now());
        while outcome.get().is_none() && since.elapsed() < patience {
            thread::yield_now();
            let joined = self.joined.load(Ordering::Relaxed);
            if joined != seen {
                (seen, since) = (joined, Instant::now());
            }
        }
        if outcome.get().is_some() {
            return;
        }
        let mut writer = self.lock();
        let open = writer.batch.as_ref().is_some_and(|batch| Arc::ptr_eq(&batch.outcome, outcome));
        let woken = if open { writer.commit() } else { Vec::new() };
        drop(writer);
        wake(woken);
    }
}

/// What a member that leaves still does for its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    None,
    Commit,
    Steward { patience: Duration },
}

/// A caller in the batch. One that unwinds leaves nothing of its own, and keeps nobody waiting.
struct Member<'a> {
    group: &'a Group,
    writer: Option<MutexGuard<'a, Writer>>,
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // It has no verdict to hear.
            let _ = self.group.leave(writer, Err(StoreError::Aborted), None);
        }
    }
}

impl Batch {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            members: 0,
            has_steward: false,
            outcome: Outcome::default(),
            waiting: Vec::new(),
        }
    }
}

impl Writer {
    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        let run = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        run.map(drop).map_err(mapped)
    }

    /// Keeps or undoes what the member did. An error means that the batch is lost.
    fn close_member(&mut self, keep: bool, lost: Option<StoreError>) -> Result<(), StoreError> {
        // A full disk or a failed write may have rolled back the whole transaction.
        if self.connection.is_autocommit() {
            return Err(lost.unwrap_or(StoreError::Io));
        }
        if !keep {
            self.execute("ROLLBACK TO member")?;
        }
        self.execute("RELEASE member")?;
        if let Some(batch) = &mut self.batch {
            batch.members += 1;
        }
        Ok(())
    }

    /// What the member that leaves has to do; one that stays to wait is listed among those to wake.
    fn duty(&mut self, longest: Duration, others_join: bool, waits: bool) -> Duty {
        let Some(batch) = &mut self.batch else { return Duty::None };
        let due = batch.members >= MOST_MEMBERS || batch.begun.elapsed() >= longest;
        let complete = batch.members >= self.last || !(waits || batch.has_steward);
        if due || (complete && !others_join) {
            return Duty::Commit;
        }
        if waits {
            batch.waiting.push(thread::current());
        }
        if others_join || batch.has_steward {
            return Duty::None;
        }
        batch.has_steward = true;
        Duty::Steward { patience: self.patience }
    }

    /// Commits the open batch, if there is one, and gives those to wake.
    fn commit(&mut self) -> Vec<Thread> {
        if self.batch.is_none() {
            return Vec::new();
        }
        let begun = Instant::now();
        let committed = self.execute("COMMIT");
        self.patience = (begun.elapsed() / 4).clamp(PATIENCE.0, PATIENCE.1);
        self.end(committed)
    }

    fn end(&mut self, how: Result<(), StoreError>) -> Vec<Thread> {
        if !self.connection.is_autocommit() {
            // If even that fails, the next batch tries it again before it begins.
            let _ = self.execute("ROLLBACK");
        }
        let Some(batch) = self.batch.take() else { return Vec::new() };
        self.last = batch.members;
        // Set here only, once: the batch is gone.
        let _ = batch.outcome.set(how);
        batch.waiting
    }
}

fn wait_for(outcome: &Outcome) -> Result<(), StoreError> {
    loop {
        match outcome.get() {
            Some(how) => return *how,
            None => thread::park(),
        }
    }
}

fn wake(threads: Vec<Thread>) {
    threads.iter().for_each(Thread::unpark);
}
