use vouchsafe::ledger::EntryKind;

use super::{Drive, Part, Running, Trouble};
use crate::traffic::deed::{Deed, Said, Step, Word};
use crate::traffic::model::{Job, SweepEnd};
use crate::traffic::report::Report;

impl Drive {
    pub(super) fn answered(&mut self, job: Running, said: Option<Vec<Said>>) {
        self.note(job, said.as_deref());
        let Some(person) = job.deed.person() else {
            if self.sweeping == Some(job.number) {
                self.sweep_ended(said.as_deref());
            }
            if matches!(job.deed, Deed::Resume | Deed::Check) {
                self.answers.insert(job.number, said);
            }
            return;
        };
        let Some(group) = self.groups.get_mut(&person) else { return };
        for part in group.jobs.iter_mut().filter(|part| part.number == job.number) {
            (part.over, part.said) = (true, said.clone());
        }
        if !group.jobs.iter().all(|part| part.over) {
            return;
        }
        let Some(group) = self.groups.remove(&person) else { return };
        let job = |part: Part| Job { deed: part.deed, said: part.said };
        let jobs: Vec<Job> = group.jobs.into_iter().map(job).collect();
        if let Err(misfit) = self.model.settle(person, &jobs) {
            let Report { accepted_without_consent, lost, .. } = &mut self.report;
            let list = if misfit.accepted_without_consent { accepted_without_consent } else { lost };
            list.push(misfit.says);
        }
        if let Some(end) = group.swept {
            self.model.sweep_ends(person, end);
        }
    }

    pub(super) fn sweep_ended(&mut self, said: Option<&[Said]>) {
        self.sweeping = None;
        let end = match said.and_then(<[Said]>::first).map(|said| &said.word) {
            Some(Word::Done) => SweepEnd::Done,
            Some(Word::Pending) => SweepEnd::Pending,
            _ => SweepEnd::Unknown,
        };
        for person in 0..self.model.len() {
            match self.groups.get_mut(&person) {
                Some(group) => group.swept = Some(end),
                None => self.model.sweep_ends(person, end),
            }
        }
    }

    /// Counts an answer, and keeps what it acknowledges.
    pub(super) fn note(&mut self, job: Running, said: Option<&[Said]>) {
        let Some(said) = said else {
            self.report.unknown += 1;
            return;
        };
        let failed = said.iter().find_map(|said| match &said.word {
            Word::Failed(again, why) => Some((*again, why)),
            _ => None,
        });
        match failed {
            Some((again, why)) => {
                self.report.errors += 1;
                *self.report.kinds.entry(format!("{} {why}", job.deed.name())).or_default() += 1;
                self.report.unknown += u64::from(why.contains("CommitUnknown"));
                if !again && !self.expects_errors() && job.deed != Deed::Check {
                    self.report.lost.push(format!("{}: {why}", job.deed));
                }
            }
            None => self.report.acknowledged += 1,
        }
        for (place, said) in said.iter().enumerate() {
            if let Word::Published(size) = said.word {
                if size < job.published {
                    let says = format!("{size} published after {}", job.published);
                    self.report.lost.push(says);
                }
                self.published = self.published.max(size);
            }
            self.report.accepted += u64::from(said.word == Word::Accepted);
            let step = job.deed.steps().get(place).copied();
            let Some(kinds) = kinds_of(step, &said.word) else { continue };
            let person = job.deed.person().filter(|_| step != Some(Step::Erase));
            self.acknowledged.extend(said.entries.iter().map(|entry| (*entry, kinds, person)));
        }
    }

    /// Whether somebody makes faults.
    pub(super) const fn expects_errors(&self) -> bool {
        self.strikes.is_some() || matches!(self.setup.trouble, Trouble::Kill)
    }
}

/// What the entries are that an answer names.
const fn kinds_of(step: Option<Step>, word: &Word) -> Option<&'static [EntryKind]> {
    const DESTROYED: &[EntryKind] =
        &[EntryKind::TemplateDestroyed, EntryKind::PayloadDestroyed, EntryKind::EvidenceExpired];
    match (step, word) {
        (_, Word::Given) => Some(&[EntryKind::ConsentGiven]),
        (_, Word::Renewed) => Some(&[EntryKind::ConsentRenewed]),
        (_, Word::Enrolled) => Some(&[EntryKind::TemplateEnrolled]),
        (Some(Step::Withdraw), Word::Done | Word::Pending) => Some(&[EntryKind::ConsentWithdrawn]),
        (Some(Step::Erase) | None, Word::Done) => Some(DESTROYED),
        _ => None,
    }
}
