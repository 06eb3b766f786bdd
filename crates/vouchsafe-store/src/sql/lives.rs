//! People: what they did last, what happened to them, where they live; and the end of it.

use vouchsafe_types::{OrganisationId, Scope, SubjectPseudonym, Timestamp};

use super::holdings::DESTROYED;
use super::rows::{Rows, damaged, instant, scope as read_scope};
use super::value::{Value, values};
use crate::port::LifeRows;
use crate::{EventRow, ResidenceRow, StoreError, SubjectRow};

/// Tables whose rows tell of a person and live no longer than what is held about them.
pub(crate) const OF_A_LIFE: [&str; 5] = ["consent", "served", "subject_mark", "life_event", "residence"];
/// All tables with a column `subject`: each of them keeps the person's own row.
pub(crate) const OF_A_PERSON: [&str; 8] =
    ["consent", "served", "subject_mark", "life_event", "residence", "holding", "legal_hold", "job"];
/// Whether something other than destruction evidence (class 9) is still held about the person in the row `{0}`.
pub(crate) const ALIVE: &str = "EXISTS (SELECT 1 FROM holding h WHERE h.organisation = ?1 AND h.subject = {0} \
                                AND h.state < 3 AND h.class <> 9)";

/// Destruction evidence (class 9) that was destroyed itself.
pub(crate) const SPENT: &str = "SELECT leaf, subject FROM holding WHERE organisation = ?1 AND state = 3 \
                                AND class = 9 AND changed_at < ?2 ORDER BY changed_at, leaf LIMIT ?3";

impl LifeRows for Rows<'_> {
    fn subject(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Option<SubjectRow>, StoreError> {
        let sql = "SELECT pseudonym, last_interaction, last_act FROM subject \
                   WHERE organisation = ?1 AND pseudonym = ?2";
        self.optional(sql, &values![organisation.as_str(), subject.as_bytes()], |row| {
            Ok(SubjectRow {
                pseudonym: SubjectPseudonym::from_bytes(row.get(0)?),
                last_interaction: instant(row.get(1)?)?,
                last_act: row.get(2)?,
            })
        })
    }

    fn last_interaction(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.subject(organisation, subject)?.map(|row| row.last_interaction))
    }

    fn touch_subject(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        at: Timestamp,
        act: u8,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO subject (organisation, pseudonym, last_interaction, last_act) \
                   VALUES (?1, ?2, ?3, ?4) ON CONFLICT (organisation, pseudonym) DO UPDATE \
                   SET last_interaction = excluded.last_interaction, last_act = excluded.last_act \
                   WHERE excluded.last_interaction >= subject.last_interaction";
        let values = &values![organisation.as_str(), subject.as_bytes(), at.as_microsecond(), act];
        self.execute(sql, values).map(drop)
    }

    fn put_event(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        event: &EventRow,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO life_event (organisation, subject, scope, trigger, at, entry) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (organisation, subject, scope, trigger) \
                   DO UPDATE SET at = excluded.at, entry = excluded.entry WHERE excluded.at < life_event.at";
        let values = &values![
            organisation.as_str(),
            subject.as_bytes(),
            scope_key(event.scope),
            event.trigger,
            event.at.as_microsecond(),
            event.entry
        ];
        Ok(self.execute(sql, values)? == 1)
    }

    fn events(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<EventRow>, StoreError> {
        let sql = "SELECT scope, trigger, at, entry FROM life_event \
                   WHERE organisation = ?1 AND subject = ?2 ORDER BY scope, trigger";
        self.all(sql, &values![organisation.as_str(), subject.as_bytes()], |row| {
            Ok(EventRow {
                scope: read_scope_key(&row.get::<Vec<u8>>(0)?)?,
                trigger: row.get(1)?,
                at: instant(row.get(2)?)?,
                entry: row.get(3)?,
            })
        })
    }

    fn clear_event(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Option<Scope>,
        trigger: u8,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM life_event \
                   WHERE organisation = ?1 AND subject = ?2 AND scope = ?3 AND trigger = ?4";
        let key = &values![organisation.as_str(), subject.as_bytes(), scope_key(scope), trigger];
        Ok(self.execute(sql, key)? == 1)
    }

    fn put_residence(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        residence: &ResidenceRow,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO residence (organisation, subject, jurisdiction, since, entry) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (organisation, subject, jurisdiction) DO UPDATE \
                   SET since = excluded.since, entry = excluded.entry WHERE excluded.since < residence.since";
        let values = &values![
            organisation.as_str(),
            subject.as_bytes(),
            residence.jurisdiction,
            residence.since.as_microsecond(),
            residence.entry
        ];
        Ok(self.execute(sql, values)? == 1)
    }

    fn residences(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<ResidenceRow>, StoreError> {
        let sql = "SELECT jurisdiction, since, entry FROM residence \
                   WHERE organisation = ?1 AND subject = ?2 ORDER BY jurisdiction";
        self.all(sql, &values![organisation.as_str(), subject.as_bytes()], |row| {
            Ok(ResidenceRow { jurisdiction: row.get(0)?, since: instant(row.get(1)?)?, entry: row.get(2)? })
        })
    }

    fn people_by_consent(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<Vec<(Scope, u8, u64)>, StoreError> {
        // Relies on INVARIANT (newest act): one row is one person.
        let sql = "SELECT scope, status, count(*) FROM consent WHERE organisation = ?1 AND newest = 1 \
                   GROUP BY scope, status ORDER BY scope, status";
        self.all(sql, &values![organisation.as_str()], |row| {
            Ok((read_scope(row.get(0)?)?, row.get(1)?, row.get(2)?))
        })
    }

    fn forget_subject(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<bool, StoreError> {
        let mut deleted = 0;
        for table in OF_A_LIFE {
            let alive = ALIVE.replace("{0}", "?2");
            let sql = format!("DELETE FROM {table} WHERE organisation = ?1 AND subject = ?2 AND NOT {alive}");
            deleted += self.execute(&sql, &values![organisation.as_str(), subject.as_bytes()])?;
        }
        Ok(deleted > 0)
    }

    fn purge_destroyed(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM holding \
                   WHERE organisation = ?1 AND subject = ?2 AND state = ?3 AND changed_at < ?4";
        let values = &values![organisation.as_str(), subject.as_bytes(), DESTROYED, before.as_microsecond()];
        let purged = self.execute(sql, values)?;
        remove_unreferred(self, organisation, subject)?;
        Ok(purged as u64)
    }

    fn purge_evidence(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let values = &values![organisation.as_str(), before.as_microsecond(), limit];
        let spent: Vec<(u64, [u8; 32])> = self.all(SPENT, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (leaf, subject) in &spent {
            let sql = "DELETE FROM holding WHERE organisation = ?1 AND leaf = ?2";
            self.execute(sql, &values![organisation.as_str(), *leaf])?;
            remove_unreferred(self, organisation, SubjectPseudonym::from_bytes(*subject))?;
        }
        Ok(spent.len() as u64)
    }
}

/// Deletes a person's own row once nothing refers to it.
pub(super) fn remove_unreferred(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
) -> Result<(), StoreError> {
    let unreferred = format!("NOT ({})", referred("?2"));
    let sql = format!("DELETE FROM subject WHERE organisation = ?1 AND pseudonym = ?2 AND {unreferred}");
    rows.execute(&sql, &values![organisation.as_str(), subject.as_bytes()]).map(drop)
}

/// Whether any row refers to the person.
pub(super) fn referred(person: &str) -> String {
    OF_A_PERSON
        .map(|table| {
            format!("EXISTS (SELECT 1 FROM {table} r WHERE r.organisation = ?1 AND r.subject = {person})")
        })
        .join(" OR ")
}

fn read_scope_key(key: &[u8]) -> Result<Option<Scope>, StoreError> {
    if key.is_empty() {
        return Ok(None);
    }
    read_scope(key.try_into().map_err(damaged)?).map(Some)
}

fn scope_key(scope: Option<Scope>) -> Value<'static> {
    scope.map_or(Value::Blob(&[]), |scope| Value::Code(scope.code()))
}
