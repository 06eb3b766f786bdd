use vouchsafe_types::{Digest, LeafIndex, OrganisationId, RecordId, Scope, SubjectPseudonym, Timestamp};

use super::rows::Rows;
use super::value::values;
use super::{consent, notices, sealed};
use crate::port::Transaction;
use crate::{ConsentRow, KeyUsage, MarkRow, NoticeRow, PayloadRow, RecordRow, ServedRow, StoreError};

impl Transaction for Rows<'_> {
    fn organisation_exists(&mut self, organisation: &OrganisationId) -> Result<bool, StoreError> {
        let found = self.optional(
            "SELECT 1 FROM organisation WHERE id = ?1",
            &values![organisation.as_str()],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn insert_organisation(
        &mut self,
        organisation: &OrganisationId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.is_own(organisation) {
            return Err(StoreError::Conflict);
        }
        let sql = "INSERT INTO organisation (id, created_at) VALUES (?1, ?2)";
        self.execute_one(sql, &values![organisation.as_str(), at.as_microsecond()])
    }

    fn insert_notice(&mut self, organisation: &OrganisationId, notice: &NoticeRow) -> Result<(), StoreError> {
        notices::insert(self, organisation, notice)
    }

    fn notice_in_force(
        &mut self,
        organisation: &OrganisationId,
        id: &str,
        locale: &str,
        now: Timestamp,
    ) -> Result<Option<NoticeRow>, StoreError> {
        notices::in_force(self, organisation, id, locale, now)
    }

    fn notices_since(
        &mut self,
        organisation: &OrganisationId,
        digest: Digest,
        now: Timestamp,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        notices::since(self, organisation, digest, now)
    }

    fn notices(&mut self, organisation: &OrganisationId) -> Result<Vec<NoticeRow>, StoreError> {
        notices::all(self, organisation)
    }

    fn notice(
        &mut self,
        organisation: &OrganisationId,
        digest: Digest,
    ) -> Result<Option<NoticeRow>, StoreError> {
        notices::by_digest(self, organisation, digest)
    }

    fn consent(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
    ) -> Result<Option<ConsentRow>, StoreError> {
        consent::newest(self, organisation, subject, scope)
    }

    fn append_consent(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
        row: &ConsentRow,
    ) -> Result<(), StoreError> {
        consent::append(self, organisation, subject, scope, row)
    }

    fn consent_acts(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
    ) -> Result<Vec<ConsentRow>, StoreError> {
        consent::acts(self, organisation, subject, scope)
    }

    fn open_consents_due(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(SubjectPseudonym, Scope, ConsentRow)>, StoreError> {
        consent::open_due(self, organisation, before, limit)
    }

    fn insert_served(&mut self, organisation: &OrganisationId, served: &ServedRow) -> Result<(), StoreError> {
        consent::insert_served(self, organisation, served)
    }

    fn served(
        &mut self,
        organisation: &OrganisationId,
        ticket: [u8; 16],
    ) -> Result<Option<ServedRow>, StoreError> {
        consent::served(self, organisation, ticket)
    }

    fn served_to(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<ServedRow>, StoreError> {
        consent::served_to(self, organisation, subject)
    }

    fn use_served(
        &mut self,
        organisation: &OrganisationId,
        ticket: [u8; 16],
        sequence: u64,
    ) -> Result<(), StoreError> {
        consent::use_served(self, organisation, ticket, sequence)
    }

    fn marks(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<MarkRow>, StoreError> {
        consent::marks(self, organisation, subject)
    }

    fn put_mark(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        mark: &MarkRow,
    ) -> Result<bool, StoreError> {
        consent::put_mark(self, organisation, subject, mark)
    }

    fn remove_mark(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        mark: u8,
    ) -> Result<bool, StoreError> {
        consent::remove_mark(self, organisation, subject, mark)
    }

    fn insert_record(&mut self, organisation: &OrganisationId, record: &RecordRow) -> Result<(), StoreError> {
        sealed::insert_record(self, organisation, record)
    }

    fn record(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
    ) -> Result<Option<RecordRow>, StoreError> {
        sealed::record(self, organisation, leaf)
    }

    fn record_by_id(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
    ) -> Result<Option<RecordRow>, StoreError> {
        sealed::record_by_id(self, organisation, id)
    }

    fn entry_count(&mut self, organisation: &OrganisationId) -> Result<u64, StoreError> {
        // Takes a tenth of the time of `max(number)`.
        let sql = "SELECT number + 1 FROM entry WHERE organisation = ?1 ORDER BY number DESC LIMIT 1";
        Ok(self.optional(sql, &values![organisation.as_str()], |row| row.get(0))?.unwrap_or(0))
    }

    fn append_entry(&mut self, organisation: &OrganisationId, bytes: &[u8]) -> Result<u64, StoreError> {
        let number = self.entry_count(organisation)?;
        let sql = "INSERT INTO entry (organisation, number, bytes) VALUES (?1, ?2, ?3)";
        self.execute_one(sql, &values![organisation.as_str(), number, bytes])?;
        Ok(number)
    }

    fn entries(
        &mut self,
        organisation: &OrganisationId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM entry WHERE organisation = ?1 AND number >= ?2 ORDER BY number LIMIT ?3";
        self.all(sql, &values![organisation.as_str(), from, limit], |row| row.get(0))
    }

    fn insert_public_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO public_payload (organisation, entry, bytes) VALUES (?1, ?2, ?3)";
        self.execute_one(sql, &values![organisation.as_str(), entry, bytes])
    }

    fn public_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM public_payload WHERE organisation = ?1 AND entry = ?2";
        self.optional(sql, &values![organisation.as_str(), entry], |row| row.get(0))
    }

    fn insert_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
        payload: &PayloadRow,
    ) -> Result<(), StoreError> {
        sealed::insert_payload(self, organisation, entry, payload)
    }

    fn payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
    ) -> Result<Option<PayloadRow>, StoreError> {
        sealed::payload(self, organisation, entry)
    }

    fn payloads(
        &mut self,
        organisation: &OrganisationId,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, PayloadRow)>, StoreError> {
        sealed::payloads(self, organisation, after, limit)
    }

    fn payload_entries(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
    ) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT entry FROM payload WHERE organisation = ?1 AND leaf = ?2 ORDER BY entry";
        self.all(sql, &values![organisation.as_str(), leaf.get()], |row| row.get(0))
    }

    fn key_usage(&mut self, organisation: &OrganisationId) -> Result<Vec<KeyUsage>, StoreError> {
        sealed::key_usage(self, organisation)
    }

    fn records_under(
        &mut self,
        organisation: &OrganisationId,
        older_than: u32,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        sealed::records_under(self, organisation, older_than, limit)
    }

    fn payloads_under(
        &mut self,
        organisation: &OrganisationId,
        older_than: u32,
        limit: u32,
    ) -> Result<Vec<(u64, PayloadRow)>, StoreError> {
        sealed::payloads_under(self, organisation, older_than, limit)
    }

    fn reseal_record(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        from: u32,
        sealed: &[u8],
        to: u32,
    ) -> Result<(), StoreError> {
        sealed::reseal_record(self, organisation, leaf, from, sealed, to)
    }

    fn reseal_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
        from: u32,
        sealed: &[u8],
        to: u32,
    ) -> Result<(), StoreError> {
        sealed::reseal_payload(self, organisation, entry, from, sealed, to)
    }
}
