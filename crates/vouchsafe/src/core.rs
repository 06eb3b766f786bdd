//! What every use case shares: one act = the key state under its shared lock + one database transaction.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use vouchsafe_envelope::{KeyPorts, KeyRing, OrganisationState, Sweeper};
use vouchsafe_ledger::{CosignedSizes, LogSigner, Publisher};
use vouchsafe_store::Transaction;
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, Timestamp};

use crate::Error;
use crate::act::Act;
use crate::alarms::Alarms;
use crate::jobs::JobKind;
use crate::logs::{self, Log};
use crate::ports::Ports;

/// An entry with its number.
pub(crate) type Seen = Option<(u64, Vec<u8>)>;

pub(crate) struct Core {
    pub(crate) ports: Ports,
    pub(crate) ring: Arc<KeyRing>,
    /// Wipes expired key states while nobody calls.
    _sweeper: Option<Sweeper>,
    /// Alarms that were heard and are not in the log yet.
    pub(crate) alarms: Arc<Alarms>,
    /// Leaf indices that were allocated and not used; a crash leaves holes, never a reuse.
    spare: Mutex<HashMap<(OrganisationId, DataClass), Vec<LeafIndex>>>,
    /// Organisations whose database is known not to be behind their published log.
    checked: Mutex<HashSet<OrganisationId>>,
    /// Publishers that know the edge of their log, so that publishing costs what is new.
    publishers: Mutex<HashMap<OrganisationId, Publisher>>,
    /// Up to where each witness is known to have cosigned each log; it saves a question and no more.
    cosigned: Mutex<HashMap<OrganisationId, CosignedSizes>>,
    /// The newest entry that this process has seen of each organisation, with its number.
    newest: Mutex<HashMap<OrganisationId, (u64, Vec<u8>)>>,
}

impl Core {
    pub(crate) fn new(ports: Ports) -> Self {
        let alarms = Arc::new(Alarms::before(Arc::clone(&ports.audit)));
        let key_ports = KeyPorts::new(
            Arc::clone(&ports.keys),
            Arc::clone(&ports.states),
            Arc::clone(&ports.fences),
            Arc::clone(&ports.entropy),
            Arc::clone(&ports.ticks),
        );
        let heard: Arc<Alarms> = Arc::clone(&alarms);
        let ring = Arc::new(KeyRing::with_cache(key_ports.with_audit(heard), ports.cache));
        // Without a thread for it, expired states are wiped at the next call; they are served to nobody.
        let sweeper = Sweeper::start(&ring).ok();
        Self {
            ports,
            ring,
            _sweeper: sweeper,
            alarms,
            spare: Mutex::default(),
            checked: Mutex::default(),
            publishers: Mutex::default(),
            cosigned: Mutex::default(),
            newest: Mutex::default(),
        }
    }

    /// The instant now, cut to the microseconds that rows hold.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.ports.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Runs one act: state lock first, then the transaction, so that a destruction never waits for itself.
    ///
    /// `classes` are those of which the act may need a new leaf; they are allocated before any lock is taken.
    pub(crate) fn act<T>(
        &self,
        organisation: &OrganisationId,
        classes: &[DataClass],
        act: impl FnOnce(&mut Act<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ensure_not_behind(organisation)?;
        self.act_unchecked(organisation, classes, act)
    }

    /// As [`Self::act`], for the recovery itself.
    pub(crate) fn act_unchecked<T>(
        &self,
        organisation: &OrganisationId,
        classes: &[DataClass],
        act: impl FnOnce(&mut Act<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = self.act_once(organisation, classes, act);
        // Also what failed may have rung: its own transaction is gone, the alarm's is not.
        self.log_alarms(organisation);
        result
    }

    /// As [`Self::act_unchecked`], and leaves alarms to others.
    pub(crate) fn act_once<T>(
        &self,
        organisation: &OrganisationId,
        classes: &[DataClass],
        act: impl FnOnce(&mut Act<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut spare = classes
            .iter()
            .map(|class| Ok((*class, self.take_leaf(organisation, *class)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let (asked, called) = (self.now(), self.ports.ticks.elapsed());
        let result: Result<_, Error> = self.ring.with_state(organisation, |state| {
            let seen = self.seen(organisation);
            vouchsafe_store::write(&*self.ports.store, organisation, |rows| {
                // What ended during a long wait for keys or writer has ended.
                let waited = self.ports.ticks.elapsed().saturating_sub(called).as_secs();
                let now = asked.saturating_add(SignedDuration::from_secs(waited.min(3600).cast_signed()));
                let now = now.unwrap_or(asked);
                self.ensure_continued(organisation, rows, seen)?;
                let mut act_in_progress =
                    Act { core: self, organisation, state, rows, now, spare: &mut spare };
                let value = act(&mut act_in_progress)?;
                Ok::<_, Error>((value, newest_entry(act_in_progress.rows, organisation)?))
            })
        })?;
        lock(&self.spare, |pool| {
            for (class, leaf) in spare {
                pool.entry((organisation.clone(), class)).or_default().push(leaf);
            }
        });
        let (value, newest) = result?;
        self.remember(organisation, newest);
        Ok(value)
    }

    /// Looks at the key state and one snapshot of the rows; nothing is changed.
    pub(crate) fn look<T>(
        &self,
        organisation: &OrganisationId,
        look: impl FnOnce(&OrganisationState, &mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ensure_not_behind(organisation)?;
        let looked = self.ring.with_state(organisation, |state| {
            let seen = self.seen(organisation);
            vouchsafe_store::read(&*self.ports.store, organisation, |rows| {
                self.ensure_continued(organisation, rows, seen)?;
                look(state, rows)
            })
        });
        // Whoever looks may have rung.
        self.log_alarms(organisation);
        looked?
    }

    /// The newest entry that this process has seen. It is asked for before a snapshot is taken: what others commit
    /// meanwhile is not in the snapshot.
    pub(crate) fn seen(&self, organisation: &OrganisationId) -> Seen {
        lock(&self.newest, |newest| newest.get(organisation).cloned())
    }

    /// Refuses rows that lack an entry that this process has seen: the database was replaced underneath it.
    pub(crate) fn ensure_continued(
        &self,
        organisation: &OrganisationId,
        rows: &mut dyn Transaction,
        seen: Seen,
    ) -> Result<(), Error> {
        let Some((number, bytes)) = seen else { return Ok(()) };
        if rows.entries(organisation, number, 1)?.first() == Some(&bytes) {
            return Ok(());
        }
        lock(&self.checked, |checked| checked.remove(organisation));
        Err(Error::RecoveryRequired)
    }

    fn remember(&self, organisation: &OrganisationId, entry: Option<(u64, Vec<u8>)>) {
        let Some((number, bytes)) = entry else { return };
        lock(&self.newest, |newest| {
            let seen = newest.entry(organisation.clone()).or_insert_with(|| (number, bytes.clone()));
            if seen.0 < number {
                *seen = (number, bytes);
            }
        });
    }

    /// Forgets what was seen and reserved before a recovery.
    pub(crate) fn forget(&self, organisation: &OrganisationId) {
        lock(&self.newest, |newest| newest.remove(organisation));
        lock(&self.publishers, |publishers| publishers.remove(organisation));
        lock(&self.spare, |spare| spare.retain(|(owner, _), _| owner != organisation));
        self.ring.forget_reserved(organisation);
    }

    fn take_leaf(&self, organisation: &OrganisationId, class: DataClass) -> Result<LeafIndex, Error> {
        let pooled = lock(&self.spare, |pool| pool.get_mut(&(organisation.clone(), class))?.pop());
        pooled.map_or_else(|| Ok(self.ring.allocate(organisation, class)?), Ok)
    }

    /// Refuses to go on where the published log knows entries that the database does not (a restored backup).
    pub(crate) fn ensure_not_behind(&self, organisation: &OrganisationId) -> Result<(), Error> {
        if lock(&self.checked, |checked| checked.contains(organisation)) {
            return Ok(());
        }
        // The gate's own word says more.
        self.ring.with_state(organisation, |_| ())?;
        // A restored database waits for its recovery, even where nothing happened since the backup.
        if self.awaits_recovery(organisation)? {
            return Err(Error::RecoveryRequired);
        }
        if Log::open(self, organisation)?.is_behind(self)? || self.rows_contradict_keys(organisation)? {
            return Err(Error::RecoveryRequired);
        }
        self.mark_checked(organisation);
        Ok(())
    }

    /// Whether a restore left the organisation to its recovery.
    pub(crate) fn awaits_recovery(&self, organisation: &OrganisationId) -> Result<bool, Error> {
        vouchsafe_store::read(&*self.ports.store, organisation, |rows| {
            Ok(rows.unfinished_job(organisation, JobKind::Recovery.code())?.is_some())
        })
    }

    pub(crate) fn mark_checked(&self, organisation: &OrganisationId) {
        lock(&self.checked, |checked| checked.insert(organisation.clone()));
    }

    pub(crate) fn signer(&self, state: &OrganisationState) -> Result<LogSigner, Error> {
        Ok(LogSigner::from_seed(&logs::origin(state), &state.log_seed())?)
    }

    pub(crate) fn take_publisher(&self, organisation: &OrganisationId) -> Option<Publisher> {
        lock(&self.publishers, |publishers| publishers.remove(organisation))
    }

    pub(crate) fn take_cosigned(&self, organisation: &OrganisationId) -> CosignedSizes {
        lock(&self.cosigned, |cosigned| cosigned.remove(organisation)).unwrap_or_default()
    }

    pub(crate) fn keep_cosigned(&self, organisation: &OrganisationId, sizes: CosignedSizes) {
        lock(&self.cosigned, |cosigned| cosigned.insert(organisation.clone(), sizes));
    }

    pub(crate) fn keep_publisher(&self, organisation: &OrganisationId, publisher: Publisher) {
        lock(&self.publishers, |publishers| publishers.insert(organisation.clone(), publisher));
    }
}

fn newest_entry(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let Some(number) = rows.entry_count(organisation)?.checked_sub(1) else { return Ok(None) };
    Ok(rows.entries(organisation, number, 1)?.pop().map(|bytes| (number, bytes)))
}

fn lock<T, R>(mutex: &Mutex<T>, act: impl FnOnce(&mut T) -> R) -> R {
    let mut guard: MutexGuard<'_, T> = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    act(&mut guard)
}
