//! What a folder holds, read beside the facade: rows by SQL, keys past the start-up gate.
//!
//! Opening a folder this way changes nothing in it, except that SQLite takes over the write-ahead log of a killed
//! process.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use vouchsafe_envelope::port::{KeyHandle, KeyService, StateStore};
use vouchsafe_envelope::{Context, EnvelopeError, OrganisationState, test_util};
use vouchsafe_keys::{FolderStates, KeyFile};
use vouchsafe_store::{ConsentRow, Holding, PayloadRow, RecordRow, ServedRow, SqliteStore, StoreError, read};
use vouchsafe_types::{LeafIndex, OrganisationId, SecretBytes, SubjectPseudonym, Timestamp};

use crate::scene::{Failure, SCOPE, database, organisation_id};

const ALL: u32 = u32::MAX;

/// A folder, opened cold.
pub struct Cold {
    store: SqliteStore,
    service: Arc<dyn KeyService>,
    states: FolderStates,
    organisation: OrganisationId,
    file: Connection,
}

impl Cold {
    /// Opens the database in `folder/data` beside the keys in `folder/keys`.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        Self::open_beside(&database(folder), &folder.join("keys"))
    }

    /// Opens a database beside a folder of keys.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn open_beside(database: &Path, keys: &Path) -> Result<Self, Failure> {
        let service = Arc::new(KeyFile::open(keys.join("service.keys"))?);
        Self::open_with(database, keys, service)
    }

    /// Opens a database beside a folder of key states, with a key service.
    ///
    /// # Errors
    /// The adapters' own.
    pub fn open_with(database: &Path, keys: &Path, service: Arc<dyn KeyService>) -> Result<Self, Failure> {
        let states = FolderStates::open(keys.join("state"))?;
        let file = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(Self {
            store: SqliteStore::open(database)?,
            service,
            states,
            organisation: organisation_id()?,
            file,
        })
    }

    /// Runs one SQL query that gives numbers.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn numbers(&self, sql: &str) -> Result<Vec<i64>, Failure> {
        let mut statement = self.file.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What SQLite itself finds wrong with the file: damage and rows that refer to nothing.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn damage(&self) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
            let mut statement = self.file.prepare(pragma)?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            found.extend(rows.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|said| said != "ok"));
        }
        Ok(found)
    }

    /// The tables with rows that have outlived what they belong to, with their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn orphans(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.orphans(&self.organisation))
    }

    /// Every entry of the log, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.entries(&self.organisation, 0, ALL))
    }

    /// Every holding, in the order of leaves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn holdings(&self) -> Result<Vec<Holding>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.holdings(&self.organisation, None, ALL))
    }

    /// The sealed template under a leaf.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record(&self, leaf: LeafIndex) -> Result<Option<RecordRow>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.record(&self.organisation, leaf))
    }

    /// Every sealed payload, with the number of its entry.
    ///
    /// # Errors
    /// [`StoreError`] or SQLite's own.
    pub fn payloads(&self) -> Result<Vec<(u64, PayloadRow)>, Failure> {
        let entries = self.numbers("SELECT entry FROM payload ORDER BY entry")?;
        read(&self.store, &self.organisation, |rows| {
            let mut found = Vec::with_capacity(entries.len());
            for entry in entries {
                let entry = u64::try_from(entry)?;
                let payload = rows.payload(&self.organisation, entry)?.ok_or(StoreError::Damaged)?;
                found.push((entry, payload));
            }
            Ok(found)
        })
    }

    /// The newest act of consent of a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn consent(&self, person: SubjectPseudonym) -> Result<Option<ConsentRow>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.consent(&self.organisation, person, SCOPE))
    }

    /// All acts of consent of a person, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn consents(&self, person: SubjectPseudonym) -> Result<Vec<ConsentRow>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.consent_acts(&self.organisation, person, SCOPE))
    }

    /// What was shown to a person, in the order of the log.
    ///
    /// # Errors
    /// [`StoreError`] or SQLite's own.
    pub fn served(&self, person: SubjectPseudonym) -> Result<Vec<ServedRow>, Failure> {
        let mut statement =
            self.file.prepare_cached("SELECT ticket FROM served WHERE subject = ?1 ORDER BY entry")?;
        let tickets = statement.query_map([person.as_bytes()], |row| row.get(0))?;
        let tickets = tickets.collect::<Result<Vec<[u8; 16]>, _>>()?;
        read(&self.store, &self.organisation, |rows| {
            let mut served = Vec::with_capacity(tickets.len());
            for ticket in tickets {
                served.push(rows.served(&self.organisation, ticket)?.ok_or(StoreError::Damaged)?);
            }
            Ok(served)
        })
    }

    /// When a person last acted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_act(&self, person: SubjectPseudonym) -> Result<Option<Timestamp>, StoreError> {
        read(&self.store, &self.organisation, |rows| rows.last_interaction(&self.organisation, person))
    }

    /// The generations of the state keys at the key service.
    ///
    /// # Errors
    /// The key service's own.
    pub fn generations(&self) -> Result<Vec<u64>, Failure> {
        Ok(self.service.list(&self.organisation)?.iter().map(KeyHandle::generation).collect())
    }

    /// Lends the unsealed key state to a closure: the stored one, whatever a gate would say.
    ///
    /// # Errors
    /// As [`test_util::ungated_state`].
    pub fn with_state<R>(&self, act: impl FnOnce(&OrganisationState) -> R) -> Result<R, EnvelopeError> {
        let state = test_util::ungated_state(&*self.service, &self.states, &self.organisation)?;
        Ok(act(&state))
    }

    /// Whether the state store holds a state at all.
    ///
    /// # Errors
    /// The state store's own.
    pub fn has_state(&self) -> Result<bool, Failure> {
        Ok(self.states.version(&self.organisation)?.is_some())
    }

    /// The context that a sealed template is bound to.
    pub fn record_context(&self, holding: &Holding, record: &RecordRow) -> Context {
        Context {
            record: record.id,
            model: Some(record.model),
            dimension: Some(record.dimension),
            scope: holding.scope,
            ..self.payload_context(
                holding,
                &PayloadRow {
                    leaf: holding.leaf,
                    id: record.id,
                    key_version: record.key_version,
                    sealed: Vec::new(),
                },
            )
        }
    }

    fn payload_context(&self, holding: &Holding, payload: &PayloadRow) -> Context {
        Context {
            organisation: self.organisation.clone(),
            leaf: holding.leaf,
            class: holding.class,
            scope: None,
            record: payload.id,
            model: None,
            dimension: None,
            key_version: payload.key_version,
        }
    }

    /// Opens a sealed template with the keys that are left.
    ///
    /// # Errors
    /// [`EnvelopeError::Destroyed`], [`EnvelopeError::NotAuthentic`].
    pub fn open_record(
        &self,
        state: &OrganisationState,
        holding: &Holding,
        record: &RecordRow,
    ) -> Result<SecretBytes, EnvelopeError> {
        state.open(&self.record_context(holding, record), &record.sealed)
    }

    /// Opens a sealed payload with the keys that are left.
    ///
    /// # Errors
    /// [`EnvelopeError::Destroyed`], [`EnvelopeError::NotAuthentic`].
    pub fn open_payload(
        &self,
        state: &OrganisationState,
        holding: &Holding,
        payload: &PayloadRow,
    ) -> Result<SecretBytes, EnvelopeError> {
        state.open(&self.payload_context(holding, payload), &payload.sealed)
    }
}

impl std::fmt::Debug for Cold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cold").finish_non_exhaustive()
    }
}
