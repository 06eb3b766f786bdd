//! The walk over the entries of a bundle: what they made public, and the certificates of the destructions among them.

use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_ledger::{
    EntryKind, HandoverStatement, Leaf, TILE_WIDTH, VerifierKey, commitment, read_entries,
};
use vouchsafe_types::Digest;

use super::certificates::{ENTRIES, read_page};
use super::check::Check;
use super::list::{certificates_path, notice_path, public_path};
use super::notices::is_notice;
use super::pairing::Pairing;
use super::report::BundleFinding;
use crate::act::public_opening;
use crate::payload::Payload;
use crate::{DestructionCertificate, Error};

pub(super) struct Entries<'a> {
    check: &'a mut Check,
    used: &'a mut BTreeSet<String>,
    keys: &'a [&'a VerifierKey],
    pairing: Pairing<'a>,
    missing: BTreeSet<u64>,
    gaps: Vec<(u64, u64)>,
    /// The certificates of the page, until their entry comes.
    page: BTreeMap<u64, DestructionCertificate>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        check: &'a mut Check,
        used: &'a mut BTreeSet<String>,
        keys: &'a [&'a VerifierKey],
        pairing: Pairing<'a>,
    ) -> Self {
        let (missing, page) = (BTreeSet::new(), BTreeMap::new());
        Self { check, used, keys, pairing, missing, gaps: Vec::new(), page }
    }

    pub(super) fn walk(mut self, size: u64) -> Result<(), Error> {
        for bundle in 0..size.div_ceil(TILE_WIDTH) {
            if (bundle * TILE_WIDTH).is_multiple_of(ENTRIES) {
                self.turn(bundle * TILE_WIDTH / ENTRIES)?;
            }
            // One that is damaged is a finding of the log.
            let leaves = read_entries(&self.check.bundle, bundle, size).unwrap_or_default();
            for (entry, bytes) in (bundle * TILE_WIDTH..).zip(leaves) {
                if let Ok(leaf) = Leaf::from_bytes(&bytes) {
                    self.step(entry, &bytes, &leaf)?;
                }
            }
        }
        self.strays();
        self.end();
        Ok(())
    }

    fn step(&mut self, entry: u64, bytes: &[u8], leaf: &Leaf) -> Result<(), Error> {
        if leaf.kind.has_public_opening() {
            self.public(entry, leaf)?;
        }
        let certificate = self.page.remove(&entry);
        if !self.pairing.is_own(leaf) {
            self.check.report.add(BundleFinding::Foreign(entry));
        }
        let counts = &mut self.check.report.counts;
        let found = self.pairing.step(entry, (bytes, leaf), certificate.as_ref(), counts);
        found.into_iter().for_each(|finding| self.check.report.add(finding));
        Ok(())
    }

    /// Reads the certificates of the next page.
    fn turn(&mut self, page: u64) -> Result<(), Error> {
        self.strays();
        let Some(bytes) = self.take(certificates_path(page))? else { return Ok(()) };
        match read_page(page, &bytes, self.keys) {
            Ok(certificates) => self.page = certificates,
            Err(finding) => self.check.report.add(finding),
        }
        Ok(())
    }

    /// Certificates of entries that did not come.
    fn strays(&mut self) {
        for entry in std::mem::take(&mut self.page).into_keys() {
            self.check.report.add(BundleFinding::CertificateDiffers(entry));
        }
    }

    fn end(self) {
        let report = &mut self.check.report;
        for entry in self.missing {
            if self.gaps.iter().any(|(from, to)| (*from..*to).contains(&entry)) {
                report.counts.public_lost += 1;
            } else {
                report.add(BundleFinding::PayloadMissing(entry));
            }
        }
        let in_force = self.pairing.in_force();
        report.newest = self.pairing.newest();
        report.policy = in_force.map(|digest| (digest, self.pairing.has_policy(&digest)));
        let findings = self.pairing.end(&self.gaps, &mut report.counts);
        findings.into_iter().for_each(|finding| report.add(finding));
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
            self.check.report.add(BundleFinding::PayloadDiffers(entry));
            return Ok(());
        };
        self.check.report.counts.public += 1;
        let Some(payload) = payload else { return Ok(()) };
        match payload.gap {
            Some((from, to)) if leaf.kind != EntryKind::LogRecovered || from >= to || to > entry => {
                self.check.report.add(BundleFinding::GapRefused(entry));
            }
            gap => self.gaps.extend(gap),
        }
        self.pairing.public(leaf, &payload);
        if leaf.kind == EntryKind::NoticePublished { self.notice(entry, &payload) } else { Ok(()) }
    }

    fn notice(&mut self, entry: u64, payload: &Payload) -> Result<(), Error> {
        let digest = payload.notice.as_ref().and_then(|label| Digest::parse(&label.sha256).ok());
        let Some(digest) = digest else {
            self.check.report.add(BundleFinding::NoticeDiffers(entry));
            return Ok(());
        };
        let shown = self.take(notice_path(&digest, ""))?;
        let [terms, schedule] = [".json", ".schedule"].map(|part| self.take(notice_path(&digest, part)));
        let Some(shown) = shown else {
            self.check.report.add(BundleFinding::NoticeMissing(entry));
            return Ok(());
        };
        if is_notice(payload, &digest, &shown, terms?.as_deref(), schedule?.as_deref()) {
            self.check.report.counts.notices += 1;
        } else {
            self.check.report.add(BundleFinding::NoticeDiffers(entry));
        }
        Ok(())
    }

    fn take(&mut self, path: String) -> Result<Option<Vec<u8>>, Error> {
        let bytes = self.check.bundle.read(&path)?;
        self.used.insert(path);
        Ok(bytes)
    }
}
