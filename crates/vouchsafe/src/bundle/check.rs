use std::collections::BTreeSet;
use std::path::Path;

use vouchsafe_ledger::{
    CHECKPOINT_PATH, Handover, KeyChain, LedgerError, Note, Trust, VerifierKey, handover_path,
    read_handovers, verify_tiles,
};

use super::entries::Entries;
use super::folder::Bundle;
use super::list::{Content, Files, KEYS};
use super::manifest::{FILES, MANIFEST, Manifest};
use super::pairing::Pairing;
use super::policy::Policies;
use super::report::{BundleFinding, BundleReport};
use super::{in_log, keys_text, required_tiles};
use crate::Error;

/// Checks a bundle with nothing but a key that was obtained elsewhere, better with an older checkpoint and a
/// policy of witnesses ([`Trust`]).
///
/// The manifest is signed by that key, or the one that the handovers in the bundle lead to; every file is what its
/// list says, and nothing else lies there; the log is sound; every public payload is what its entry committed to, and
/// every notice that an entry published lies there as it was, with the passages that it states. Every destruction has
/// its certificate, as far as its evidence still has to be there, and no enrolment is destroyed twice; the rule that a
/// certificate names stands in the packs of its policy, where they are in the bundle.
///
/// What no bundle shows: that the template of *this* enrolment was destroyed and not of another that is still held.
/// Only the person can tell, with the receipt of their enrolment.
///
/// # Errors
/// [`Error::Folder`] when the folder cannot be read, which is no verdict; [`Error::Ledger`] with `OriginMismatch` when
/// the trust remembers a checkpoint of another log.
pub fn verify_bundle(folder: &Path, trust: &Trust<'_>) -> Result<BundleReport, Error> {
    let mut check = Check { bundle: Bundle::open(folder)?, report: BundleReport::default() };
    let (chain, keys, handovers) = check.follow(trust)?;
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
    let policies = check.policies(&mut used)?;
    let keys: Vec<&VerifierKey> = keys.iter().collect();
    let pairing = Pairing::new(trust.origin(), &policies);
    Entries::new(&mut check, &mut used, &keys, pairing).walk(size)?;
    let unused = check.bundle.list.iter().flat_map(Files::paths).filter(|path| !used.contains(*path));
    let unused: Vec<_> = unused.map(|path| BundleFinding::Added(path.to_owned())).collect();
    unused.into_iter().for_each(|finding| check.report.add(finding));
    Ok(check.report)
}

pub(super) struct Check {
    pub(super) bundle: Bundle,
    pub(super) report: BundleReport,
}

impl Check {
    /// The keys from the trusted one on. A trust that begins later than the log does follows what comes after its key.
    fn follow(&mut self, trust: &Trust<'_>) -> Result<(KeyChain, Vec<VerifierKey>, Vec<Handover>), Error> {
        let (key, origin) = (trust.key(), trust.origin());
        let handovers =
            self.judge(read_handovers(&self.bundle), BundleFinding::HandoverRefused)?.unwrap_or_default();
        let known = handovers.iter().position(|handover| handover.statement().old() == key);
        let rest = known.and_then(|first| handovers.get(first..)).unwrap_or_default();
        let chain = KeyChain::follow(key.clone(), origin, rest, trust.policy());
        let mut keys = vec![key.clone()];
        match self.judge(chain, BundleFinding::HandoverRefused)? {
            Some(chain) => {
                keys.extend(rest.iter().map(|handover| handover.statement().new_key().clone()));
                Ok((chain, keys, handovers))
            }
            None => Ok((KeyChain::new(key.clone(), origin), keys, handovers)),
        }
    }

    /// Reads the policies that lie there.
    fn policies(&mut self, used: &mut BTreeSet<String>) -> Result<Policies, Error> {
        let (policies, paths, wrong) = Policies::read(&self.bundle)?;
        used.extend(paths);
        wrong.into_iter().for_each(|digest| self.report.add(BundleFinding::PolicyDiffers(digest)));
        Ok(policies)
    }

    fn manifest(&mut self, key: &VerifierKey) -> Result<Option<Manifest>, Error> {
        let Some(note) = self.bundle.manifest()? else {
            let found = if self.bundle.has(MANIFEST) {
                BundleFinding::ManifestMalformed
            } else {
                BundleFinding::Missing(MANIFEST.to_owned())
            };
            self.report.add(found);
            return Ok(None);
        };
        let text = str::from_utf8(&note).map_err(|_| LedgerError::NoteMalformed);
        let signed = text.and_then(Note::parse).and_then(|note| note.verify(&[key]).map(str::to_owned));
        let Some(text) = self.judge(signed, BundleFinding::ManifestRefused)? else { return Ok(None) };
        let manifest = Manifest::parse(&text);
        if manifest.is_none() {
            self.report.add(BundleFinding::ManifestMalformed);
        }
        Ok(manifest)
    }

    /// Compares every file with the list; false when there is none to go by.
    fn files(&mut self, manifest: &Manifest) -> Result<bool, Error> {
        let found = match self.bundle.files()? {
            None if self.bundle.has(FILES) => Err(BundleFinding::ListMalformed),
            None => Err(BundleFinding::Missing(FILES.to_owned())),
            Some(list) if Content::of(&list) != manifest.list => {
                Err(BundleFinding::Differs(FILES.to_owned()))
            }
            Some(list) => Files::parse(&list).ok_or(BundleFinding::ListMalformed),
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
                let of = if gone { BundleFinding::Missing } else { BundleFinding::Differs };
                self.report.add(of(path.to_owned()));
            }
        }
        for stray in self.bundle.strays(files) {
            self.report.add(BundleFinding::Added(stray));
        }
        Ok(true)
    }

    /// Recomputes the log; gives its size as far as it can be believed.
    fn log(&mut self, manifest: &Manifest, trust: &Trust<'_>) -> Result<u64, Error> {
        let report = verify_tiles(&self.bundle, trust)?;
        for finding in report.findings() {
            self.report.add(BundleFinding::Log(finding.clone()));
        }
        self.report.omitted += report.omitted();
        self.report.counts.entries = report.leaves();
        let Some(head) = report.checkpoint() else { return Ok(0) };
        if *head != manifest.checkpoint {
            self.report.add(BundleFinding::CheckpointDiffers);
        }
        self.report.checkpoint = Some(head.clone());
        Ok(head.size())
    }

    fn keys(&mut self, trust: &Trust<'_>, handovers: &[Handover]) -> Result<(), Error> {
        let old: Vec<_> = handovers.iter().map(|handover| handover.statement().old()).collect();
        let current = handovers.last().map_or(trust.key(), |last| last.statement().new_key());
        let expected = keys_text(trust.origin(), &old, current);
        match self.bundle.read(KEYS)? {
            Some(keys) if keys == expected.as_bytes() => {}
            Some(_) => self.report.add(BundleFinding::KeysDiffer),
            // One that is listed and not there is found with the list.
            None if self.bundle.list.as_ref().is_some_and(|list| list.get(KEYS).is_some()) => {}
            None => self.report.add(BundleFinding::Missing(KEYS.to_owned())),
        }
        Ok(())
    }

    /// Keeps what failed as a finding, unless the folder could not answer.
    fn judge<T>(
        &mut self,
        result: Result<T, LedgerError>,
        finding: impl FnOnce(LedgerError) -> BundleFinding,
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
