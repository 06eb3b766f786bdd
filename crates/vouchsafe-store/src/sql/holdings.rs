//! The holdings, their tally, and the index of what is to be looked at.

use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use super::rows::{Row, Rows, damaged, instant, leaf as leaf_index, scope as read_scope};
use super::value::values;
use crate::port::HoldingRows;
use crate::{Holding, HoldingState, StoreError, TallyRow};

pub(crate) const LIVE: i64 = 1;
pub(crate) const CONDEMNED: i64 = 2;
pub(crate) const DESTROYED: i64 = 3;
const HOLDING: &str = "leaf, class, subject, scope, state, created_at, created_entry, cause, changed_at, destroyed_entry, review_at";

/// Walks the index `holding_review` from the pair on, whatever is stored beside.
pub(crate) const DUE: &str = "\
    SELECT leaf, class, subject, scope, state, created_at, created_entry, cause, changed_at, destroyed_entry, \
           review_at \
    FROM holding \
    WHERE organisation = ?1 AND state = 1 AND review_at <= ?2 AND (review_at, leaf) > (?3, ?4) \
    ORDER BY review_at, leaf LIMIT ?5";
pub(crate) const LATE: &str = "\
    SELECT count(*) FROM holding \
    WHERE organisation = ?1 AND state = 1 AND review_at <= ?2";
pub(crate) const OLDEST: &str = "\
    SELECT review_at FROM holding \
    WHERE organisation = ?1 AND state = 1 AND review_at IS NOT NULL ORDER BY review_at LIMIT 1";
pub(crate) const LIVE_COUNT: &str =
    "SELECT CAST(coalesce(sum(live), 0) AS BIGINT) FROM holding_tally WHERE organisation = ?1";

impl HoldingRows for Rows<'_> {
    /// INVARIANT (tally): `holding_tally` counts the live holdings of each class. It changes in the transaction that
    /// adds or condemns a holding.
    fn insert_holding(&mut self, organisation: &OrganisationId, holding: &Holding) -> Result<(), StoreError> {
        let sql = "INSERT INTO holding (organisation, leaf, class, subject, scope, state, created_at, \
                   created_entry, review_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.execute_one(
            sql,
            &values![
                organisation.as_str(),
                holding.leaf.get(),
                holding.class.code(),
                holding.subject.as_bytes(),
                holding.scope.map(Scope::code),
                LIVE,
                holding.created_at.as_microsecond(),
                holding.created_entry,
                holding.review_at.map(Timestamp::as_microsecond)
            ],
        )?;
        let sql = "INSERT INTO holding_tally (organisation, class, live) VALUES (?1, ?2, 1) \
                   ON CONFLICT (organisation, class) DO UPDATE SET live = holding_tally.live + 1";
        self.execute_one(sql, &values![organisation.as_str(), holding.class.code()])
    }

    fn biometric_holding(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
    ) -> Result<Option<Holding>, StoreError> {
        let sql = format!(
            "SELECT {HOLDING} FROM holding WHERE organisation = ?1 AND subject = ?2 AND class = ?3 \
             AND scope = ?4 ORDER BY state, leaf DESC LIMIT 1"
        );
        let class = DataClass::Biometric.code();
        self.optional(&sql, &values![organisation.as_str(), subject.as_bytes(), class, scope.code()], read)
    }

    fn daily_holding(
        &mut self,
        organisation: &OrganisationId,
        class: DataClass,
        subject: SubjectPseudonym,
        day: (Timestamp, Timestamp),
    ) -> Result<Option<Holding>, StoreError> {
        let sql = format!(
            "SELECT {HOLDING} FROM holding WHERE organisation = ?1 AND subject = ?2 AND class = ?3 \
             AND scope IS NULL AND state = {LIVE} AND created_at >= ?4 AND created_at < ?5 ORDER BY leaf LIMIT 1"
        );
        let (from, to) = (day.0.as_microsecond(), day.1.as_microsecond());
        let key = &values![organisation.as_str(), subject.as_bytes(), class.code(), from, to];
        self.optional(&sql, key, read)
    }

    fn holding(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
    ) -> Result<Option<Holding>, StoreError> {
        let sql = format!("SELECT {HOLDING} FROM holding WHERE organisation = ?1 AND leaf = ?2");
        self.optional(&sql, &values![organisation.as_str(), leaf.get()], read)
    }

    fn holdings(
        &mut self,
        organisation: &OrganisationId,
        after: Option<LeafIndex>,
        limit: u32,
    ) -> Result<Vec<Holding>, StoreError> {
        let sql = format!(
            "SELECT {HOLDING} FROM holding WHERE organisation = ?1 AND leaf > ?2 ORDER BY leaf LIMIT ?3"
        );
        let after = after.map_or(-1, |leaf| leaf.get().cast_signed());
        self.all(&sql, &values![organisation.as_str(), after, limit], read)
    }

    fn condemned(&mut self, organisation: &OrganisationId) -> Result<Vec<Holding>, StoreError> {
        let sql = format!(
            "SELECT {HOLDING} FROM holding WHERE organisation = ?1 AND state = {CONDEMNED} ORDER BY leaf"
        );
        self.all(&sql, &values![organisation.as_str()], read)
    }

    fn condemn(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        cause: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE holding SET state = ?5, cause = ?3, changed_at = ?4, review_at = NULL \
                   WHERE organisation = ?1 AND leaf = ?2 AND state = ?6";
        self.execute_one(
            sql,
            &values![organisation.as_str(), leaf.get(), cause, at.as_microsecond(), CONDEMNED, LIVE],
        )?;
        let sql = "UPDATE holding_tally SET live = live - 1 WHERE organisation = ?1 \
                   AND class = (SELECT class FROM holding WHERE organisation = ?1 AND leaf = ?2)";
        match self.execute_one(sql, &values![organisation.as_str(), leaf.get()]) {
            // INVARIANT (tally): there was one to take away.
            Err(StoreError::Conflict) => Err(StoreError::Damaged),
            done => done,
        }
    }

    fn mark_destroyed(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        at: Timestamp,
        entry: u64,
    ) -> Result<(), StoreError> {
        let key = &values![organisation.as_str(), leaf.get()];
        self.execute("DELETE FROM record WHERE organisation = ?1 AND leaf = ?2", key)?;
        self.execute("DELETE FROM payload WHERE organisation = ?1 AND leaf = ?2", key)?;
        self.execute("DELETE FROM document WHERE organisation = ?1 AND leaf = ?2", key)?;
        let sql = "UPDATE holding SET state = ?5, changed_at = ?3, destroyed_entry = ?4 \
                   WHERE organisation = ?1 AND leaf = ?2 AND state = ?6";
        self.execute_one(
            sql,
            &values![organisation.as_str(), leaf.get(), at.as_microsecond(), entry, DESTROYED, CONDEMNED],
        )
    }

    fn holdings_of(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<Holding>, StoreError> {
        let sql =
            format!("SELECT {HOLDING} FROM holding WHERE organisation = ?1 AND subject = ?2 ORDER BY leaf");
        self.all(&sql, &values![organisation.as_str(), subject.as_bytes()], read)
    }

    fn holdings_due(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        after: Option<(Timestamp, LeafIndex)>,
        limit: u32,
    ) -> Result<Vec<Holding>, StoreError> {
        let (at, leaf) =
            after.map_or((i64::MIN, -1), |(at, leaf)| (at.as_microsecond(), leaf.get().cast_signed()));
        self.all(DUE, &values![organisation.as_str(), before.as_microsecond(), at, leaf, limit], read)
    }

    fn set_review(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        review_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE holding SET review_at = ?3 WHERE organisation = ?1 AND leaf = ?2 AND state = ?4";
        let review_at = review_at.map(Timestamp::as_microsecond);
        self.execute_one(sql, &values![organisation.as_str(), leaf.get(), review_at, LIVE])
    }

    fn late_count(&mut self, organisation: &OrganisationId, before: Timestamp) -> Result<u64, StoreError> {
        self.one(LATE, &values![organisation.as_str(), before.as_microsecond()])
    }

    fn oldest_review(&mut self, organisation: &OrganisationId) -> Result<Option<Timestamp>, StoreError> {
        self.optional(OLDEST, &values![organisation.as_str()], |row| instant(row.get(0)?))
    }

    fn live_count(&mut self, organisation: &OrganisationId) -> Result<u64, StoreError> {
        self.one(LIVE_COUNT, &values![organisation.as_str()])
    }

    fn tallies(&mut self, organisation: &OrganisationId) -> Result<Vec<TallyRow>, StoreError> {
        let sql = "SELECT class, live FROM holding_tally WHERE organisation = ?1 ORDER BY class";
        self.all(sql, &values![organisation.as_str()], |row| {
            Ok(TallyRow { class: DataClass::from_code(row.get(0)?).map_err(damaged)?, live: row.get(1)? })
        })
    }
}

fn read(row: &Row<'_>) -> Result<Holding, StoreError> {
    let cause = |row: &Row<'_>| row.get::<String>(7);
    let changed = |row: &Row<'_>| instant(row.get(8)?);
    let state = match row.get::<i64>(4)? {
        LIVE => HoldingState::Live,
        CONDEMNED => HoldingState::Condemned { cause: cause(row)?, at: changed(row)? },
        DESTROYED => HoldingState::Destroyed { cause: cause(row)?, at: changed(row)?, entry: row.get(9)? },
        other => return Err(damaged(other)),
    };
    Ok(Holding {
        leaf: leaf_index(row.get(0)?)?,
        class: DataClass::from_code(row.get(1)?).map_err(damaged)?,
        subject: SubjectPseudonym::from_bytes(row.get(2)?),
        scope: row.get::<Option<[u8; 3]>>(3)?.map(read_scope).transpose()?,
        state,
        created_at: instant(row.get(5)?)?,
        created_entry: row.get(6)?,
        review_at: row.get::<Option<i64>>(10)?.map(instant).transpose()?,
    })
}
