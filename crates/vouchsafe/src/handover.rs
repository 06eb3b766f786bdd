//! Handing the key of a log over: scheduled, or because somebody else may have it.
//!
//! 1. A new seed is made and durable beside the old one; from here on both keys sign every checkpoint.
//! 2. The log says which key comes next, and why; witnesses cosign the checkpoint that covers that.
//! 3. The handover, which an outsider can check with the old key, is published beside the tiles.
//! 4. The old seed is forgotten.
//!
//! A crash in between leaves both keys signing; calling it again goes on from there.

use vouchsafe_ledger::{
    EntryKind, Handover, HandoverReason, HandoverStatement, Leaf, LedgerError, LogSigner, commitment,
    handover_path, read_handovers,
};

use crate::act::{Act, public_opening};
use crate::logs::Log;
use crate::{Error, Organisation, logs};

/// How many entries one transaction looks at.
const PAGE: u32 = 1024;

impl Organisation<'_> {
    /// Moves the log to a fresh key. What was signed before stays valid under the old key, up to this point.
    ///
    /// A handover of a compromised key needs the quorum of witnesses that [`Ports::quorum`](crate::Ports::quorum)
    /// names, because a thief can sign with the old key too.
    ///
    /// # Errors
    /// [`Error::Ledger`] with `QuorumMissing`, as long as witnesses are missing: call it again then. What else stands in
    /// the way leaves both keys signing.
    pub fn rotate_log_key(&self, reason: HandoverReason) -> Result<Handover, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let log = self.log()?;
        // Nobody else publishes between the first step and the last: a head under the old key alone would be one that
        // the new key cannot continue.
        let _lease = log.lease()?;
        self.core.ring.begin_log_seed(&self.id)?;
        let stated = self.core.act(&self.id, &[], |act| state_next_key(act, reason, Again::No))?;
        let handover = match self.prove_handover(&log, stated) {
            // An interrupted call had stated it, and it was published under the old key alone.
            Err(Error::Ledger(LedgerError::SignatureMissing)) => {
                let stated = self.core.act(&self.id, &[], |act| state_next_key(act, reason, Again::Yes))?;
                self.prove_handover(&log, stated)?
            }
            proven => proven?,
        };
        let stored = read_handovers(log.tiles())?;
        let same = |last: &Handover| last.statement() == handover.statement();
        if !stored.last().is_some_and(same) {
            log.tiles().write(&handover_path(stored.len() as u64), handover.to_string().as_bytes())?;
        }
        self.core.ring.finish_log_seed(&self.id)?;
        Ok(handover)
    }

    /// Publishes what covers the statement, has it cosigned, and proves it.
    fn prove_handover(&self, log: &Log<'_>, (entry, leaf, statement): Stated) -> Result<Handover, Error> {
        log.publish_leased(self.core)?;
        if !self.core.ports.witnesses.is_empty() {
            // Who failed, or contradicts, is told by the quorum.
            let _report = log.cosign_leased(self.core)?;
        }
        let quorum = self.core.ports.quorum.as_ref();
        Ok(Handover::prove(log.tiles(), entry, leaf, statement, quorum)?)
    }

    /// The handovers of the log's key, oldest first: what leads from a key that was trusted once to the current one.
    ///
    /// # Errors
    /// [`Error::Ledger`] when one cannot be read.
    pub fn log_handovers(&self) -> Result<Vec<Handover>, Error> {
        Ok(read_handovers(self.log()?.tiles())?)
    }
}

/// An entry that states a handover.
type Stated = (u64, Leaf, HandoverStatement);

/// Whether to state again what an interrupted call stated.
#[derive(PartialEq)]
enum Again {
    No,
    Yes,
}

/// Appends the entry that names the next key, unless an interrupted call did.
fn state_next_key(act: &mut Act<'_>, reason: HandoverReason, again: Again) -> Result<Stated, Error> {
    let origin = logs::origin(act.state);
    let next = act.state.next_log_seed().ok_or(Error::Format("log key"))?;
    let next = LogSigner::from_seed(&origin, &next)?.verifier().clone();
    let old = act.core.signer(act.state)?.verifier().clone();
    let statement = HandoverStatement::new(&origin, old, next, reason)?;
    if again == Again::No
        && let Some((entry, leaf)) = stated(act, &statement)?
    {
        return Ok((entry, leaf, statement));
    }
    let leaf = Leaf {
        kind: EntryKind::LogKeyRotated,
        hour: Leaf::hour_of(act.now)?,
        organisation: act.state.organisation_pseudonym(),
        commitment: statement.commitment(),
    };
    let entry = act.rows.append_entry(act.organisation, &leaf.to_bytes())?;
    act.rows.insert_public_payload(act.organisation, entry, statement.to_string().as_bytes())?;
    Ok((entry, leaf, statement))
}

/// The entry that states this already.
fn stated(act: &mut Act<'_>, statement: &HandoverStatement) -> Result<Option<(u64, Leaf)>, Error> {
    let (bytes, mut from) = (statement.to_string(), 0);
    loop {
        let page = act.rows.entries(act.organisation, from, PAGE)?;
        if page.is_empty() {
            return Ok(None);
        }
        for (entry, row) in (from..).zip(&page) {
            let leaf = Leaf::from_bytes(row).ok().filter(|leaf| leaf.kind == EntryKind::LogKeyRotated);
            if let Some(leaf) = leaf
                && commitment::verify(&public_opening(), bytes.as_bytes(), &leaf.commitment)
            {
                return Ok(Some((entry, leaf)));
            }
        }
        from += page.len() as u64;
    }
}
