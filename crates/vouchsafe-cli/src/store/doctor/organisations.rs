//! Each organisation: whether it is open, and what is kept outside.

use vouchsafe::Vouchsafe;

use super::Lines;

pub(super) fn look(service: &Vouchsafe, lines: &mut Lines) {
    let ids = match service.organisations() {
        Ok(ids) => ids,
        Err(error) => return lines.fail("rows", error.to_string(), "see that the database answers"),
    };
    if ids.is_empty() {
        lines.ok("rows", "no organisation is provisioned yet");
    }
    for id in ids {
        let organisation = match service.organisation(id.as_str()) {
            Ok(organisation) => organisation,
            Err(error) => {
                lines.fail("organisation", format!("{id}: {error}"), "see `vouchsafe keys state check`");
                continue;
            }
        };
        match organisation.awaits_recovery() {
            Ok(false) => lines.ok("organisation", format!("{id} waits for no recovery")),
            Ok(true) => lines.fail(
                "organisation",
                format!("{id} was restored and is closed"),
                "run `vouchsafe recover`",
            ),
            Err(error) => {
                lines.fail("organisation", format!("{id}: {error}"), "see that the database answers")
            }
        }
        match organisation.key_status() {
            Ok(_) => lines.ok("keys", format!("{id}: the key state opens")),
            Err(error) => lines.fail("keys", format!("{id}: {error}"), "see `vouchsafe keys state check`"),
        }
        let size =
            |head: Option<vouchsafe::ledger::SignedCheckpoint>| head.map(|head| head.checkpoint().size());
        match (organisation.published(), organisation.kept_outside()) {
            (Ok(published), Ok(kept)) => {
                let (published, kept) = (size(published), size(kept));
                let said = match (published, kept) {
                    (None, None) => format!("{id}: nothing is published yet"),
                    (_, None) => format!("{id}: no checkpoint is kept outside"),
                    (None, Some(kept)) => {
                        format!("{id}: a checkpoint of {kept} is kept outside, none is published")
                    }
                    (Some(published), Some(kept)) => {
                        format!("{id}: published {published}, kept outside {kept}")
                    }
                };
                let agree = published == kept && kept.is_some();
                lines.should(agree, "outside", said, "publish with `vouchsafe log publish`, then look again");
            }
            (Err(error), _) | (_, Err(error)) => {
                lines.fail("outside", format!("{id}: {error}"), "bring the log and its outside copy back");
            }
        }
        match organisation.is_leased() {
            Ok(true) => lines.ok("lease", format!("{id}: another process publishes at this moment")),
            Ok(false) => lines.ok("lease", format!("{id}: nobody publishes at this moment")),
            Err(error) => {
                lines.warn("lease", format!("{id}: {error}"), "see that the place of the logs answers")
            }
        }
    }
}
