//! The folder that every trial begins with: two organisations whose logs are several tiles long.

use std::path::{Path, PathBuf};

use jiff::ToSpan;
use vouchsafe::ledger::{Checkpoint, SignedCheckpoint, VerifierKey};
use vouchsafe::{Notice, Organisation, Outcome, Timestamp, Vouchsafe, types::Clock};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{SCOPE, Scene, caller_id, copy_folder, embedding, give, notice};

/// The sizes at which both logs are published and the folder is copied: tiles of 256 entries are crossed twice.
const SIZES: [u64; 6] = [40, 200, 256, 420, 545, 560];
const IDS: [&str; 2] = ["acme", "zenith"];
const NOON: &str = "2026-06-01T12:00:00Z";

/// What an outsider knows of one organisation's log.
pub(crate) struct Outsider {
    pub(crate) id: &'static str,
    pub(crate) key: VerifierKey,
    pub(crate) origin: String,
    /// The newest checkpoint, remembered out of the keeper's reach.
    pub(crate) remembered: Checkpoint,
    /// All signed checkpoints, oldest first.
    pub(crate) heads: Vec<SignedCheckpoint>,
}

impl Outsider {
    /// The folder of the published log, below `log`, and of the copy kept outside, below `outside/checkpoints`.
    pub(crate) fn log(&self) -> &str {
        self.origin.strip_prefix("vouchsafe/").unwrap()
    }
}

pub(crate) struct Base {
    /// Copies of the folder at each of [`SIZES`]; the last one is the base.
    snapshots: Vec<PathBuf>,
    organisations: Vec<Outsider>,
    now: Timestamp,
}

impl Base {
    pub(crate) fn build(home: &Path) -> Self {
        let scene = Scene::new(home.join("building"), NOON.parse().unwrap());
        let (mut snapshots, mut organisations) = (Vec::new(), Vec::<Outsider>::new());
        let mut draws = Draws::seeded(1);
        for (step, size) in SIZES.into_iter().enumerate() {
            let vouchsafe = scene.open().unwrap();
            for (place, id) in IDS.into_iter().enumerate() {
                let organisation = vouchsafe.organisation(id).unwrap();
                let notice = notice(&organisation).unwrap();
                // At the end what was logged of verifications falls due, and is shredded.
                if step == SIZES.len() - 2 {
                    drop(approved_sweep(&organisation));
                }
                let head = grow(&organisation, &notice, size, &mut draws);
                if step == 0 {
                    let (key, origin) =
                        (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
                    let remembered = head.checkpoint().clone();
                    organisations.push(Outsider { id, key, origin, remembered, heads: Vec::new() });
                }
                organisations[place].remembered = head.checkpoint().clone();
                organisations[place].heads.push(head);
            }
            drop(vouchsafe);
            let snapshot = home.join(format!("snapshot-{step}"));
            copy_folder(scene.folder(), &snapshot).unwrap();
            snapshots.push(snapshot);
            if step + 1 < SIZES.len() {
                scene.clock().advance(31.days()).unwrap();
            }
        }
        Self { snapshots, organisations, now: scene.clock().now() }
    }

    /// The newest state of the folder.
    pub(crate) fn folder(&self) -> &Path {
        self.snapshots.last().unwrap()
    }

    /// The older states, oldest first.
    pub(crate) fn older(&self) -> &[PathBuf] {
        &self.snapshots[..self.snapshots.len() - 1]
    }

    pub(crate) fn organisations(&self) -> &[Outsider] {
        &self.organisations
    }

    pub(crate) fn entries(&self) -> u64 {
        self.organisations.iter().map(|organisation| organisation.remembered.size()).sum()
    }

    /// Opens a copy as a fresh process would.
    pub(crate) fn open(&self, folder: &Path) -> Vouchsafe {
        Scene::new(folder, self.now).open().unwrap()
    }
}

/// Lets people act until the log has at least so many entries, and publishes it.
fn grow(organisation: &Organisation<'_>, notice: &Notice, size: u64, draws: &mut Draws) -> SignedCheckpoint {
    loop {
        let head = organisation.publish_log().unwrap();
        if head.checkpoint().size() >= size {
            return head;
        }
        let missing = size - head.checkpoint().size();
        (0..missing.div_ceil(3)).for_each(|_| act(organisation, notice, draws));
    }
}

/// One person does something that leaves one to three entries.
pub(crate) fn act(organisation: &Organisation<'_>, notice: &Notice, draws: &mut Draws) {
    let number = u32::try_from(draws.below(48)).unwrap();
    let person = organisation.subject(&caller_id(number)).unwrap();
    let Outcome::Done(permit) = person.permit(SCOPE).unwrap() else {
        drop(give(&person, SCOPE, notice).unwrap());
        return;
    };
    match draws.below(100) {
        ..40 => {
            let probe = embedding(&permit, number, 1).unwrap();
            drop(person.verify_embedding(&permit, probe).unwrap());
        }
        40..60 => {
            let face = embedding(&permit, number, 1).unwrap();
            drop(person.enrol_embedding(&permit, face).unwrap());
        }
        60..66 => drop(person.withdraw(SCOPE).unwrap()),
        _ => drop(give(&person, SCOPE, notice).unwrap()),
    }
}

pub(crate) use vouchsafe_testkit::scene::approved_sweep;
