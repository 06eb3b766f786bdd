use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe::consent::ConsentStatus;
use vouchsafe_envelope::LeafStatus;
use vouchsafe_ledger::{EntryKind, Leaf, Opening, commitment};
use vouchsafe_store::{Holding, HoldingState};
use vouchsafe_template::ProtectedReference;
use vouchsafe_types::{DataClass, LeafIndex, Secret, SubjectPseudonym, Timestamp};

use super::deed::{Command, Deed};
use super::model::{Model, Person, Template};
use super::phase::Phase;
use super::serve::perform;
use crate::cold::Cold;
use crate::scene::{Failure, ORGANISATION, Scene, caller_id, notice};

/// What does not agree.
#[derive(Debug, Default, Clone)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Findings {
    /// State, log and keys contradict each other, or the model.
    pub disagreements: Vec<String>,
    /// Something that was acknowledged is not there any more.
    pub lost: Vec<String>,
}

impl Findings {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.disagreements.is_empty() && self.lost.is_empty()
    }

    /// Adds the findings of another look.
    pub fn merge(&mut self, other: Self) {
        self.disagreements.extend(other.disagreements);
        self.lost.extend(other.lost);
    }

    /// Adds a disagreement unless the statement holds.
    pub fn check(&mut self, holds: bool, says: impl FnOnce() -> String) {
        if !holds {
            self.disagreements.push(says());
        }
    }

    fn check_kept(&mut self, holds: bool, says: impl FnOnce() -> String) {
        if !holds {
            self.lost.push(says());
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = self.lost.iter().map(|said| format!("lost: {said}"));
        let all: Vec<_> = self.disagreements.iter().cloned().chain(lost).collect();
        f.write_str(&all.join("\n"))
    }
}

/// What a kill left.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Inspection {
    /// How far the call had come.
    pub phase: Phase,
    /// Whether a file was being replaced.
    pub half_written: bool,
    /// What does not agree already now.
    pub findings: Findings,
}

/// Looks at a folder as a kill left it, before anything repairs it. The model takes over what was stored of the call
/// that was under way.
///
/// # Errors
/// When the folder cannot be read at all.
pub fn inspect(folder: &Path, model: &mut Model, in_flight: Option<Command>) -> Result<Inspection, Failure> {
    let half_written = half_written(folder)?;
    let mut sight = Sight::of(folder, model)?;
    let phase = sight.phase(folder, model, in_flight)?;
    let condemned = sight.holdings.iter().any(is_condemned);
    let destroying = in_flight.is_some_and(|command| command.deed.destroys());
    sight
        .findings
        .check(!condemned || destroying, || "a template is condemned and no call destroys".to_owned());
    sight.keys()?;
    sight.log(model);
    sight.consents()?;
    sight.people(model, in_flight);
    Ok(Inspection { phase, half_written, findings: sight.findings })
}

/// Opens the folder as the next process would, lets it finish what was begun, and compares everything again: the
/// model, the rows, the log and the keys. `probes` are people who are verified through the facade on the way.
pub fn settle(scene: &Scene, model: &mut Model, probes: &[u32]) -> Findings {
    let mut findings = Findings::default();
    if let Err(error) = reopen(scene, model, probes, &mut findings) {
        findings.disagreements.push(format!("reopening: {error}"));
    }
    match settled(scene.folder(), model) {
        Ok(found) => findings.merge(found),
        Err(error) => findings.disagreements.push(format!("reading: {error}")),
    }
    findings
}

/// The facade's part.
fn reopen(scene: &Scene, model: &mut Model, probes: &[u32], findings: &mut Findings) -> Result<(), Failure> {
    scene.clock().set(model.now());
    let vouchsafe = scene.open()?;
    let organisation = vouchsafe.organisation(ORGANISATION)?;
    let notice = notice(&organisation)?;
    let ask = |findings: &mut Findings, model: &mut Model, deed| -> Result<(), Failure> {
        let expected = model.apply(Command { deed, at: model.now() });
        let said = perform(&organisation, &notice, deed)?;
        findings
            .check(said.verdict == expected, || format!("{deed:?}: {} instead of {expected}", said.verdict));
        model.acknowledge(said);
        Ok(())
    };
    // What is fenced is refused before its rows say that it is destroyed.
    for person in Sight::of(scene.folder(), model)?.fenced() {
        ask(
            findings,
            model,
            Deed::Verify(person, model.person(person).map_or(0, |person| person.enrolments)),
        )?;
    }
    ask(findings, model, Deed::Resume)?;
    // A destruction that reports its end has left nothing in the write-ahead log and is published.
    let left = fs::metadata(scene.folder().join("data/vouchsafe.sqlite-wal")).map_or(0, |wal| wal.len());
    findings.check(left == 0, || format!("{left} bytes in the write-ahead log after a finished destruction"));
    let (published, rows) =
        (published_size(scene.folder())?, organisation.publish_log()?.checkpoint().size());
    findings.check(published == rows, || format!("{published} of {rows} entries published after it"));
    for person in probes {
        let newest = model.person(*person).map_or(0, |person| person.enrolments);
        ask(findings, model, Deed::Verify(*person, newest))?;
        ask(findings, model, Deed::Verify(*person, newest + 1))?;
    }
    if let Some(swept) = model.swept() {
        scene.clock().set(swept);
        let plan = organisation.plan_retention()?;
        // Evidence of consent falls due when the consent ends, which may have been later.
        let left = plan.items().iter().filter(|item| item.class() != DataClass::ConsentEvidence).count();
        findings
            .check_kept(left == 0, || format!("{left} holdings are due again that a sweep had destroyed"));
        scene.clock().set(model.now());
    }
    let head = organisation.publish_log()?;
    let report = organisation.verify_log()?;
    findings.check(report.is_sound(), || format!("log: {:?}", report.findings()));
    let sizes = (head.checkpoint().size(), report.leaves());
    findings.check(sizes.0 == sizes.1, || format!("log: {sizes:?} signed and hashed"));
    if let Some((entry, _)) = model.receipts.last() {
        let proof = organisation.prove(*entry);
        findings.check_kept(proof.is_ok(), || format!("entry {entry}: {proof:?}"));
    }
    Ok(())
}

/// The last look, at a folder in which nothing is under way.
fn settled(folder: &Path, model: &mut Model) -> Result<Findings, Failure> {
    let mut sight = Sight::of(folder, model)?;
    sight.keys()?;
    sight.log(model);
    sight.consents()?;
    sight.people(model, None);
    sight.tally()?;
    let condemned = sight.holdings.iter().filter(|holding| is_condemned(holding)).count();
    let generations = sight.cold.generations()?;
    let Sight { mut findings, entries, .. } = sight;
    findings.check(condemned == 0, || format!("{condemned} holdings are still condemned"));
    findings
        .check(generations.len() == 1, || format!("the key service holds {} state keys", generations.len()));
    let left = folder.join("keys").join("service.keys.tmp");
    findings.check(!left.exists(), || "a second key file is left".to_owned());
    model.log = entries;
    Ok(findings)
}

/// Everything in a folder, and what does not agree in it.
struct Sight {
    cold: Cold,
    holdings: Vec<Holding>,
    status: BTreeMap<LeafIndex, LeafStatus>,
    entries: Vec<Vec<u8>>,
    kinds: Vec<Option<EntryKind>>,
    people: Vec<(u32, SubjectPseudonym, Person)>,
    findings: Findings,
}

impl Sight {
    fn of(folder: &Path, model: &Model) -> Result<Self, Failure> {
        let cold = Cold::open(folder)?;
        let (holdings, entries) = (cold.holdings()?, cold.entries()?);
        let numbers: Vec<u32> = model.people().map(|(number, _)| number).collect();
        let (status, pseudonyms) = cold.with_state(|state| {
            let status = holdings.iter().map(|holding| (holding.leaf, state.status(holding.leaf))).collect();
            let pseudonym = |number: &u32| (*number, state.pseudonym(caller_id(*number).as_bytes()));
            (status, numbers.iter().map(pseudonym).collect::<Vec<_>>())
        })?;
        let found = |(number, pseudonym)| Ok((number, pseudonym, found(&cold, &holdings, pseudonym)?));
        let people = pseudonyms.into_iter().map(found).collect::<Result<_, Failure>>()?;
        let kinds = entries.iter().map(|entry| Leaf::from_bytes(entry).ok().map(|leaf| leaf.kind)).collect();
        Ok(Self { cold, holdings, status, entries, kinds, people, findings: Findings::default() })
    }

    /// Each holding, its key and its sealed bytes agree; nothing is sealed without a holding.
    fn keys(&mut self) -> Result<(), Failure> {
        let Self { cold, holdings, status, entries, kinds, findings, .. } = self;
        let payloads = cold.payloads()?;
        let mut sealed: BTreeMap<LeafIndex, Vec<_>> = BTreeMap::new();
        for (entry, payload) in payloads {
            sealed.entry(payload.leaf).or_default().push((entry, payload));
        }
        let mut records: BTreeSet<_> = cold.numbers("SELECT leaf FROM record")?.into_iter().collect();
        cold.with_state(|state| {
            for holding in holdings.iter() {
                let (leaf, biometric) = (holding.leaf, holding.class == DataClass::Biometric);
                let name = || format!("{} {}", holding.class.name(), leaf.get());
                let key = status.get(&leaf).copied().unwrap_or(LeafStatus::NeverAllocated);
                let record = cold.record(leaf)?;
                records.remove(&leaf.get().cast_signed());
                let payloads = sealed.remove(&leaf).unwrap_or_default();
                match &holding.state {
                    HoldingState::Live => {
                        findings.check(key == LeafStatus::Live, || format!("{}: live, key {key:?}", name()));
                        findings.check(record.is_some() == biometric, || {
                            format!("{}: live, record {}", name(), record.is_some())
                        });
                    }
                    HoldingState::Condemned { .. } => {
                        findings.check(key != LeafStatus::NeverAllocated, || format!("{}: no key", name()));
                    }
                    HoldingState::Destroyed { entry, .. } => {
                        findings.check(key == LeafStatus::Destroyed, || {
                            format!("{}: destroyed, key {key:?}", name())
                        });
                        findings.check(record.is_none() && payloads.is_empty(), || {
                            format!("{}: destroyed, sealed bytes are left", name())
                        });
                        let kind = usize::try_from(*entry)
                            .ok()
                            .and_then(|entry| kinds.get(entry).copied())
                            .flatten();
                        let right = match holding.class {
                            DataClass::Biometric => EntryKind::TemplateDestroyed,
                            DataClass::DestructionEvidence => EntryKind::EvidenceExpired,
                            _ => EntryKind::PayloadDestroyed,
                        };
                        findings
                            .check(kind == Some(right), || format!("{}: entry {entry} is {kind:?}", name()));
                    }
                }
                if key != LeafStatus::Live {
                    findings
                        .check(state.template_secret(leaf).is_err(), || format!("{}: derives a key", name()));
                    continue;
                }
                if let Some(record) = record {
                    let opened = cold.open_record(state, holding, &record);
                    let parses =
                        opened.is_ok_and(|plain| ProtectedReference::parse(plain.expose_secret()).is_ok());
                    findings.check(parses, || format!("{}: the record does not open", name()));
                }
                for (entry, payload) in payloads {
                    let leaf = usize::try_from(entry).ok().and_then(|entry| entries.get(entry));
                    let opened = cold.open_payload(state, holding, &payload);
                    let tied = opened.is_ok_and(|plain| is_committed(leaf, plain.expose_secret()));
                    findings.check(tied, || format!("{}: payload of entry {entry} does not open", name()));
                }
            }
            Ok::<_, Failure>(())
        })??;
        let orphans = records.len() + sealed.len();
        findings.check(orphans == 0, || format!("{orphans} leaves have sealed bytes and no holding"));
        let damage = cold.damage()?;
        findings.check(damage.is_empty(), || format!("database: {damage:?}"));
        Ok(())
    }

    /// The log continues what was seen, without a gap, and has everything that was acknowledged.
    fn log(&mut self, model: &Model) {
        let Self { cold, entries, kinds, findings, .. } = self;
        let gapless = cold.numbers("SELECT count(*) - max(number) FROM entry").is_ok_and(|gap| gap == [1]);
        findings.check(gapless || entries.is_empty(), || "the entries have a gap".to_owned());
        findings.check(kinds.iter().all(Option::is_some), || "an entry does not decode".to_owned());
        findings
            .check_kept(entries.starts_with(&model.log), || "the log does not continue itself".to_owned());
        for (number, leaf) in &model.receipts {
            let entry = usize::try_from(*number).ok().and_then(|number| entries.get(number));
            findings.check_kept(entry == Some(leaf), || format!("entry {number} of a receipt"));
        }
        for number in &model.destructions {
            let kind = usize::try_from(*number).ok().and_then(|number| kinds.get(number).copied()).flatten();
            let right = matches!(
                kind,
                Some(EntryKind::TemplateDestroyed | EntryKind::PayloadDestroyed | EntryKind::EvidenceExpired)
            );
            findings.check_kept(right, || format!("entry {number} of a certificate is {kind:?}"));
        }
    }

    /// The acts of consent are a history: without a gap, each of them allowed where it stands, each with its entry, and
    /// each that a person made with the one showing that it answers.
    fn consents(&mut self) -> Result<(), Failure> {
        let Self { cold, kinds, people, findings, .. } = self;
        let kind = |entry: u64| usize::try_from(entry).ok().and_then(|entry| *kinds.get(entry)?);
        for (number, pseudonym, _) in people.iter() {
            let (acts, served) = (cold.consents(*pseudonym)?, cold.served(*pseudonym)?);
            let mut answers: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
            for row in &served {
                let right = kind(row.entry) == Some(EntryKind::NoticeServed);
                findings.check(right, || format!("person {number}: entry {} is no showing", row.entry));
                if let Some(sequence) = row.used_sequence {
                    answers.entry(sequence).or_default().push(row.entry);
                }
            }
            let mut before = None;
            for (place, act) in (1..).zip(&acts) {
                let status = ConsentStatus::from_code(act.status);
                let right = act.sequence == place
                    && status.is_some_and(|status| may_follow(before, status))
                    && act.entry.and_then(kind) == status.and_then(kind_of);
                findings.check(right, || format!("person {number}: act {place} is {act:?} after {before:?}"));
                let shown = answers.remove(&act.sequence).unwrap_or_default();
                let own = status.is_some_and(|status| status != ConsentStatus::Withdrawn);
                let fits = match shown.as_slice() {
                    [] => !own,
                    [shown] => own && Some(*shown) < act.entry,
                    _ => false,
                };
                findings.check(fits, || format!("person {number}: act {place} answers {shown:?}"));
                before = status;
            }
            findings.check(answers.is_empty(), || format!("person {number}: tickets without acts"));
        }
        Ok(())
    }

    /// Everybody is as acknowledged; of a call under way, nothing or all of it is true.
    fn people(&mut self, model: &mut Model, in_flight: Option<Command>) {
        let mut after = model.clone();
        if let Some(command) = in_flight {
            after.apply(command);
            model.observe_time(command.at);
        }
        for (number, _, found) in &self.people {
            let (Some(before), Some(after)) = (model.person(*number), after.person(*number)) else {
                continue;
            };
            let found = self.remembered(*found, before);
            if found == before {
                continue;
            }
            let shown = in_flight.and_then(|command| model.shown_only(command));
            if found == after || shown == Some((*number, found)) {
                model.observe(*number, found);
                continue;
            }
            let behind = found.sequence < before.sequence
                || found.served < before.served
                || found.enrolments < before.enrolments
                || (found.enrolments == before.enrolments && found.template < before.template);
            let said = format!("person {number} is {found:?} instead of {before:?} or {after:?}");
            (if behind { &mut self.findings.lost } else { &mut self.findings.disagreements }).push(said);
        }
        let opened = self.count(EntryKind::TemplateOpened) + self.count(EntryKind::VerificationRefused);
        let (least, most) = (model.verifications(), after.verifications());
        self.findings.check_kept(opened >= least, || format!("{opened} verifications of {least}"));
        self.findings
            .check(opened <= most, || format!("{opened} verifications, no more than {most} were asked"));
        let refused = self.count(EntryKind::PermitRefused);
        let (least, most) = (model.refusals(), after.refusals());
        self.findings.check_kept(refused >= least, || format!("{refused} refused permits of {least}"));
        self.findings
            .check(refused <= most, || format!("{refused} refused permits, no more than {most} were asked"));
        model.observe_attempts(opened, refused);
    }

    /// The log's kinds count what the rows hold.
    fn tally(&mut self) -> Result<(), Failure> {
        let of = |destroyed: bool, biometric: bool| {
            let counts = |holding: &&Holding| {
                let gone = matches!(holding.state, HoldingState::Destroyed { .. });
                (gone || !destroyed) && (holding.class == DataClass::Biometric) == biometric
            };
            self.holdings.iter().filter(counts).count() as u64
        };
        let acts = |status: ConsentStatus| {
            let rows =
                self.cold.numbers(&format!("SELECT count(*) FROM consent WHERE status = {}", status.code()));
            rows.map(|rows| rows.first().copied().unwrap_or_default().cast_unsigned())
        };
        let served: u64 = self.people.iter().map(|(_, _, person)| person.served).sum();
        let counts = [
            ("organisation created", self.count(EntryKind::OrganisationCreated), 1),
            ("notice published", self.count(EntryKind::NoticePublished), 1),
            ("log recovered", self.count(EntryKind::LogRecovered), 0),
            ("notices served", self.count(EntryKind::NoticeServed), served),
            ("given", self.count(EntryKind::ConsentGiven), acts(ConsentStatus::Given)?),
            ("renewed", self.count(EntryKind::ConsentRenewed), acts(ConsentStatus::Renewed)?),
            ("withdrawn", self.count(EntryKind::ConsentWithdrawn), acts(ConsentStatus::Withdrawn)?),
            ("templates enrolled", self.count(EntryKind::TemplateEnrolled), of(false, true)),
            ("destructions requested", self.count(EntryKind::TemplateDestroyRequested), of(true, true)),
            ("templates destroyed", self.count(EntryKind::TemplateDestroyed), of(true, true)),
            (
                "payloads destroyed",
                self.count(EntryKind::PayloadDestroyed) + self.count(EntryKind::EvidenceExpired),
                of(true, false),
            ),
        ];
        // Rows go with the evidence of their destruction; the log stays.
        let expired = self.count(EntryKind::EvidenceExpired) > 0;
        for (what, logged, held) in counts {
            self.findings.check(logged == held || expired && logged > held, || {
                format!("{what}: {logged} in the log, {held} in the rows")
            });
        }
        Ok(())
    }

    /// What is found of a person, with the enrolments whose rows went with the evidence of their destruction: only the
    /// drill still knows how many those were.
    fn remembered(&self, found: Person, known: Person) -> Person {
        if found.enrolments >= known.enrolments || self.count(EntryKind::EvidenceExpired) == 0 {
            return found;
        }
        let anew = u64::from(found.template == Template::Live && known.template != Template::Live);
        let template = if found.template == Template::Absent { known.template } else { found.template };
        Person { enrolments: known.enrolments + anew, template, ..found }
    }

    fn count(&self, kind: EntryKind) -> u64 {
        self.kinds.iter().filter(|found| **found == Some(kind)).count() as u64
    }

    /// Whose templates are fenced and not yet destroyed.
    fn fenced(&self) -> Vec<u32> {
        let biometric = |holding: &&Holding| is_condemned(holding) && holding.class == DataClass::Biometric;
        let subjects: BTreeSet<_> =
            self.holdings.iter().filter(biometric).map(|holding| holding.subject).collect();
        let fenced = self.people.iter().filter(|(_, pseudonym, _)| subjects.contains(pseudonym));
        fenced.map(|(number, ..)| *number).collect()
    }

    fn phase(&self, folder: &Path, model: &Model, in_flight: Option<Command>) -> Result<Phase, Failure> {
        let Some(Command { deed, at }) = in_flight else { return Ok(Phase::Between) };
        let condemned: Vec<_> = self.holdings.iter().filter(|holding| is_condemned(holding)).collect();
        if !condemned.is_empty() {
            let punctured = condemned
                .iter()
                .any(|holding| self.status.get(&holding.leaf) == Some(&LeafStatus::Destroyed));
            let several = self.cold.generations()?.len() > 1;
            return Ok(match (punctured, several) {
                (false, false) => Phase::Fenced,
                (false, true) => Phase::NextKeyMade,
                (true, true) => Phase::OldKeyLeft,
                (true, false) => Phase::Unrecorded,
            });
        }
        let recorded = |holding: &Holding| matches!(holding.state, HoldingState::Destroyed { at: when, .. } if when == at);
        if self.holdings.iter().any(recorded) {
            let published = published_size(folder)? == self.entries.len() as u64;
            return Ok(if published { Phase::Unanswered } else { Phase::Unpublished });
        }
        let stored = match deed.person() {
            Some(person) => {
                let found = self.people.iter().find(|(number, ..)| *number == person);
                let found = found.map(|(_, _, found)| match model.person(person) {
                    Some(known) => self.remembered(*found, known),
                    None => *found,
                });
                let opened =
                    self.count(EntryKind::TemplateOpened) + self.count(EntryKind::VerificationRefused);
                let refused = self.count(EntryKind::PermitRefused);
                let shown = model.shown_only(Command { deed, at }).map(|(_, person)| person);
                if found.is_some() && found == shown {
                    return Ok(Phase::Shown);
                }
                found != model.person(person) || opened > model.verifications() || refused > model.refusals()
            }
            None => false,
        };
        Ok(match (deed.destroys(), stored) {
            (_, true) => Phase::Stored,
            (true, false) => Phase::BeforeFence,
            (false, false) => Phase::NothingStored,
        })
    }
}

/// One person as the rows have them; what is condemned counts as destroyed.
fn found(cold: &Cold, holdings: &[Holding], pseudonym: SubjectPseudonym) -> Result<Person, Failure> {
    let consent = cold.consent(pseudonym)?;
    let own = |holding: &&Holding| holding.subject == pseudonym && holding.class == DataClass::Biometric;
    let newest = holdings.iter().filter(own).max_by_key(|holding| (holding.created_at, holding.leaf));
    Ok(Person {
        served: cold.served(pseudonym)?.len() as u64,
        sequence: consent.map_or(0, |row| row.sequence),
        status: consent.and_then(|row| ConsentStatus::from_code(row.status)),
        enrolments: holdings.iter().filter(own).count() as u64,
        template: match newest.map(|holding| &holding.state) {
            None => Template::Absent,
            Some(HoldingState::Live) => Template::Live,
            Some(HoldingState::Condemned { .. } | HoldingState::Destroyed { .. }) => Template::Destroyed,
        },
        last_act: cold.last_act(pseudonym)?.unwrap_or(Timestamp::MIN),
    })
}

/// Whether an act may lead from one state to the next, of those that the drill makes.
fn may_follow(before: Option<ConsentStatus>, next: ConsentStatus) -> bool {
    let open = before.is_some_and(ConsentStatus::is_open);
    match next {
        ConsentStatus::Given => !open,
        ConsentStatus::Renewed | ConsentStatus::Withdrawn => open,
        _ => false,
    }
}

const fn kind_of(status: ConsentStatus) -> Option<EntryKind> {
    match status {
        ConsentStatus::Given => Some(EntryKind::ConsentGiven),
        ConsentStatus::Renewed => Some(EntryKind::ConsentRenewed),
        ConsentStatus::Withdrawn => Some(EntryKind::ConsentWithdrawn),
        _ => None,
    }
}

const fn is_condemned(holding: &Holding) -> bool {
    matches!(holding.state, HoldingState::Condemned { .. })
}

/// Whether a payload, behind its opening, is what a log entry commits to.
fn is_committed(entry: Option<&Vec<u8>>, plain: &[u8]) -> bool {
    let (Some(Ok(leaf)), Some((opening, payload))) =
        (entry.map(|entry| Leaf::from_bytes(entry)), plain.split_first_chunk::<32>())
    else {
        return false;
    };
    let opening = Opening::from_secret(Secret::init_with(|bytes| bytes.copy_from_slice(opening)));
    commitment::verify(&opening, payload, &leaf.commitment)
}

/// The size in the published checkpoint: its second line; 0 when there is none.
fn published_size(folder: &Path) -> Result<u64, Failure> {
    for log in fs::read_dir(folder.join("log"))? {
        if let Ok(text) = fs::read_to_string(log?.path().join("checkpoint")) {
            return Ok(text.lines().nth(1).ok_or("checkpoint without a size")?.parse()?);
        }
    }
    Ok(0)
}

/// Whether the kill left a file that was about to replace another.
fn half_written(folder: &Path) -> Result<bool, Failure> {
    let mut places: Vec<PathBuf> = vec![folder.join("keys"), folder.join("keys").join("state")];
    for log in fs::read_dir(folder.join("log"))? {
        places.push(log?.path().join(".temporary"));
    }
    for place in places {
        for file in fs::read_dir(&place)? {
            let name = file?.file_name();
            if place.ends_with(".temporary")
                || Path::new(&name).extension().is_some_and(|ending| ending == "tmp")
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
