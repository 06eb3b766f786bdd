mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vouchsafe::consent::ConsentStatus;
use vouchsafe::ledger::{EntryKind, Leaf};
use vouchsafe::{OrganisationId, Ports};
use vouchsafe_envelope::{Context, LeafStatus, OrganisationState, test_util};
use vouchsafe_store::{Holding, HoldingState, PayloadRow, RecordRow, Store, StoreError, Transaction, read};
use vouchsafe_template::ProtectedReference;
use vouchsafe_types::{DataClass, LeafIndex, SecretBytes, SubjectPseudonym};

use history::{Rests, without_consent};

use super::model::{Model, Range};
use super::person::{Leaves, Person, Status, Template};
use super::report::Report;
use super::stand::{Shifted, Stand};
use crate::scene::{Failure, SCOPE, caller_id, organisation_id};

/// Sealed templates that were copied while they lived, as a backup has them.
#[derive(Debug, Default)]
pub struct Keepsakes(BTreeMap<LeafIndex, (Holding, RecordRow)>);

impl Keepsakes {
    /// Copies what there is now.
    ///
    /// # Errors
    /// The store's own.
    pub fn take(&mut self, stand: &Stand) -> Result<(), Failure> {
        let ports = stand.ports(Arc::new(Shifted::default()))?;
        let organisation = organisation_id()?;
        let copied = read(&*ports.store, &organisation, |rows| {
            let mut copied = Vec::new();
            for holding in holdings(rows, &organisation)? {
                if let Some(record) = rows.record(&organisation, holding.leaf)? {
                    copied.push((holding.leaf, (holding, record)));
                }
            }
            Ok::<_, StoreError>(copied)
        })?;
        self.0.extend(copied);
        Ok(())
    }
}

/// An entry that was acknowledged: its number, its kinds, and whom it is about.
pub(super) type Acknowledged = (u64, &'static [EntryKind], Option<u32>);

/// Compares rows, keys and log of a stand that nobody uses with the model, and with what was acknowledged.
///
/// # Errors
/// When the stand cannot be opened.
pub fn inspect(
    stand: &Stand,
    model: &Model,
    keepsakes: &Keepsakes,
    acknowledged: &[Acknowledged],
    report: &mut Report,
) -> Result<(), Failure> {
    let ports = stand.ports(Arc::new(Shifted::default()))?;
    let sight = Sight::of(&ports, model)?;
    sight.keys(keepsakes, report)?;
    sight.people(model, report)?;
    sight.totals(model, report);
    report.accepted_without_consent.extend(without_consent(&sight.kinds, &sight.owners, &sight.rests));
    for (entry, kinds, person) in acknowledged {
        let kind = usize::try_from(*entry).ok().and_then(|entry| sight.kinds.get(entry));
        let owner = sight.owners.get(entry);
        let right = kind.is_some_and(|kind| kinds.contains(kind))
            && person.is_none_or(|person| owner == sight.pseudonyms.get(&person));
        if !right {
            report.lost.push(format!("entry {entry}, {kinds:?} of {person:?}, is {kind:?}"));
        }
    }
    Ok(())
}

/// Everything in a stand.
struct Sight<'a> {
    store: &'a dyn Store,
    organisation: OrganisationId,
    state: OrganisationState,
    holdings: Vec<Holding>,
    kinds: Vec<EntryKind>,
    pseudonyms: BTreeMap<u32, SubjectPseudonym>,
    /// Of the entries about people whose payloads are there, whom they are about.
    owners: BTreeMap<u64, SubjectPseudonym>,
    /// Of those that were enrolled or opened a template, what it rested on.
    rests: BTreeMap<u64, Rests>,
    /// The leaves that seal payloads.
    sealing: BTreeSet<LeafIndex>,
}

impl<'a> Sight<'a> {
    fn of(ports: &'a Ports, model: &Model) -> Result<Self, Failure> {
        let (store, organisation) = (&*ports.store, organisation_id()?);
        let state = test_util::ungated_state(&*ports.keys, &*ports.states, &organisation)?;
        let pseudonym = |person: u32| (person, state.pseudonym(caller_id(person).as_bytes()));
        let pseudonyms = (0..model.len()).map(pseudonym).collect();
        let (holdings, entries, payloads) = read(store, &organisation, |rows| {
            Ok::<_, StoreError>((
                holdings(rows, &organisation)?,
                entries(rows, &organisation)?,
                payloads(rows, &organisation)?,
            ))
        })?;
        let kind = |entry: &Vec<u8>| Ok(Leaf::from_bytes(entry)?.kind);
        let kinds: Vec<EntryKind> = entries.iter().map(kind).collect::<Result<_, Failure>>()?;
        let mut sight = Self {
            store,
            organisation,
            state,
            holdings,
            kinds,
            pseudonyms,
            owners: BTreeMap::new(),
            rests: BTreeMap::new(),
            sealing: BTreeSet::new(),
        };
        let by_leaf: BTreeMap<LeafIndex, &Holding> =
            sight.holdings.iter().map(|holding| (holding.leaf, holding)).collect();
        for (entry, payload) in &payloads {
            sight.sealing.insert(payload.leaf);
            let Some(holding) = by_leaf.get(&payload.leaf) else { continue };
            sight.owners.insert(*entry, holding.subject);
            let kind = usize::try_from(*entry).ok().and_then(|entry| sight.kinds.get(entry));
            if let Some(kind) = kind.filter(|kind| Rests::is_said_by(**kind))
                && let Some(plain) = opened(&sight.organisation, &sight.state, holding, payload)
            {
                let payload = plain.expose_secret().get(OPENING..).unwrap_or_default();
                sight.rests.insert(*entry, Rests::read(*kind, payload));
            }
        }
        Ok(sight)
    }

    /// What is destroyed opens nothing, neither from the rows nor from a copy; what lives opens.
    fn keys(&self, keepsakes: &Keepsakes, report: &mut Report) -> Result<(), Failure> {
        let mut destroyed = BTreeSet::new();
        for holding in &self.holdings {
            let (leaf, key) = (holding.leaf, self.state.status(holding.leaf));
            let name = || format!("{} {}", holding.class.name(), leaf.get());
            let record = read(self.store, &self.organisation, |rows| rows.record(&self.organisation, leaf))?;
            match holding.state {
                HoldingState::Live => {
                    let biometric = holding.class == DataClass::Biometric;
                    let opens = record.as_ref().is_some_and(|record| self.opens(holding, record));
                    if key != LeafStatus::Live || opens != biometric {
                        report.lost.push(format!("{}: live, key {key:?}, opens {opens}", name()));
                    }
                }
                HoldingState::Condemned { .. } => report.lost.push(format!("{}: still condemned", name())),
                HoldingState::Destroyed { .. } => {
                    destroyed.insert(leaf);
                    let left = record.is_some() || self.sealing.contains(&leaf);
                    let derives = self.state.template_secret(leaf).is_ok();
                    if key != LeafStatus::Destroyed || left || derives {
                        let says = format!("{}: key {key:?}, sealed {left}, derives {derives}", name());
                        report.destroyed_readable.push(says);
                    }
                }
            }
        }
        let living =
            self.holdings.iter().map(|holding| holding.leaf).filter(|leaf| !destroyed.contains(leaf));
        let living: BTreeSet<LeafIndex> = living.collect();
        let mut purged = 0;
        for (leaf, (holding, record)) in &keepsakes.0 {
            let lives = living.contains(leaf);
            purged += u64::from(!lives);
            if self.opens(holding, record) != lives {
                report.destroyed_readable.push(format!("copy of {}: lives {lives}", leaf.get()));
            }
        }
        if purged == 0 && keepsakes.0.len() > 50 {
            report.destroyed_readable.push("no copied template was ever destroyed".to_owned());
        }
        Ok(())
    }

    fn opens(&self, holding: &Holding, record: &RecordRow) -> bool {
        let context = Context {
            organisation: self.organisation.clone(),
            leaf: holding.leaf,
            class: holding.class,
            scope: holding.scope,
            record: record.id,
            model: Some(record.model),
            dimension: Some(record.dimension),
            key_version: record.key_version,
        };
        let opened = self.state.open(&context, &record.sealed);
        opened.is_ok_and(|plain| ProtectedReference::parse(plain.expose_secret()).is_ok())
    }

    /// Everybody is as they may be, and has the entries that their acts demand.
    fn people(&self, model: &Model, report: &mut Report) -> Result<(), Failure> {
        let mut leaves: BTreeMap<SubjectPseudonym, Leaves> = BTreeMap::new();
        for (entry, owner) in &self.owners {
            let kind = usize::try_from(*entry).ok().and_then(|entry| self.kinds.get(entry));
            let own = leaves.entry(*owner).or_default();
            let count = match kind {
                Some(EntryKind::NoticeServed) => &mut own.served,
                Some(EntryKind::ConsentGiven) => &mut own.given,
                Some(EntryKind::ConsentRenewed) => &mut own.renewed,
                Some(EntryKind::ConsentWithdrawn) => &mut own.withdrawn,
                Some(EntryKind::TemplateEnrolled) => &mut own.enrolled,
                Some(EntryKind::SubjectMarked) => &mut own.marked,
                Some(EntryKind::SubjectUnmarked) => &mut own.unmarked,
                _ => continue,
            };
            *count += 1;
        }
        for (number, pseudonym) in &self.pseudonyms {
            let may_be = model.may_be(*number);
            let Some(any) = may_be.first() else { continue };
            let found = self.person(*pseudonym, leaves.get(pseudonym).copied().unwrap_or_default(), any)?;
            let same = |person: &Person, with_leaves: bool| {
                let leaves = if with_leaves { person.leaves } else { found.leaves };
                let template = match person.template {
                    Template::Live(_) => Template::Live(0),
                    template => template,
                };
                let acted = found.acted;
                Person { leaves, acted, template, awaits_sweep: false, ..*person } == found
            };
            if may_be.iter().any(|person| same(person, true)) {
                continue;
            }
            let says = format!("person {number} is {found:?} instead of {may_be:?}");
            if may_be.iter().any(|person| same(person, false)) {
                report.leaves_differ.push(says);
            } else {
                report.lost.push(says);
            }
        }
        Ok(())
    }

    fn person(&self, pseudonym: SubjectPseudonym, leaves: Leaves, any: &Person) -> Result<Person, Failure> {
        let organisation = &self.organisation;
        let (acts, marks, held) = read(self.store, organisation, |rows| {
            Ok::<_, StoreError>((
                rows.consent_acts(organisation, pseudonym, SCOPE)?,
                rows.marks(organisation, pseudonym)?,
                rows.biometric_holding(organisation, pseudonym, SCOPE)?,
            ))
        })?;
        let last = acts.last();
        let status = last.and_then(|row| ConsentStatus::from_code(row.status));
        Ok(Person {
            status: match status {
                None => Status::Never,
                Some(status) if status.is_open() => Status::Open,
                Some(_) => Status::Ended,
            },
            sequence: if acts.len() as u64 == last.map_or(0, |row| row.sequence) {
                acts.len() as u64
            } else {
                u64::MAX
            },
            restricted: !marks.is_empty(),
            template: match held.map(|holding| holding.state) {
                None => Template::Absent,
                Some(HoldingState::Live) => Template::Live(0),
                Some(HoldingState::Condemned { .. }) => Template::Fenced,
                Some(HoldingState::Destroyed { .. }) => Template::Gone,
            },
            acted: any.acted,
            awaits_sweep: false,
            leaves,
        })
    }

    /// The kinds of the log count what the rows hold and what was answered.
    fn totals(&self, model: &Model, report: &mut Report) {
        let count = |kind: EntryKind| self.kinds.iter().filter(|found| **found == kind).count() as u64;
        let held = |destroyed: bool, biometric: bool| {
            let counts = |holding: &&Holding| {
                let gone = matches!(holding.state, HoldingState::Destroyed { .. });
                (gone || !destroyed) && (holding.class == DataClass::Biometric) == biometric
            };
            let held = self.holdings.iter().filter(counts).count() as u64;
            (held, held)
        };
        let totals = model.totals();
        let verifications = count(EntryKind::TemplateOpened) + count(EntryKind::VerificationRefused);
        let payloads = count(EntryKind::PayloadDestroyed) + count(EntryKind::EvidenceExpired);
        let demanded: [(&str, u64, Range); 10] = [
            ("organisation created", count(EntryKind::OrganisationCreated), (1, 1)),
            ("notice published", count(EntryKind::NoticePublished), (1, 1)),
            ("log recovered", count(EntryKind::LogRecovered), (0, 0)),
            ("templates enrolled", count(EntryKind::TemplateEnrolled), held(false, true)),
            ("destructions requested", count(EntryKind::TemplateDestroyRequested), held(true, true)),
            ("templates destroyed", count(EntryKind::TemplateDestroyed), held(true, true)),
            ("payloads destroyed", payloads, held(true, false)),
            ("permits refused", count(EntryKind::PermitRefused), totals.permits_refused),
            ("enrolments refused", count(EntryKind::EnrolmentRefused), totals.enrolments_refused),
            ("verifications", verifications, totals.verifications),
        ];
        for (what, logged, (least, most)) in demanded {
            if logged < least || logged > most {
                report.leaves_differ.push(format!("{what}: {logged} in the log, {least} to {most} demanded"));
            }
        }
    }
}

/// What is sealed in the payload of an entry: the opening of its commitment, and what it commits to.
fn opened(
    organisation: &OrganisationId,
    state: &OrganisationState,
    holding: &Holding,
    payload: &PayloadRow,
) -> Option<SecretBytes> {
    let context = Context {
        organisation: organisation.clone(),
        leaf: holding.leaf,
        class: holding.class,
        scope: None,
        record: payload.id,
        model: None,
        dimension: None,
        key_version: payload.key_version,
    };
    state.open(&context, &payload.sealed).ok()
}

/// The bytes of an opening.
const OPENING: usize = 32;

fn entries(rows: &mut dyn Transaction, organisation: &OrganisationId) -> Result<Vec<Vec<u8>>, StoreError> {
    let (mut all, count) = (Vec::new(), rows.entry_count(organisation)?);
    while (all.len() as u64) < count {
        let page = rows.entries(organisation, all.len() as u64, PAGE)?;
        if page.is_empty() {
            return Err(StoreError::Damaged);
        }
        all.extend(page);
    }
    Ok(all)
}

fn payloads(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
) -> Result<Vec<(u64, PayloadRow)>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = rows.payloads(organisation, after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = Some(*last);
        all.extend(page);
    }
}

fn holdings(rows: &mut dyn Transaction, organisation: &OrganisationId) -> Result<Vec<Holding>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = rows.holdings(organisation, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.leaf);
        all.extend(page);
    }
}

/// How many rows are read together.
const PAGE: u32 = 512;
