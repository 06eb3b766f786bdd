//! A place of keys, and what must be true of it: who is destroyed, who survives, and with which keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use vouchsafe_envelope::port::{FenceStore, KeyHandle, KeyService};
use vouchsafe_envelope::{CachePolicy, EnvelopeError, KeyRing, LeafStatus, OrganisationState, test_util};
use vouchsafe_keys::{FolderStates, Replica};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::place::{KeyPlace, STATES};
use vouchsafe_testkit::scene::{copy_folder, organisation_id};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

use crate::check::Findings;

/// The most leaves of one batch.
const BATCH: u64 = 4;
/// A head holds no more nodes than this; above it the tree is stored in shards.
const HEAD_NODES: usize = 1 << 14;

pub(crate) struct Keys {
    place: KeyPlace,
    organisation: OrganisationId,
    /// What each leaf's keys give, as long as it lives.
    prints: BTreeMap<LeafIndex, [u8; 32]>,
    /// Leaves that may be destroyed, in a drawn order.
    pool: Vec<LeafIndex>,
    destroyed: BTreeSet<LeafIndex>,
    /// Every index that was ever given out; as many as `first` before the first kill.
    given: BTreeSet<u64>,
    first: usize,
}

impl Keys {
    /// For the checks of the checks.
    pub(crate) fn tiny(folder: &Path) -> Self {
        Self::new(folder, 32, 16, false)
    }

    pub(crate) fn small(folder: &Path) -> Self {
        Self::new(folder, 4096, 3840, false)
    }

    /// Every other leaf is destroyed, so that the tree has a node for each of those between.
    pub(crate) fn large(folder: &Path) -> Self {
        let keys = Self::new(folder, 40_960, 2048, true);
        let (nodes, shards) = keys.look(|state| (state.node_count(), state.shard_count())).unwrap();
        assert!(nodes > HEAD_NODES && shards > 1, "{nodes} nodes in {shards} shards");
        keys
    }

    fn new(folder: &Path, leaves: u64, pool: usize, every_other: bool) -> Self {
        let place = KeyPlace::create(folder).unwrap();
        let organisation = organisation_id().unwrap();
        let mut keys = Self {
            place,
            organisation,
            prints: BTreeMap::new(),
            pool: Vec::new(),
            destroyed: BTreeSet::new(),
            given: BTreeSet::new(),
            first: usize::try_from(leaves).unwrap(),
        };
        let ring = keys.ring();
        ring.provision(&keys.organisation).unwrap();
        let mut all = ring.allocate_many(&keys.organisation, DataClass::Biometric, leaves).unwrap();
        keys.given.extend(all.iter().map(|leaf| leaf.get()));
        if every_other {
            let (gone, left): (Vec<_>, Vec<_>) = all.iter().partition(|leaf| leaf.get() % 2 == 0);
            let _report = ring.destroy(&keys.organisation, &gone).unwrap();
            // A sample of them is asked for later; the others are as old.
            keys.destroyed.extend(gone.into_iter().step_by(97));
            all = left;
        }
        let mut draws = Draws::seeded(leaves);
        for place in (1..all.len()).rev() {
            all.swap(place, usize::try_from(draws.below(place as u64 + 1)).unwrap());
        }
        keys.prints = keys
            .look(|state| all.iter().map(|leaf| (*leaf, print(state, *leaf).unwrap())).collect())
            .unwrap();
        all.truncate(pool);
        keys.pool = all;
        keys
    }

    pub(crate) fn place(&self) -> &KeyPlace {
        &self.place
    }

    pub(crate) fn destroyed(&self) -> usize {
        self.destroyed.len()
    }

    pub(crate) fn given(&self) -> usize {
        self.given.len() - self.first
    }

    /// Takes a batch out of the pool.
    pub(crate) fn draw(&mut self, draws: &mut Draws) -> Vec<LeafIndex> {
        let size = usize::try_from(1 + draws.below(BATCH)).unwrap();
        self.pool.split_off(self.pool.len().checked_sub(size).unwrap())
    }

    /// A batch that was never begun.
    pub(crate) fn give_back(&mut self, batch: &[LeafIndex]) {
        self.pool.extend(batch);
    }

    /// A destruction that returned `Ok`.
    pub(crate) fn acknowledge(&mut self, batch: &[LeafIndex]) {
        self.prints.retain(|leaf, _| !batch.contains(leaf));
        self.destroyed.extend(batch);
    }

    /// Notes an index that was given out; `false` for one that was given out before.
    pub(crate) fn note_given(&mut self, index: u64) -> bool {
        self.given.insert(index)
    }

    /// Starts again, repeats what was under way, and looks at everything.
    pub(crate) fn settle(&mut self, in_flight: Option<&Vec<LeafIndex>>) -> Findings {
        let mut findings = Findings::default();
        let older = self.place.folder().with_extension("older");
        let _ = fs::remove_dir_all(&older);
        copy_folder(&self.place.folder().join(STATES[0]), &older).unwrap();
        let ring = self.ring();
        if let Err(error) = ring.provision(&self.organisation) {
            findings.unfinished.push(format!("provision: {error:?}"));
        }
        if let Some(batch) = in_flight {
            match ring.destroy(&self.organisation, batch) {
                Ok(_) => {}
                Err(error) => findings.unfinished.push(format!("destroy: {error:?}")),
            }
            self.acknowledge(batch);
            self.refuse_older(&older, batch, &mut findings);
        }
        // Before anything is written that would mend it.
        self.check_places(&ring, &mut findings);
        match ring.allocate(&self.organisation, DataClass::Biometric) {
            Ok(given) => findings.note_given(self, given.get()),
            Err(error) => findings.unfinished.push(format!("allocate: {error:?}")),
        }
        // The whole of a large place is looked at in the end.
        let every = self.prints.len().div_ceil(2048).max(1);
        findings.merge(self.check_leaves(every));
        findings
    }

    /// Looks at every leaf.
    pub(crate) fn check_everything(&self) -> Findings {
        self.check_leaves(1)
    }

    fn check_leaves(&self, every: usize) -> Findings {
        let mut findings = Findings::default();
        let looked = self.look(|state| {
            for (leaf, before) in self.prints.iter().step_by(every) {
                let now = print(state, *leaf);
                if now != Ok(*before) {
                    findings.survivors_lost.push(format!("{leaf:?}: {:?}", now.err()));
                }
            }
            for leaf in &self.destroyed {
                let (now, status) = (print(state, *leaf), state.status(*leaf));
                if now != Err(EnvelopeError::Destroyed) || status != LeafStatus::Destroyed {
                    findings.destroyed_readable.push(format!("{leaf:?}: {status:?}"));
                }
            }
        });
        findings.check(looked.is_ok(), || format!("open: {looked:?}"));
        findings
    }

    /// One state key, both places whole and alike, and a journal that ends in the newest state.
    fn check_places(&self, ring: &KeyRing, findings: &mut Findings) {
        let (organisation, place) = (&self.organisation, &self.place);
        let report = ring.report_keys(organisation);
        let Ok(report) = report else {
            return findings.unfinished.push(format!("report: {:?}", report.err()));
        };
        let held = place.held(organisation).unwrap();
        findings.check(held == [report.generation], || {
            format!("state keys {held:?} beside generation {}", report.generation)
        });
        let replicas = place.states().unwrap().check(organisation).unwrap();
        let whole = replicas.iter().all(|replica| matches!(replica, Replica::Newest(_)));
        findings.check(whole, || format!("{replicas:?}"));
        let journal = place.fences().unwrap().read(organisation, 0);
        findings.check(journal.is_ok_and(|read| !read.records.is_empty()), || "journal".to_owned());
        findings.check(report.pending == 0, || format!("{} leaves are pending", report.pending));
        findings.check(report.destroyed >= self.destroyed.len(), || {
            format!("the journal knows {} of {} destroyed", report.destroyed, self.destroyed.len())
        });
        let gate = ring.check(organisation);
        findings.check(gate.is_ok(), || format!("gate: {gate:?}"));
    }

    /// The state that the kill left, if it still had the leaves, opens with no key that is left.
    fn refuse_older(&self, older: &Path, batch: &[LeafIndex], findings: &mut Findings) {
        let (service, older) = (self.place.service().unwrap(), FolderStates::open(older).unwrap());
        let Ok(state) = test_util::ungated_state(&*service, &older, &self.organisation) else { return };
        for leaf in batch {
            if state.status(*leaf) != LeafStatus::Destroyed {
                findings.destroyed_readable.push(format!("{leaf:?}, in the state that the kill left"));
            }
        }
    }

    /// A ring as another process has it.
    fn ring(&self) -> KeyRing {
        self.place.ring(CachePolicy::default()).unwrap()
    }

    fn look<R>(&self, look: impl FnOnce(&OrganisationState) -> R) -> Result<R, EnvelopeError> {
        self.ring().with_state(&self.organisation, look)
    }
}

/// What must be found.
impl Keys {
    pub(crate) fn destroy_behind_its_back(&self) {
        let survivor = *self.prints.keys().find(|leaf| !self.pool.contains(leaf)).unwrap();
        let _report = self.ring().destroy(&self.organisation, &[survivor]).unwrap();
    }

    pub(crate) fn bring_the_first_key_back(&mut self, batch: &[LeafIndex]) {
        let _report = self.ring().destroy(&self.organisation, batch).unwrap();
        self.acknowledge(batch);
        self.place.service().unwrap().create(&KeyHandle::new(self.organisation.clone(), 1)).unwrap();
    }

    pub(crate) fn put_a_place_back(&mut self, batch: &[LeafIndex]) {
        let head = self.place.folder().join(STATES[1]).join(format!("{}.state", self.organisation));
        let before = fs::read(&head).unwrap();
        let _report = self.ring().destroy(&self.organisation, batch).unwrap();
        self.acknowledge(batch);
        fs::write(head, before).unwrap();
    }
}

fn print(state: &OrganisationState, leaf: LeafIndex) -> Result<[u8; 32], EnvelopeError> {
    state.template_secret(leaf).map(|secret| *secret.as_secret().expose_secret())
}
