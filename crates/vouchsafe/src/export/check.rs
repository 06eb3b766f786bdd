use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use vouchsafe_consent::Notice;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Checkpoint, EntryKind, Finding, Handover, HandoverStatement, KeyChain, Leaf,
    LedgerError, Note, TILE_WIDTH, Trust, VerifierKey, commitment, handover_path, read_entries,
    read_handovers, verify_tiles,
};
use vouchsafe_types::Digest;

use super::bundle::{Bundle, Content, FILES, Files, KEYS, MANIFEST, Manifest, notice_path, public_path};
use super::{in_log, keys_text, required_tiles};
use crate::Error;
use crate::act::public_opening;
use crate::payload::Payload;

/// One check of an export that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFinding {
    /// This lies in the folder and is no part of the export.
    Added(String),
    /// The log in it has another checkpoint than the manifest.
    CheckpointDiffers,
    /// This file holds something else than the list says.
    Differs(String),
    /// A handover of the log's key does not hold.
    HandoverRefused(LedgerError),
    /// The file `keys` names other keys than the trusted one and the handovers.
    KeysDiffer,
    /// The list does not parse.
    ListMalformed,
    /// The log in it is not sound.
    Log(Finding),
    /// The manifest does not parse.
    ManifestMalformed,
    /// The manifest is not signed by the log's key.
    ManifestRefused(LedgerError),
    /// This file is listed and not there.
    Missing(String),
    /// The files of the notice that this entry published are not what it says.
    NoticeDiffers(u64),
    /// The bytes of the notice that this entry published are not there.
    NoticeMissing(u64),
    /// The public payload of this entry is not what the entry committed to.
    PayloadDiffers(u64),
    /// The public payload of this entry is not there, and no recovery lost it.
    PayloadMissing(u64),
}

impl fmt::Display for ExportFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Somebody else chose the name.
            Self::Added(path) => write!(f, "{path:?} is no part of the export"),
            Self::CheckpointDiffers => f.write_str("manifest is about another checkpoint"),
            Self::Differs(path) => write!(f, "{path} is not what the list says"),
            Self::HandoverRefused(error) => write!(f, "key handover is refused: {error}"),
            Self::KeysDiffer => f.write_str("the keys are not the trusted one and those of the handovers"),
            Self::ListMalformed => f.write_str("list is malformed"),
            Self::Log(finding) => write!(f, "log: {finding}"),
            Self::ManifestMalformed => f.write_str("manifest is malformed"),
            Self::ManifestRefused(error) => write!(f, "manifest is refused: {error}"),
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::NoticeDiffers(entry) => write!(f, "notice of entry {entry} is not what the entry says"),
            Self::NoticeMissing(entry) => write!(f, "notice of entry {entry} is missing"),
            Self::PayloadDiffers(entry) => {
                write!(f, "payload of entry {entry} is not what the entry committed to")
            }
            Self::PayloadMissing(entry) => write!(f, "payload of entry {entry} is missing"),
        }
    }
}

/// What the check of an export found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct ExportReport {
    checkpoint: Option<Checkpoint>,
    key: Option<VerifierKey>,
    files: u64,
    entries: u64,
    public: u64,
    notices: u64,
    lost: u64,
    findings: Vec<ExportFinding>,
    omitted: u64,
}

impl ExportReport {
    /// The most findings that are kept; the rest is counted.
    pub const MAX_FINDINGS: usize = 1000;

    /// Whether every check passed.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.checkpoint.is_some()
    }

    /// The checkpoint that the export covers, once its signatures have verified.
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// The key that signs the log now, after every handover in the export.
    pub const fn key(&self) -> Option<&VerifierKey> {
        self.key.as_ref()
    }

    /// How many files are listed.
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// How many entries were hashed.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// How many public payloads open their entry.
    pub const fn public(&self) -> u64 {
        self.public
    }

    /// How many notices are what their entry says.
    pub const fn notices(&self) -> u64 {
        self.notices
    }

    /// How many public payloads a recovery lost.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// The checks that failed, in the order they were made.
    pub fn findings(&self) -> &[ExportFinding] {
        &self.findings
    }

    /// How many findings there were beyond [`Self::MAX_FINDINGS`].
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    fn add(&mut self, finding: ExportFinding) {
        if self.findings.len() < Self::MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }
}

/// Checks an export with nothing but a key that was obtained elsewhere, better with an older checkpoint and a
/// policy of witnesses ([`Trust`]).
///
/// The manifest is signed by that key, or the one that the handovers in the export lead to; every file is what its
/// list says, and nothing else lies there; the log is sound; every public payload is what its entry committed to, and
/// every notice that an entry published lies there as it was, with the passages that it states.
///
/// # Errors
/// [`Error::Folder`] when the folder cannot be read, which is no verdict; [`Error::Ledger`] with `OriginMismatch` when
/// the trust remembers a checkpoint of another log.
pub fn verify_export(folder: &Path, trust: &Trust<'_>) -> Result<ExportReport, Error> {
    let mut check = Check { bundle: Bundle::open(folder)?, report: ExportReport::default() };
    let (chain, handovers) = check.follow(trust)?;
    check.report.key = Some(chain.current().clone());
    let Some(manifest) = check.manifest(chain.current())? else { return Ok(check.report) };
    if !check.files(&manifest)? {
        return Ok(check.report);
    }
    let mut chained = Trust::chained(&chain);
    if let Some(policy) = trust.policy() {
        chained = chained.demanding(policy);
    }
    if let Some(remembered) = trust.remembered() {
        chained = chained.remembering(remembered);
    }
    let size = check.log(&manifest, &chained)?;
    let mut used: BTreeSet<String> =
        required_tiles(size).flatten().map(|path| in_log(&path.to_string())).collect();
    used.extend([KEYS.to_owned(), in_log(CHECKPOINT_PATH)]);
    used.extend((0..).zip(&handovers).map(|(number, _)| in_log(&handover_path(number))));
    check.keys(trust, &handovers)?;
    Entries { check: &mut check, used: &mut used, missing: BTreeSet::new(), gaps: Vec::new() }.walk(size)?;
    let unused = check.bundle.list.iter().flat_map(Files::paths).filter(|path| !used.contains(*path));
    let unused: Vec<_> = unused.map(|path| ExportFinding::Added(path.to_owned())).collect();
    unused.into_iter().for_each(|finding| check.report.add(finding));
    Ok(check.report)
}

struct Check {
    bundle: Bundle,
    report: ExportReport,
}

impl Check {
    /// The keys from the trusted one on. A trust that begins later than the log does follows what comes after its key.
    fn follow(&mut self, trust: &Trust<'_>) -> Result<(KeyChain, Vec<Handover>), Error> {
        let (key, origin) = (trust.key(), trust.origin());
        let handovers =
            self.judge(read_handovers(&self.bundle), ExportFinding::HandoverRefused)?.unwrap_or_default();
        let known = handovers.iter().position(|handover| handover.statement().old() == key);
        let rest = known.and_then(|first| handovers.get(first..)).unwrap_or_default();
        let chain = KeyChain::follow(key.clone(), origin, rest, trust.policy());
        let chain = self.judge(chain, ExportFinding::HandoverRefused)?;
        Ok((chain.unwrap_or_else(|| KeyChain::new(key.clone(), origin)), handovers))
    }

    fn manifest(&mut self, key: &VerifierKey) -> Result<Option<Manifest>, Error> {
        let Some(note) = self.bundle.manifest()? else {
            let found = if self.bundle.has(MANIFEST) {
                ExportFinding::ManifestMalformed
            } else {
                ExportFinding::Missing(MANIFEST.to_owned())
            };
            self.report.add(found);
            return Ok(None);
        };
        let text = str::from_utf8(&note).map_err(|_| LedgerError::NoteMalformed);
        let signed = text.and_then(Note::parse).and_then(|note| note.verify(&[key]).map(str::to_owned));
        let Some(text) = self.judge(signed, ExportFinding::ManifestRefused)? else { return Ok(None) };
        let manifest = Manifest::parse(&text);
        if manifest.is_none() {
            self.report.add(ExportFinding::ManifestMalformed);
        }
        Ok(manifest)
    }

    /// Compares every file with the list; false when there is none to go by.
    fn files(&mut self, manifest: &Manifest) -> Result<bool, Error> {
        let found = match self.bundle.files()? {
            None if self.bundle.has(FILES) => Err(ExportFinding::ListMalformed),
            None => Err(ExportFinding::Missing(FILES.to_owned())),
            Some(list) if Content::of(&list) != manifest.list => {
                Err(ExportFinding::Differs(FILES.to_owned()))
            }
            Some(list) => Files::parse(&list).ok_or(ExportFinding::ListMalformed),
        };
        let files = match found {
            Ok(files) => files,
            Err(finding) => {
                self.report.add(finding);
                return Ok(false);
            }
        };
        self.report.files = files.len();
        self.bundle.list = Some(files);
        let Some(files) = &self.bundle.list else { return Ok(false) };
        for path in files.paths() {
            if self.bundle.read(path)?.is_none() {
                let gone = !self.bundle.has(path);
                let of = if gone { ExportFinding::Missing } else { ExportFinding::Differs };
                self.report.add(of(path.to_owned()));
            }
        }
        for stray in self.bundle.strays(files) {
            self.report.add(ExportFinding::Added(stray));
        }
        Ok(true)
    }

    /// Recomputes the log; gives its size as far as it can be believed.
    fn log(&mut self, manifest: &Manifest, trust: &Trust<'_>) -> Result<u64, Error> {
        let report = verify_tiles(&self.bundle, trust)?;
        for finding in report.findings() {
            self.report.add(ExportFinding::Log(finding.clone()));
        }
        self.report.omitted += report.omitted();
        self.report.entries = report.leaves();
        let Some(head) = report.checkpoint() else { return Ok(0) };
        if *head != manifest.checkpoint {
            self.report.add(ExportFinding::CheckpointDiffers);
        }
        self.report.checkpoint = Some(head.clone());
        Ok(head.size())
    }

    fn keys(&mut self, trust: &Trust<'_>, handovers: &[Handover]) -> Result<(), Error> {
        let old: Vec<_> = handovers.iter().map(|handover| handover.statement().old()).collect();
        let current = handovers.last().map_or(trust.key(), |last| last.statement().new_key());
        let expected = keys_text(trust.origin(), &old, current);
        if self.bundle.read(KEYS)?.is_some_and(|keys| keys != expected.as_bytes()) {
            self.report.add(ExportFinding::KeysDiffer);
        }
        Ok(())
    }

    /// Keeps what failed as a finding, unless the folder could not answer.
    fn judge<T>(
        &mut self,
        result: Result<T, LedgerError>,
        finding: impl FnOnce(LedgerError) -> ExportFinding,
    ) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(LedgerError::StoreUnavailable(kind)) => Err(Error::Folder(kind)),
            Err(error) => {
                self.report.add(finding(error));
                Ok(None)
            }
        }
    }
}

/// The walk over the entries, for what they made public.
struct Entries<'a> {
    check: &'a mut Check,
    used: &'a mut BTreeSet<String>,
    missing: BTreeSet<u64>,
    gaps: Vec<(u64, u64)>,
}

impl Entries<'_> {
    fn walk(mut self, size: u64) -> Result<(), Error> {
        for bundle in 0..size.div_ceil(TILE_WIDTH) {
            // One that is damaged is a finding of the log.
            let leaves = read_entries(&self.check.bundle, bundle, size).unwrap_or_default();
            for (entry, leaf) in (bundle * TILE_WIDTH..).zip(leaves) {
                if let Ok(leaf) = Leaf::from_bytes(&leaf)
                    && leaf.kind.has_public_opening()
                {
                    self.public(entry, &leaf)?;
                }
            }
        }
        for entry in std::mem::take(&mut self.missing) {
            if self.gaps.iter().any(|(from, to)| (*from..*to).contains(&entry)) {
                self.check.report.lost += 1;
            } else {
                self.check.report.add(ExportFinding::PayloadMissing(entry));
            }
        }
        Ok(())
    }

    fn public(&mut self, entry: u64, leaf: &Leaf) -> Result<(), Error> {
        let Some(payload) = self.take(public_path(entry, leaf.kind))? else {
            self.missing.insert(entry);
            return Ok(());
        };
        let committed = commitment::verify(&public_opening(), &payload, &leaf.commitment);
        let read = match leaf.kind {
            EntryKind::LogKeyRotated => HandoverStatement::parse(&payload).is_ok().then_some(None),
            _ => Payload::parse(&payload).ok().filter(|payload| payload.entry == entry).map(Some),
        };
        let Some(payload) = read.filter(|_| committed) else {
            self.check.report.add(ExportFinding::PayloadDiffers(entry));
            return Ok(());
        };
        self.check.report.public += 1;
        let Some(payload) = payload else { return Ok(()) };
        self.gaps.extend(payload.gap);
        if leaf.kind == EntryKind::NoticePublished { self.notice(entry, &payload) } else { Ok(()) }
    }

    fn notice(&mut self, entry: u64, payload: &Payload) -> Result<(), Error> {
        let digest = payload.notice.as_ref().and_then(|label| Digest::parse(&label.sha256).ok());
        let Some(digest) = digest else {
            self.check.report.add(ExportFinding::NoticeDiffers(entry));
            return Ok(());
        };
        let shown = self.take(notice_path(&digest, ""))?;
        let [terms, schedule] = [".json", ".schedule"].map(|part| self.take(notice_path(&digest, part)));
        let Some(shown) = shown else {
            self.check.report.add(ExportFinding::NoticeMissing(entry));
            return Ok(());
        };
        if is_notice(payload, &digest, &shown, terms?.as_deref(), schedule?.as_deref()) {
            self.check.report.notices += 1;
        } else {
            self.check.report.add(ExportFinding::NoticeDiffers(entry));
        }
        Ok(())
    }

    fn take(&mut self, path: String) -> Result<Option<Vec<u8>>, Error> {
        let bytes = self.check.bundle.read(&path)?;
        self.used.insert(path);
        Ok(bytes)
    }
}

/// Whether these are the files of the notice that the entry's payload describes.
fn is_notice(
    payload: &Payload,
    digest: &Digest,
    shown: &[u8],
    terms: Option<&[u8]>,
    schedule: Option<&[u8]>,
) -> bool {
    let Some(stated) = &payload.terms else {
        // One of schema 2, which states no terms.
        return Content::of(shown).is(digest) && terms.is_none() && schedule.is_none();
    };
    let Some(json) = terms.and_then(|terms| str::from_utf8(terms).ok()) else { return false };
    let Ok(notice) = Notice::from_json(json) else { return false };
    let labelled = payload.notice.as_ref().is_some_and(|label| {
        label.id == notice.id()
            && label.version == notice.version()
            && label.locale == notice.locale()
            && notice.digest() == *digest
    });
    let scheduled = match (notice.terms(), schedule) {
        (Some(terms), Some(schedule)) => terms.schedule().matches(schedule),
        (terms, schedule) => terms.is_none() && schedule.is_none(),
    };
    let same = serde_json::from_str::<serde_json::Value>(json).is_ok_and(|terms| terms == *stated);
    labelled && scheduled && same && notice.matches(shown)
}
