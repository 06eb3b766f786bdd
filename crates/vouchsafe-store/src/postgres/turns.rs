//! Turns among the writers of this process, so that those who wait for one organisation hold no connection.
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use vouchsafe_types::OrganisationId;

use crate::StoreError;

#[derive(Debug, Default)]
pub(super) struct Turns {
    queues: Mutex<Queues>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Queues {
    next: u64,
    /// The tickets of those who write or wait, in the order of arrival; nobody's queue is not there.
    of: HashMap<OrganisationId, VecDeque<u64>>,
}

/// A place in a queue; it is given up when it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    organisation: &'a OrganisationId,
    ticket: u64,
}

impl Turns {
    /// Waits until an instant for those who came before; [`StoreError::Locked`] then.
    pub(super) fn take<'a>(
        &'a self,
        organisation: &'a OrganisationId,
        until: Instant,
    ) -> Result<Turn<'a>, StoreError> {
        let mut queues = self.queues();
        let ticket = queues.next;
        queues.next += 1;
        queues.of.entry(organisation.clone()).or_default().push_back(ticket);
        let turn = Turn { turns: self, organisation, ticket };
        while queues.of.get(organisation).and_then(VecDeque::front) != Some(&ticket) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(queues);
                drop(turn);
                return Err(StoreError::Locked);
            }
            queues = self.moved.wait_timeout(queues, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        drop(queues);
        Ok(turn)
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        if let Some(queue) = queues.of.get_mut(self.organisation) {
            queue.retain(|ticket| *ticket != self.ticket);
            if queue.is_empty() {
                queues.of.remove(self.organisation);
            }
        }
        drop(queues);
        self.turns.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn organisation(name: &str) -> OrganisationId {
        OrganisationId::parse(name).unwrap()
    }

    fn soon(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    #[test]
    fn each_organisation_has_one_turn_at_a_time_in_the_order_of_arrival() {
        let (turns, acme, other) = (Turns::default(), organisation("acme"), organisation("other"));
        let first = turns.take(&acme, soon(0)).unwrap();
        let beside = turns.take(&other, soon(0));
        assert!(beside.is_ok());
        assert_eq!(turns.take(&acme, soon(20)).map(drop), Err(StoreError::Locked));
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..5 {
                let (turns, acme, order) = (&turns, &acme, &order);
                let waiting = || turns.queues().of.get(acme).map_or(0, VecDeque::len);
                let before = waiting();
                scope.spawn(move || {
                    let _turn = turns.take(acme, soon(10_000)).unwrap();
                    order.lock().unwrap().push(number);
                });
                while waiting() == before {
                    thread::yield_now();
                }
            }
            drop(first);
        });
        assert_eq!(order.into_inner().unwrap(), [0, 1, 2, 3, 4]);
        drop(beside);
        assert!(turns.queues().of.is_empty());
    }
}
