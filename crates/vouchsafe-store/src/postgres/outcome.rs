//! Commits, and what became of one whose answer is lost.
use std::thread;
use std::time::{Duration, Instant};

use super::error;
use super::link::{Begun, Link, Server};
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
        let answer = self.driver.wait(self.bounds.answer(), async {
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
    /// The number of a transaction has a meaning only where it was given: on another timeline, to which a standby was
    /// promoted, the same number may be that of somebody else's.
    pub(super) fn outcome(&self, begun: &Begun, place: &str) -> Result<(), StoreError> {
        let until = Instant::now() + self.bounds.wait;
        let mut pause = PAUSES.0;
        loop {
            match self.connect().and_then(|link| self.ask(&link, begun, place)) {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => return Err(StoreError::Io),
                Err(StoreError::CommitUnknown) => return Err(StoreError::CommitUnknown),
                Ok(None) | Err(_) => {}
            }
            if Instant::now() >= until {
                return Err(StoreError::CommitUnknown);
            }
            thread::sleep(pause);
            pause = PAUSES.1.min(pause * 2);
        }
    }

    /// Whether it was committed; `None` while it still runs, which this ends.
    fn ask(&self, link: &Link, begun: &Begun, place: &str) -> Result<Option<bool>, StoreError> {
        if link.place != place {
            return Err(StoreError::CommitUnknown);
        }
        self.driver.wait(self.bounds.answer(), async {
            let row = link.client.query_one(STATUS, &[&begun.number]).await.map_err(error::statement)?;
            match row.try_get::<_, Option<String>>(0).map_err(error::statement)?.as_deref() {
                Some("committed") => Ok(Some(true)),
                Some("aborted") => Ok(Some(false)),
                Some(_) => {
                    // Its server process has not noticed that nobody listens; ended, it has an outcome.
                    link.client.query(END, &[&begun.number]).await.map_err(error::statement)?;
                    Ok(None)
                }
                // Older than what the server keeps.
                None => Err(StoreError::CommitUnknown),
            }
        })
    }
}

const STATUS: &str = "SELECT pg_xact_status($1::text::xid8)";
const END: &str = "\
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE backend_xid = $1::text::xid8::xid AND usename = current_user AND pid <> pg_backend_pid()";
