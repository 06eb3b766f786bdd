//! The sealed documents.

use vouchsafe_types::{OrganisationId, RecordId, SubjectPseudonym, Timestamp};

use super::rows::{Row, Rows, instant, leaf as leaf_index};
use super::sealed::under;
use super::value::values;
use crate::port::DocumentRows;
use crate::{DocumentRow, StoreError};

const DOCUMENT: &str = "id, leaf, kind, field, sealed, key_version, entry, next_at, closed_at";
const OF_DOCUMENT: &str =
    "d.id, d.leaf, d.kind, d.field, d.sealed, d.key_version, d.entry, d.next_at, d.closed_at";

impl DocumentRows for Rows<'_> {
    fn insert_document(
        &mut self,
        organisation: &OrganisationId,
        document: &DocumentRow,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO document (organisation, {DOCUMENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        );
        self.write_document(&sql, organisation, document)
    }

    fn document(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
    ) -> Result<Option<DocumentRow>, StoreError> {
        let sql = format!("SELECT {DOCUMENT} FROM document WHERE organisation = ?1 AND id = ?2");
        self.optional(&sql, &values![organisation.as_str(), id.as_bytes()], read)
    }

    fn documents(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        kind: u8,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        self.all(&of_person(), &values![organisation.as_str(), subject.as_bytes(), kind], read)
    }

    fn documents_due(
        &mut self,
        organisation: &OrganisationId,
        kind: u8,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        self.all(&due(), &values![organisation.as_str(), kind, before.as_microsecond(), limit], read)
    }

    fn replace_document(
        &mut self,
        organisation: &OrganisationId,
        document: &DocumentRow,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE document SET leaf = ?3, kind = ?4, field = ?5, sealed = ?6, key_version = ?7, \
                   entry = ?8, next_at = ?9, closed_at = ?10 WHERE organisation = ?1 AND id = ?2";
        self.write_document(sql, organisation, document)
    }

    fn remove_document(&mut self, organisation: &OrganisationId, id: RecordId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM document WHERE organisation = ?1 AND id = ?2";
        Ok(self.execute(sql, &values![organisation.as_str(), id.as_bytes()])? == 1)
    }

    fn documents_under(
        &mut self,
        organisation: &OrganisationId,
        older_than: u32,
        limit: u32,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        self.all(&under("document", DOCUMENT), &values![organisation.as_str(), older_than, limit], read)
    }

    fn reseal_document(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
        from: u32,
        sealed: &[u8],
        to: u32,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE document SET sealed = ?4, key_version = ?5 \
                   WHERE organisation = ?1 AND id = ?2 AND key_version = ?3";
        self.execute_one(sql, &values![organisation.as_str(), id.as_bytes(), from, sealed, to])
    }
}

impl Rows<'_> {
    fn write_document(
        &self,
        sql: &str,
        organisation: &OrganisationId,
        document: &DocumentRow,
    ) -> Result<(), StoreError> {
        self.execute_one(
            sql,
            &values![
                organisation.as_str(),
                document.id.as_bytes(),
                document.leaf.get(),
                document.kind,
                document.field,
                &document.sealed,
                document.key_version,
                document.entry,
                document.next_at.map(Timestamp::as_microsecond),
                document.closed_at.map(Timestamp::as_microsecond)
            ],
        )
    }
}

/// The person's holdings first, then the documents of each.
pub(crate) fn of_person() -> String {
    format!(
        "SELECT {OF_DOCUMENT} FROM holding h CROSS JOIN document d \
         WHERE d.organisation = h.organisation AND d.leaf = h.leaf AND d.kind = ?3 AND h.organisation = ?1 AND h.subject = ?2 AND h.state = 1 ORDER BY d.leaf, d.entry, d.id"
    )
}

/// In the order of the index `document_due`: it stops at the limit.
pub(crate) fn due() -> String {
    format!(
        "SELECT {OF_DOCUMENT} FROM document d CROSS JOIN holding h \
         WHERE h.organisation = d.organisation AND h.leaf = d.leaf AND d.organisation = ?1 AND d.kind = ?2 AND d.next_at <= ?3 AND d.closed_at IS NULL AND h.state = 1 \
         ORDER BY d.next_at, d.id LIMIT ?4"
    )
}

fn read(row: &Row<'_>) -> Result<DocumentRow, StoreError> {
    Ok(DocumentRow {
        id: RecordId::from_bytes(row.get(0)?),
        leaf: leaf_index(row.get(1)?)?,
        kind: row.get(2)?,
        field: row.get(3)?,
        sealed: row.get(4)?,
        key_version: row.get(5)?,
        entry: row.get(6)?,
        next_at: row.get::<Option<i64>>(7)?.map(instant).transpose()?,
        closed_at: row.get::<Option<i64>>(8)?.map(instant).transpose()?,
    })
}
