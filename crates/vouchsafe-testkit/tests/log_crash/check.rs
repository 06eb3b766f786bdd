//! What a kill left, compared with everything that was ever said about the folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use vouchsafe::ledger::{Checkpoint, EntryKind, Leaf, Trust, VerifierKey, verify_tiles};
use vouchsafe::store::{FolderTiles, SqliteStore, StoreError, read};
use vouchsafe::{OrganisationId, PayloadFinding};
use vouchsafe_testkit::acknowledged::{Acknowledgement, Judgement, judge};
use vouchsafe_testkit::scene::{Failure, Scene, database};

use super::victim::Testimony;
use super::wal;
use super::writers::{BARE, IDS, NOON, WRITERS, bare_leaf};

/// What is known of one folder.
#[derive(Default)]
pub(crate) struct Known {
    said: [Vec<Acknowledgement>; IDS.len()],
    served: [Vec<[u8; 16]>; IDS.len()],
    entries: [Vec<Vec<u8>>; IDS.len()],
    heads: [Option<Checkpoint>; IDS.len()],
}

/// What the kills of a drill left, counted.
#[derive(Default)]
pub(crate) struct Left {
    /// Kills while a batch was written, or between its commit and the last of its acknowledgements.
    pub(crate) midcommit: u64,
    pub(crate) torn: u64,
    pub(crate) unacknowledged: u64,
    pub(crate) half_written: u64,
    /// Publications that were cut between the lock and the file.
    pub(crate) cut: u64,
    /// Checkpoints that the killed processes had published.
    pub(crate) published: u64,
    pub(crate) largest: u64,
}

impl Known {
    pub(crate) fn said(&self) -> u64 {
        self.said.iter().map(|said| said.len() as u64).sum()
    }

    pub(crate) fn acknowledgements(&self, log: usize) -> &[Acknowledgement] {
        &self.said[log]
    }

    /// Looks at the folder as it was left, then opens it as the next process does, and looks again.
    pub(crate) fn inspect(
        &mut self,
        folder: &Path,
        testimony: Testimony,
        left: &mut Left,
        findings: &mut Vec<String>,
    ) -> Judgement {
        let mut find = |says: String| findings.push(format!("run {}: {says}", testimony.run));
        let torn = wal::is_torn(folder);
        left.half_written += u64::from(is_half_written(folder));
        // Numbers that a writer of this run takes for known begin with this run.
        let mut by_log: [Vec<Acknowledgement>; IDS.len()] = Default::default();
        testimony.acknowledgements.iter().for_each(|said| by_log[said.log].push(*said));
        for (log, ticket) in &testimony.served {
            self.served[*log].push(*ticket);
        }
        let (mut judgement, mut unacknowledged) = (Judgement::default(), 0);
        let stored = database(folder).exists();
        for (log, id) in IDS.into_iter().enumerate().filter(|_| stored) {
            let now = entries(folder, id).unwrap();
            if !now.starts_with(&self.entries[log]) {
                find(format!("{id}: the log does not continue itself"));
            }
            // Writers count anew in each run: their orders are judged run by run, what is there for all of them.
            judgement.merge(judge(&by_log[log], &now));
            judgement.merge(judge_old(&self.said[log], &now));
            let new = &now[self.entries[log].len().min(now.len())..];
            unacknowledged += in_flight(new, by_log[log].len(), served_in(&testimony, log));
            runs_of_bare(&now, &testimony, log).into_iter().for_each(|says| find(format!("{id}: {says}")));
            left.largest = left.largest.max(now.len() as u64);
            self.entries[log] = now;
            self.said[log].append(&mut by_log[log]);
        }
        if unacknowledged > u64::from(WRITERS) {
            find(format!("{unacknowledged} entries were stored and not acknowledged"));
        }
        left.torn += u64::from(torn);
        left.unacknowledged += unacknowledged;
        left.midcommit += u64::from(torn || unacknowledged > 0);
        if let Err(error) = self.reopen(folder, left, &mut find) {
            find(error.to_string());
        }
        judgement
    }

    fn reopen(
        &mut self,
        folder: &Path,
        left: &mut Left,
        find: &mut dyn FnMut(String),
    ) -> Result<(), Failure> {
        let vouchsafe = Scene::new(folder, NOON.parse()?).open()?;
        for (log, id) in IDS.into_iter().enumerate() {
            let organisation = vouchsafe.organisation(id)?;
            let (key, origin) = (organisation.verifier_key()?, organisation.log_origin()?);
            let name = origin.strip_prefix("vouchsafe/").ok_or("origin")?.to_owned();
            // What outsiders see continues what they saw, and is whole. Nobody waited for this process to mend it.
            let published = self.outsider(folder, &name, log, (&key, &origin))?;
            let (new, says) = published;
            left.published += u64::from(new);
            says.into_iter().for_each(|says| find(format!("{id}: {says}")));
            let report = organisation.verify_log()?;
            let before = self.heads[log].clone();
            if before.is_some() && !report.is_sound() {
                find(format!("{id}: rows and log: {:?}", report.findings()));
            }
            if vouchsafe_outside(folder, &name) > before.as_ref().map_or(0, Checkpoint::size) {
                left.cut += 1;
            }
            let head = organisation.publish_log()?.checkpoint().clone();
            let report = match &before {
                Some(before) => organisation.verify_log_since(before)?,
                None => organisation.verify_log()?,
            };
            let stored = entries(folder, id)?;
            if !report.is_sound() || head.size() != stored.len() as u64 {
                find(format!("{id}: published {} of {}: {:?}", head.size(), stored.len(), report.findings()));
            }
            if !stored.starts_with(&self.entries[log]) {
                find(format!("{id}: opening changed the log"));
            }
            self.tickets(folder, log, &stored)?.into_iter().for_each(&mut *find);
            for finding in organisation.verify_payloads()?.findings {
                let bare = |entry: u64| {
                    let leaf = usize::try_from(entry).ok().and_then(|entry| stored.get(entry));
                    leaf.is_some_and(|leaf| Leaf::from_bytes(leaf).is_ok_and(|leaf| leaf.kind == BARE))
                };
                if !matches!(finding, PayloadFinding::Missing(entry) if bare(entry)) {
                    find(format!("{id}: {finding}"));
                }
            }
            self.heads[log] = Some(head);
            self.entries[log] = stored;
        }
        Ok(())
    }

    /// Verifies the published files as an outsider; remembers the checkpoint, and tells whether it is a new one.
    fn outsider(
        &mut self,
        folder: &Path,
        name: &str,
        log: usize,
        (key, origin): (&VerifierKey, &str),
    ) -> Result<(bool, Option<String>), Failure> {
        let trust = Trust::new(key, origin);
        let remembered = self.heads[log].clone();
        let trust = remembered.as_ref().map_or(trust, |remembered| trust.remembering(remembered));
        let tiles = FolderTiles::at(folder.join("log").join(name));
        let report = verify_tiles(&tiles, &trust)?;
        if remembered.is_none() && report.checkpoint().is_none() {
            let nothing = matches!(report.findings(), [vouchsafe::ledger::Finding::CheckpointMissing]);
            return Ok((false, (!nothing).then(|| format!("published: {:?}", report.findings()))));
        }
        let says = (!report.is_sound()).then(|| format!("published: {:?}", report.findings()));
        let new = report.checkpoint() != remembered.as_ref();
        self.heads[log] = report.checkpoint().cloned();
        Ok((new, says))
    }

    /// Every notice that was shown has its row and its entry.
    fn tickets(&self, folder: &Path, log: usize, stored: &[Vec<u8>]) -> Result<Vec<String>, Failure> {
        let (store, id) = (SqliteStore::open(&database(folder))?, OrganisationId::parse(IDS[log])?);
        let served = &self.served[log];
        let rows = read(&store, &id, |rows| {
            served.iter().map(|ticket| rows.served(&id, *ticket)).collect::<Result<Vec<_>, StoreError>>()
        })?;
        let is_there = |row: Option<vouchsafe::store::ServedRow>| {
            let leaf = row.and_then(|row| stored.get(usize::try_from(row.entry).ok()?));
            leaf.is_some_and(|leaf| {
                Leaf::from_bytes(leaf).is_ok_and(|leaf| leaf.kind == EntryKind::NoticeServed)
            })
        };
        let lost = rows.into_iter().filter(|row| !is_there(*row)).count();
        Ok(if lost == 0 { Vec::new() } else { vec![format!("{}: {lost} showings are lost", IDS[log])] })
    }
}

/// Every entry of a log, read beside the facade.
pub(crate) fn entries(folder: &Path, id: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let (store, id) = (SqliteStore::open(&database(folder))?, OrganisationId::parse(id)?);
    Ok(read(&store, &id, |rows| rows.entries(&id, 0, u32::MAX))?)
}

/// What was acknowledged before earlier kills is still there; the order was judged then.
fn judge_old(said: &[Acknowledgement], entries: &[Vec<u8>]) -> Judgement {
    let alone: Vec<_> =
        (0..).zip(said).map(|(writer, said)| Acknowledgement { writer, after: 0, ..*said }).collect();
    judge(&alone, entries)
}

fn served_in(testimony: &Testimony, log: usize) -> usize {
    testimony.served.iter().filter(|(own, _)| *own == log).count()
}

/// How many of the new entries nobody was told of.
fn in_flight(new: &[Vec<u8>], acknowledged: usize, served: usize) -> u64 {
    let made_by_writers = new.iter().filter(|leaf| {
        let kind = Leaf::from_bytes(leaf).map(|leaf| leaf.kind);
        !matches!(kind, Ok(EntryKind::OrganisationCreated | EntryKind::NoticePublished))
    });
    (made_by_writers.count() as u64).saturating_sub((acknowledged + served) as u64)
}

/// A writer that only appends leaves its entries in its own order, without a gap, and at most one that it was not told
/// of.
fn runs_of_bare(entries: &[Vec<u8>], testimony: &Testimony, log: usize) -> Vec<String> {
    let places: BTreeMap<&[u8], usize> =
        entries.iter().enumerate().map(|(place, leaf)| (leaf.as_slice(), place)).collect();
    let Some(Ok(leaf)) = entries.first().map(|leaf| Leaf::from_bytes(leaf)) else { return Vec::new() };
    let mut says = Vec::new();
    for writer in 0..WRITERS {
        let told = testimony.acknowledgements.iter();
        let told = told.filter(|said| said.writer == writer && said.log == log).count() as u64;
        let place = |count| places.get(bare_leaf(testimony.run, writer, count, leaf.organisation).as_slice());
        if place(0).is_none() {
            continue;
        }
        let found: Vec<usize> = (0..).map_while(|count| place(count).copied()).collect();
        let beyond = (1..4).any(|more| place(found.len() as u64 + more).is_some());
        let right = found.is_sorted() && !beyond && (told..=told + 1).contains(&(found.len() as u64));
        if !right {
            says.push(format!("writer {writer} was told of {told} entries, {} are there", found.len()));
        }
    }
    says
}

/// The size of the checkpoint that is kept outside; 0 when there is none.
fn vouchsafe_outside(folder: &Path, name: &str) -> u64 {
    let file = folder.join("outside").join("checkpoints").join(name).join("checkpoint");
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or_default()
}

/// Whether the kill left a file that was about to be published.
fn is_half_written(folder: &Path) -> bool {
    let Ok(logs) = fs::read_dir(folder.join("log")) else { return false };
    logs.flatten()
        .any(|log| fs::read_dir(log.path().join(".temporary")).is_ok_and(|mut files| files.next().is_some()))
}
