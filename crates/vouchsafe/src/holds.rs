//! Legal holds: matters that stop destruction, and nothing else.

use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_retention::{Authority, Hold};
use vouchsafe_store::HoldRow;
use vouchsafe_types::{DataClass, RecordId, Timestamp};

use crate::lives::hold_of;
use crate::payload::Payload;
use crate::{Error, Organisation, Subject};

/// A legal hold that somebody asks for.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a request: every part must be given")]
pub struct HoldRequest<'a> {
    /// The case, as an opaque id of the organisation's own; it never names a person.
    pub matter: &'a str,
    /// Who demands it.
    pub authority: Authority,
    /// Whose data; `None` for everybody's.
    pub subject: Option<&'a Subject<'a>>,
    /// Which data; `None` for every class.
    pub class: Option<DataClass>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// Who asked, by id.
    pub requested_by: &'a str,
    /// Who approved; not who asked.
    pub approved_by: &'a str,
}

impl Organisation<'_> {
    /// Places a legal hold: from this commit on the retention of what it covers destroys nothing. It opens nothing, and
    /// what was condemned before is destroyed all the same. Whether a law honours its authority is asked at each decision.
    ///
    /// # Errors
    /// [`Error::Retention`] for a malformed matter or the same approver twice; [`Error::Foreign`] for a person of another
    /// organisation.
    pub fn place_hold(&self, request: &HoldRequest<'_>) -> Result<RecordId, Error> {
        if request.subject.is_some_and(|subject| subject.organisation.id != self.id) {
            return Err(Error::Foreign);
        }
        self.core.act(&self.id, &[], |act| {
            let mut row = HoldRow {
                id: act.record_id()?,
                matter: request.matter.to_owned(),
                authority: request.authority.code(),
                subject: request.subject.map(|subject| subject.pseudonym),
                class: request.class,
                placed_at: act.now,
                expires: request.expires,
                released_at: None,
                requested_by: request.requested_by.to_owned(),
                approved_by: request.approved_by.to_owned(),
                entry: 0,
            };
            let _checked: Hold = hold_of(&row)?;
            // Whose data it is stands in the row alone: this payload is public.
            let payload = Payload::by(ActorRole::Administrator, act.now)
                .id(row.id)
                .classes(request.class)
                .due(request.expires)
                .word("matter", request.matter)
                .word("authority", request.authority.name())
                .word("requested_by", request.requested_by)
                .word("approved_by", request.approved_by)
                .word("scope", if request.subject.is_some() { "person" } else { "organisation" });
            row.entry = act.record_public(EntryKind::HoldPlaced, &payload)?;
            act.rows.insert_hold(act.organisation, &row)?;
            Ok(row.id)
        })
    }

    /// Releases a hold. What it alone kept is looked at by the next sweep, at the latest a day later.
    ///
    /// # Errors
    /// [`Error::Store`] with `Conflict` when there is no such hold or it was released.
    pub fn release_hold(&self, id: RecordId, by: ActorRole) -> Result<(), Error> {
        self.core.act(&self.id, &[], |act| {
            act.rows.release_hold(act.organisation, id, act.now)?;
            act.record_public(EntryKind::HoldReleased, &Payload::by(by, act.now).id(id))?;
            let held = act.rows.holds(act.organisation)?.into_iter().find(|hold| hold.id == id);
            match held.and_then(|hold| hold.subject) {
                Some(subject) => act.review(subject),
                None => Ok(()),
            }
        })
    }

    /// The holds in force now.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn holds(&self) -> Result<Vec<Hold>, Error> {
        let now = self.core.now();
        let rows = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            rows.holds(&self.id).map_err(Error::from)
        })?;
        let holds = rows.iter().filter(|row| row.released_at.is_none()).map(hold_of);
        holds.filter(|hold| hold.as_ref().map_or(true, |hold| hold.in_force(now))).collect()
    }
}
