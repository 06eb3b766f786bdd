//! Commits, and what became of one whose answer is lost.
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use super::error;
use super::link::{Begun, Link, Place, Server};
use crate::StoreError;

/// The first and the longest pause between two tries.
pub(super) const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// How a commit ended.
pub(super) enum Ended {
    Committed,
    /// The server said why not.
    Refused(StoreError),
    /// No answer came: the connection is of no use any more.
    Lost,
}

impl Server {
    pub(super) fn commit(&self, link: &Link) -> Ended {
        let mut verdict = None;
        let answer = link.driver.wait(self.bounds.answer(), async {
            link.client.batch_execute("COMMIT").await.map_err(|said| {
                verdict = error::is_verdict(&said).then(|| error::statement(said));
                StoreError::Io
            })
        });
        match (answer, verdict) {
            (Ok(()), _) => Ended::Committed,
            (Err(_), Some(why)) => Ended::Refused(why),
            (Err(_), None) => Ended::Lost,
        }
    }

    /// Asks a new connection what became of the transaction, for a bounded time.
    ///
    /// The number of a transaction has a meaning only where it was given. On another timeline, to which a standby was
    /// promoted, the same number may be that of somebody else's. So it may be after a crash, if nothing that bore the
    /// number had reached the disk; then the transaction was not committed, but what took its number may have been.
    pub(super) fn outcome(&self, begun: &Begun, place: &Place) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            // Its server process may still have the commit before it.
            let patient = asked.elapsed() < self.bounds.wait / 2;
            match self.connect().and_then(|link| self.ask(&link, begun, place, patient)) {
                Ok(Some(Fate::Committed)) => return Ok(()),
                Ok(Some(Fate::Undone)) => return Err(StoreError::Io),
                Ok(Some(Fate::Unknown)) => return Err(StoreError::CommitUnknown),
                Ok(None) | Err(_) => {}
            }
            if asked.elapsed() >= self.bounds.wait {
                return Err(StoreError::CommitUnknown);
            }
            thread::sleep(pause);
            pause = PAUSES.1.min(pause * 2);
        }
    }

    /// What became of it; `None` while it still runs, which this ends unless it is patient.
    fn ask(
        &self,
        link: &Link,
        begun: &Begun,
        place: &Place,
        patient: bool,
    ) -> Result<Option<Fate>, StoreError> {
        if link.place.timeline != place.timeline {
            return Ok(Some(Fate::Unknown));
        }
        let crashed = link.place.epoch != place.epoch;
        link.driver.wait(self.bounds.answer(), async {
            let row = match link.client.query_one(STATUS, &[&begun.number]).await {
                Ok(row) => row,
                // A number that the server has yet to give was never on its disk.
                Err(said) if said.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => {
                    return Ok(Some(Fate::Undone));
                }
                Err(said) => return Err(error::statement(said)),
            };
            match (row.try_get::<_, Option<String>>(0).map_err(error::statement)?.as_deref(), crashed) {
                (Some("committed"), false) => Ok(Some(Fate::Committed)),
                (Some("aborted"), _) | (Some("in progress"), true) => Ok(Some(Fate::Undone)),
                (Some("in progress"), false) => {
                    if !patient {
                        // It has not noticed that nobody listens; ended, it has an outcome.
                        link.client.query(END, &[&begun.number]).await.map_err(error::statement)?;
                    }
                    Ok(None)
                }
                // Also one older than what the server keeps.
                _ => Ok(Some(Fate::Unknown)),
            }
        })
    }
}

enum Fate {
    Committed,
    Undone,
    Unknown,
}

const STATUS: &str = "SELECT pg_xact_status($1::text::xid8)";
const END: &str = "\
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE backend_xid = $1::text::xid8::xid AND usename = current_user AND pid <> pg_backend_pid()";
