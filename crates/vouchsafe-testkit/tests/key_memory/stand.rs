//! A key ring whose keys are known, to the test alone and under a mask.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use vouchsafe_envelope::tree::KeyTree;
use vouchsafe_envelope::{CachePolicy, Context, KeyRing, test_util};
use vouchsafe_keys::OsEntropy;
use vouchsafe_testkit::place::KeyPlace;
use vouchsafe_testkit::scene::SCOPE;
use vouchsafe_types::{
    DataClass, Entropy, EntropyUnavailable, LeafIndex, OrganisationId, RecordId, VirtualTicks, wipe_stack,
};

use crate::needles::{MASK, Needles};

pub(crate) struct Stand {
    pub(crate) ring: KeyRing,
    pub(crate) ticks: Arc<VirtualTicks>,
    place: KeyPlace,
    drawn: Arc<Drawn>,
    leaves: RefCell<Vec<LeafIndex>>,
    _home: TempDir,
}

/// The leaf that is used, among those that are allocated.
const USED: usize = 5;
/// Where the fresh state's root stands among its keys.
const ROOT: usize = 4;

impl Stand {
    /// One organisation, `acme`, used: a record was sealed and opened, a template secret derived.
    pub(crate) fn new(policy: CachePolicy) -> Self {
        let home = tempfile::tempdir().unwrap();
        let ticks = Arc::<VirtualTicks>::default();
        let place = KeyPlace::create(&home.path().join("place")).unwrap();
        let place = place.with_ticks(Arc::<VirtualTicks>::clone(&ticks));
        let drawn = Arc::<Drawn>::default();
        let mut ports = place.ports().unwrap();
        ports.entropy = Arc::<Drawn>::clone(&drawn);
        let ring = KeyRing::with_cache(ports, policy);
        let stand = Self { ring, ticks, place, drawn, leaves: RefCell::default(), _home: home };
        stand.provision("acme");
        stand
    }

    pub(crate) fn provision(&self, organisation: &str) {
        let organisation = id(organisation);
        self.ring.provision(&organisation).unwrap();
        let leaves = self.ring.allocate_many(&organisation, DataClass::Biometric, 64).unwrap();
        let context = context(&organisation, leaves[USED]);
        let opened = self.ring.with_state(&organisation, |state| {
            let sealed = state.seal(&context, b"a template", &OsEntropy::new())?;
            drop(state.template_secret(leaves[USED])?);
            state.open(&context, &sealed).map(drop)
        });
        opened.unwrap().unwrap();
        *self.leaves.borrow_mut() = leaves;
    }

    /// All keys of a fresh state, of its one used leaf, and of what seals it.
    pub(crate) fn needles(&self, organisation: &str) -> Needles {
        let mut needles = self.held_needles(organisation);
        let leaf = self.leaves.borrow()[USED];
        let derive = |needles: &mut Needles| {
            let root = Replayed(needles.masked(ROOT));
            let tree: KeyTree = KeyTree::generate(&root).unwrap();
            needles.add("leaf key", tree.leaf(leaf).unwrap().expose_secret());
            let derived = self.ring.with_state(&id(organisation), |state| {
                let record = test_util::leaf_record_key(state, leaf, 1).unwrap();
                needles.add("record key", test_util::record_key_bytes(&record).expose_secret());
                needles.add("template key", state.template_secret(leaf).unwrap().as_secret().expose_secret());
            });
            derived.unwrap();
        };
        derive(&mut needles);
        wipe_stack();
        needles
    }

    /// What the unsealed state holds now, what sealed it until now, and its state key.
    pub(crate) fn held_needles(&self, organisation: &str) -> Needles {
        let mut needles = Needles::default();
        let shown = self.ring.with_state(&id(organisation), |state| {
            let mut number = 0;
            test_util::each_key(state, |key| {
                needles.hold(&format!("held key {number}"), key);
                number += 1;
            });
        });
        shown.unwrap();
        let held: BTreeSet<_> = needles.held().iter().map(|number| needles.masked(*number)).collect();
        for (number, masked) in self.drawn.0.lock().unwrap().iter().enumerate() {
            if organisation == "acme" && !held.contains(masked) {
                needles.add_masked(&format!("drawn key {number}"), masked);
            }
        }
        for masked in self.state_keys() {
            needles.add_masked("state key", &masked);
        }
        wipe_stack();
        needles
    }

    /// The numbers of those keys that are in use still.
    pub(crate) fn kept(&self, needles: &Needles) -> BTreeSet<usize> {
        let mut alive: BTreeSet<Vec<u8>> = self.state_keys().into_iter().collect();
        let shown = self.ring.with_state(&id("acme"), |state| {
            test_util::each_key(state, |key| {
                alive.insert(key.iter().map(|byte| byte ^ MASK).collect());
            });
        });
        shown.unwrap();
        wipe_stack();
        (0..needles.keys()).filter(|number| alive.contains(&needles.masked(*number))).collect()
    }

    /// The one that was used first, then its neighbours.
    pub(crate) fn destroy_a_leaf(&self) {
        let leaf = self.leaves.borrow_mut().remove(USED);
        let _report = self.ring.destroy(&id("acme"), &[leaf]).unwrap();
    }

    pub(crate) fn mark_honey(&self) {
        let leaf = self.leaves.borrow()[0];
        self.ring.mark_honey(&id("acme"), &[leaf]).unwrap();
    }

    /// The key in the key file, under the mask: the last 32 bytes before a SHA-256.
    fn state_keys(&self) -> Vec<Vec<u8>> {
        let mut bytes = fs::read(self.place.folder().join("keys")).unwrap();
        let key = bytes.len() - 64..bytes.len() - 32;
        let masked = bytes[key].iter().map(|byte| byte ^ MASK).collect();
        bytes.fill(0);
        black_box(&mut bytes);
        vec![masked]
    }
}

/// Fresh randomness, of which every 32 bytes are noted under the mask: they are keys, salts have another length.
#[derive(Default)]
pub(crate) struct Drawn(Mutex<Vec<Vec<u8>>>);

impl Entropy for Drawn {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        OsEntropy::new().fill(buffer)?;
        if buffer.len() == 32 {
            self.0.lock().unwrap().push(buffer.iter().map(|byte| byte ^ MASK).collect());
        }
        Ok(())
    }
}

/// A key again, from under the mask.
struct Replayed(Vec<u8>);

impl Entropy for Replayed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.iter_mut().zip(&self.0).for_each(|(byte, masked)| *byte = masked ^ MASK);
        Ok(())
    }
}

fn id(organisation: &str) -> OrganisationId {
    OrganisationId::parse(organisation).unwrap()
}

fn context(organisation: &OrganisationId, leaf: LeafIndex) -> Context {
    Context {
        organisation: organisation.clone(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(SCOPE),
        record: RecordId::from_bytes([3; 16]),
        model: None,
        dimension: None,
        key_version: 1,
    }
}
