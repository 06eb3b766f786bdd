//! The copy of everything that is held about a person, made for a verified request to know or to export.
//!
//! What goes in is held against the inventory of the store, column by column: a column that the copy passes over stops
//! it, so that a table which is added later cannot be forgotten. The law of the person's places decides whether the
//! protected template itself is returned. The copy is handed over as a value: it is written nowhere here.

use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_retention::rights::{
    ExportBuilder, ExportDocument, Place, RequestId, RequestKind, RightsError, RightsRequest, TaskStatus,
};
use vouchsafe_store::INVENTORY;
use vouchsafe_types::{DataClass, Digest};

use crate::act::Act;
use crate::digest::sha256;
use crate::{Error, Subject};

mod answers;
mod collect;
#[cfg(feature = "age")]
mod delivery;
mod line;

#[cfg(feature = "age")]
pub use delivery::ExportKey;

use collect::Collected;

/// The largest copy, in bytes of its JSON.
const MAX_LEN: usize = 64 << 20;

impl Subject<'_> {
    /// Makes the copy that answers a verified request to know or to export on which work has begun, and answers the
    /// request's tasks with it; the log says that it was made, and its digest. Made again, it is a new copy.
    ///
    /// A password's hash is never in it; a template is as the protected template, and only where the law of every place
    /// where the person lives wants it returned. What is under destruction is named, not opened.
    ///
    /// # Errors
    /// [`Error::Rights`] for another kind of request, an unverified person, or before work began: nothing is read out.
    /// [`Error::ExportSilent`] when the store has a column that this version would pass over.
    pub fn export(&self, id: RequestId, by: ActorRole) -> Result<ExportDocument, Error> {
        let silent = answers::gaps(INVENTORY.iter().map(answers::Stored::of));
        if !silent.is_empty() {
            return Err(Error::ExportSilent(silent));
        }
        let inventory = self.organisation.rights_inventory()?;
        self.act(&[DataClass::RightsRequest], |act| {
            let (row, mut request) = self.opened(act, id)?;
            let policy = &act.core.ports.retention;
            let mut builder = ExportBuilder::new(policy, &request)?;
            let mut collected = Collected::new(|class| builder.content(class).map_err(Error::from));
            self.collect(act, &mut collected)?;
            let held = collected.classes();
            for (class, records) in collected.into_records() {
                match records.is_empty() {
                    true => builder.not_held(class),
                    false => builder.held(class, records)?,
                }
            }
            let document = builder.finish(act.now)?;
            let json = document.to_json()?;
            if json.len() > MAX_LEN {
                return Err(RightsError::Limit.into());
            }
            request.widen(&inventory)?;
            let digest = sha256(&json);
            let entry = self.log_export(act, &request, digest, by)?;
            answer(&mut request, &held, entry, act)?;
            self.keep_as(act, &row, &request, entry)?;
            Ok(document)
        })
    }

    fn log_export(
        &self,
        act: &mut Act<'_>,
        request: &RightsRequest,
        digest: Digest,
        by: ActorRole,
    ) -> Result<u64, Error> {
        let payload = Self::request_payload(act, request, by);
        let payload = payload.word("export", "made").word("sha256", &digest.to_string());
        let kind = EntryKind::RightsProgressed;
        Ok(act.record(kind, DataClass::RightsRequest, self.pseudonym, &payload)?.entry)
    }
}

/// Answers every task that is open: a copy of what is held was made, or nothing is.
fn answer(request: &mut RightsRequest, held: &[DataClass], entry: u64, act: &Act<'_>) -> Result<(), Error> {
    let open = request.tasks().filter(|(_, _, task)| *task.status() == TaskStatus::Pending);
    let open: Vec<(DataClass, Place)> = open.map(|(class, place, _)| (class, place.clone())).collect();
    for (class, place) in open {
        let status = if held.contains(&class) { TaskStatus::Done { entry } } else { TaskStatus::NotHeld };
        request.answer_task(class, &place, status, act.now)?;
    }
    Ok(())
}

/// Whether only a copy answers a request of this kind.
pub(crate) const fn is_answered_by_export(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Export | RequestKind::Know)
}
