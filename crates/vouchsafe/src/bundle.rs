//! A bundle for an audit elsewhere, complete and signed, that is checked without asking anybody.
//!
//! | path | what |
//! |---|---|
//! | `MANIFEST` | signed note: header, the three lines of the checkpoint, digest and length of `FILES` |
//! | `FILES` | digest, length and path of every other file, by path |
//! | `keys` | the origin, and the verifier keys of the log, oldest first; nothing to trust by itself |
//! | `log/` | checkpoint, tiles, entry bundles, handovers |
//! | `public/N.json` | what entry `N` about the organisation itself committed to (`.txt` for a handover) |
//! | `notices/SHA256` | the exact bytes of a notice, beside them its terms (`.json`) and schedule (`.schedule`) |
//! | `certificates/P` | the certificates of the destructions among the entries `1024·P ≤ N < 1024·(P+1)`, by entry: signed notes, one behind the other; no file where there is none |
//! | `policy/SHA256/` | the packs of the retention policy as they were loaded (`0.toml`, …), and the name of its `zone` |
//!
//! The list is a file of its own because a signed note holds a megabyte, and a log of ten million entries has
//! eighty thousand files. It holds nothing about any person: payloads about people stay where they are, and a
//! certificate names two entries of the log. The format is specified in `docs/audit-bundle.md`.

use std::collections::BTreeMap;
use std::path::Path;

use vouchsafe_ledger::{
    ActorRole, CHECKPOINT_PATH, EntryKind, Leaf, LeafSource, LedgerError, LogSigner, SignedCheckpoint,
    TILE_WIDTH, TilePath, Trust, VerifierKey, handover_path, read_handovers,
};
use vouchsafe_store::Transaction;
use vouchsafe_types::{Digest, LeafIndex, OrganisationId};

use crate::bundle::folder::Folder;
use crate::bundle::list::{Content, Files, KEYS, certificates_path, notice_path, public_path};
use crate::bundle::manifest::{FILES, MANIFEST, Manifest};
use crate::payload::Payload;
use crate::{DestructionCertificate, Error, Organisation, logs};

mod certificates;
mod check;
mod entries;
mod folder;
mod list;
mod manifest;
mod notices;
mod pairing;
mod policy;
mod report;

pub use check::verify_bundle;
pub use report::{BundleCounts, BundleFinding, BundleReport};

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AuditBundle {
    entry: u64,
    signed: SignedCheckpoint,
    certificates: u64,
    files: u64,
    bytes: u64,
}

impl AuditBundle {
    /// The entry that records it.
    pub const fn entry(&self) -> u64 {
        self.entry
    }

    /// The checkpoint that it covers.
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// How many certificates it holds.
    pub const fn certificates(&self) -> u64 {
        self.certificates
    }

    /// How many files are listed.
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// How many bytes they hold together.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// How many entries one transaction looks at.
const PAGE: u32 = 1024;

impl Organisation<'_> {
    /// Writes the whole log with everything public that it commits to, the certificate of every destruction and the
    /// packs of the policy into a folder that is new or empty, for an audit elsewhere ([`verify_bundle`]). That it was
    /// written is an entry of the log, and part of the bundle.
    ///
    /// Certificates are issued only once the remnants of what was destroyed are gone and the log is published. The
    /// manifest is written last: a folder without one is no bundle.
    ///
    /// # Errors
    /// [`Error::Folder`] when the folder is not empty or cannot be written; [`Error::RecoveryRequired`] and what
    /// publishing meets; [`Error::BundleNotSound`] when what was written does not verify: it is no bundle then.
    pub fn audit_bundle(&self, folder: &Path) -> Result<AuditBundle, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let mut bundle = Writing { folder: Folder::make(folder)?, files: Files::default() };
        let entry = self.core.act(&self.id, &[], |act| {
            let entry = act.rows.entry_count(act.organisation)?;
            let payload = Payload::by(ActorRole::Operator, act.now);
            act.record_public(EntryKind::LogExported, &payload).map(|_| entry)
        })?;
        let signed = match self.core.ports.witnesses.is_empty() {
            true => self.publish_log()?,
            false => self.cosign_log()?.signed().clone(),
        };
        // Whatever was destroyed below this size is committed: now its remnants go, and then it may be certified.
        self.core.ports.store.remove_remnants()?;
        let size = signed.checkpoint().size();
        self.write_log(&mut bundle, &signed)?;
        let mut from = 0;
        while from < size {
            from = self.write_payloads(&mut bundle, from, size)?;
        }
        let certificates = self.write_certificates(&mut bundle, size)?;
        for (path, bytes) in policy::policy_files(&self.core.ports.retention) {
            bundle.add(&path, bytes)?;
        }
        let manifest = bundle.finish(&signed)?;
        let note = self.core.ring.with_state(&self.id, |state| {
            let mut signers = vec![self.core.signer(state)?];
            if let Some(next) = state.next_log_seed() {
                signers.push(LogSigner::from_seed(&logs::origin(state), &next)?);
            }
            manifest.sign(&signers)
        })??;
        bundle.folder.write(MANIFEST, note.as_bytes())?;
        bundle.folder.sync()?;
        let (key, origin) = (self.verifier_key()?, self.log_origin()?);
        let report = verify_bundle(folder, &Trust::new(&key, &origin))?;
        if !report.is_sound() {
            bundle.folder.remove(MANIFEST)?;
            let first = report.findings().first().cloned();
            return Err(first.map_or(Error::Format("bundle"), |first| Error::BundleNotSound(Box::new(first))));
        }
        let (files, bytes) = (bundle.files.len(), bundle.files.bytes());
        Ok(AuditBundle { entry, signed, certificates, files, bytes })
    }

    /// Writes what there is to show while the organisation is closed to everything else: the log as it was published,
    /// what the rows still have of what it made public, and the packs of the policy.
    ///
    /// Nothing is changed: no entry says that it was written, and no certificate is issued. It is signed with the log's
    /// key all the same. An auditor will find what the report says: certificates are missing, and payloads of the gap.
    ///
    /// # Errors
    /// [`Error::Folder`] when the folder is not empty or cannot be written; [`Error::Ledger`] with `CheckpointMissing`
    /// when no log is published.
    pub fn export_evidence(&self, folder: &Path) -> Result<BundleReport, Error> {
        let log = self.log()?;
        let signed = log.published()?.ok_or(Error::Ledger(LedgerError::CheckpointMissing))?;
        let size = log.rows().len()?.min(signed.checkpoint().size());
        let mut bundle = Writing { folder: Folder::make(folder)?, files: Files::default() };
        self.write_log(&mut bundle, &signed)?;
        let mut from = 0;
        while from < size {
            from = self.write_payloads(&mut bundle, from, size)?;
        }
        for (path, bytes) in policy::policy_files(&self.core.ports.retention) {
            bundle.add(&path, bytes)?;
        }
        let note = bundle.finish(&signed)?.sign(&[log.signer(self.core)?])?;
        bundle.folder.write(MANIFEST, note.as_bytes())?;
        bundle.folder.sync()?;
        verify_bundle(folder, &Trust::new(log.key(), log.origin()))
    }

    fn write_log(&self, bundle: &mut Writing, signed: &SignedCheckpoint) -> Result<(), Error> {
        let log = self.log()?;
        bundle.add(&in_log(CHECKPOINT_PATH), signed.note().as_bytes())?;
        for path in required_tiles(signed.checkpoint().size()) {
            let path = path?.to_string();
            let tile = log.tiles().read(&path)?.ok_or(Error::Ledger(LedgerError::TileMissing))?;
            bundle.add(&in_log(&path), &tile)?;
        }
        let handovers = read_handovers(log.tiles())?;
        for (number, handover) in (0..).zip(&handovers) {
            bundle.add(&in_log(&handover_path(number)), handover.to_string().as_bytes())?;
        }
        let old: Vec<_> = handovers.iter().map(|handover| handover.statement().old()).collect();
        let current = handovers.last().map_or(log.key(), |last| last.statement().new_key());
        bundle.add(KEYS, keys_text(log.origin(), &old, current).as_bytes())
    }

    /// Writes the certificates of what was destroyed by entries below this one; gives how many.
    fn write_certificates(&self, bundle: &mut Writing, size: u64) -> Result<u64, Error> {
        let mut pages = BTreeMap::<u64, Vec<(u64, LeafIndex)>>::new();
        for (entry, leaf) in self.destroyed_by_entry()?.range(..size) {
            pages.entry(entry / certificates::ENTRIES).or_default().push((*entry, *leaf));
        }
        let mut written = 0;
        for (page, destroyed) in pages {
            let leaves: Vec<LeafIndex> = destroyed.into_iter().map(|(_, leaf)| leaf).collect();
            let notes = self.certified_together(&leaves)?;
            written += notes.len() as u64;
            let text: String = notes.iter().map(DestructionCertificate::note).collect();
            if !text.is_empty() {
                bundle.add(&certificates_path(page), text.as_bytes())?;
            }
        }
        Ok(written)
    }

    /// Writes what a page of entries made public; gives where the next page begins.
    fn write_payloads(&self, bundle: &mut Writing, from: u64, size: u64) -> Result<u64, Error> {
        let page = u32::try_from(size - from).unwrap_or(PAGE).min(PAGE);
        let (files, next) = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            let (mut files, mut next) = (Vec::new(), from);
            for leaf in rows.entries(&self.id, from, page)? {
                let kind = Leaf::from_bytes(&leaf)?.kind;
                if kind.has_public_opening() {
                    public_files(rows, &self.id, next, kind, &mut files)?;
                }
                next += 1;
            }
            Ok::<_, Error>((files, next))
        })?;
        files.into_iter().try_for_each(|(path, bytes)| bundle.add_once(&path, &bytes))?;
        if next > from { Ok(next) } else { Err(Error::Ledger(LedgerError::RolledBack)) }
    }
}

/// The payload of a public entry, and the notice that it names.
fn public_files(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    entry: u64,
    kind: EntryKind,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Error> {
    // One that a recovery lost is accounted for by the payload of that.
    let Some(payload) = rows.public_payload(organisation, entry)? else { return Ok(()) };
    if kind == EntryKind::NoticePublished {
        const MALFORMED: Error = Error::Format("notice");
        let label = Payload::parse(&payload)?.notice.ok_or(MALFORMED)?;
        let digest = Digest::parse(&label.sha256)?;
        let row = rows.notice(organisation, digest)?.ok_or(MALFORMED)?;
        files.push((notice_path(&digest, ""), row.shown));
        files.extend(
            [(".json", row.terms), (".schedule", row.schedule)]
                .into_iter()
                .filter_map(|(part, bytes)| (!bytes.is_empty()).then(|| (notice_path(&digest, part), bytes))),
        );
    }
    files.push((public_path(entry, kind), payload));
    Ok(())
}

/// A bundle that is being written.
struct Writing {
    folder: Folder,
    files: Files,
}

impl Writing {
    fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.folder.write(path, bytes)?;
        self.files.insert(path, Content::of(bytes));
        Ok(())
    }

    /// As [`Self::add`]; a notice may be named by two entries.
    fn add_once(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if self.files.get(path) == Some(&Content::of(bytes)) { Ok(()) } else { self.add(path, bytes) }
    }

    /// Writes the list; what stands for it is to be signed.
    fn finish(&mut self, signed: &SignedCheckpoint) -> Result<Manifest, Error> {
        let list = self.files.to_string();
        self.folder.write(FILES, list.as_bytes())?;
        Ok(Manifest { checkpoint: signed.checkpoint().clone(), list: Content::of(list.as_bytes()) })
    }
}

fn in_log(path: &str) -> String {
    format!("log/{path}")
}

/// The origin and the keys, each on its line.
fn keys_text(origin: &str, old: &[&VerifierKey], current: &VerifierKey) -> String {
    let keys = old.iter().copied().chain([current]).map(|key| format!("{key}\n"));
    format!("{origin}\n{}", keys.collect::<String>())
}

/// Every tile and entry bundle of a log of this size (C2SP tlog-tiles).
fn required_tiles(size: u64) -> impl Iterator<Item = Result<TilePath, LedgerError>> {
    let last =
        |count: u64| (!count.is_multiple_of(TILE_WIDTH)).then_some((count / TILE_WIDTH, count % TILE_WIDTH));
    let tiles = move |count: u64| (0..count / TILE_WIDTH).map(|tile| (tile, TILE_WIDTH)).chain(last(count));
    let entries = tiles(size).map(|(tile, width)| TilePath::entries(tile, width));
    let levels = (0..8u8).map(move |level| (level, size >> (8 * u32::from(level))));
    let hashes = levels.take_while(|(_, count)| *count > 0).flat_map(move |(level, count)| {
        tiles(count).map(move |(tile, width)| TilePath::hashes(level, tile, width))
    });
    entries.chain(hashes)
}

#[cfg(test)]
mod tests;
