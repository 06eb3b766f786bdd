//! What one process of the drill does: it opens the folder with the service, acts, and says what it found.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use vouchsafe::{Decision, Destruction, Error, Organisation, Outcome, Refusal, Unexplained, Vouchsafe};
use vouchsafe_envelope::port::KeyService;
use vouchsafe_template::ProtectedReference;
use vouchsafe_testkit::cold::Cold;
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{ORGANISATION, SCOPE, Scene, caller_id, database, embedding, give, notice};
use vouchsafe_types::DataClass;

use crate::service::{self, Service};

const SUBJECTS: &str = "VOUCHSAFE_DRILL_SUBJECTS";
const STAGE: &str = "VOUCHSAFE_DRILL_STAGE";
const HOME: &str = "VOUCHSAFE_DRILL_HOME";
const PROVIDER: &str = "VOUCHSAFE_DRILL_PROVIDER";
const NOON: &str = "2026-06-01T12:00:00Z";
/// What a stage found stands behind this.
pub(crate) const MARK: &str = "found: ";

/// How many enrol, and how many of them withdraw.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) people: u32,
    pub(crate) destroyed: u32,
}

impl Size {
    /// 37 of 1,000, or as many of another number.
    pub(crate) fn asked_for() -> Self {
        let people = env::var(SUBJECTS).map_or(100, |people| people.parse().unwrap());
        Self { people, destroyed: (people * 37).div_ceil(1000) }
    }

    /// Who withdraws.
    fn erased(self) -> BTreeSet<u32> {
        let mut draws = Draws::seeded(37);
        let mut erased = BTreeSet::new();
        while erased.len() < self.destroyed as usize {
            erased.insert(u32::try_from(draws.below(u64::from(self.people))).unwrap());
        }
        erased
    }
}

/// The deployment's folder.
pub(crate) fn live(home: &Path) -> PathBuf {
    home.join("live")
}

/// Tells a process which stage it is.
pub(crate) fn tell(program: &mut Command, stage: &str, home: &Path, service: &Service, size: Size) {
    program.env(STAGE, stage).env(HOME, home).env(PROVIDER, service.name());
    program.env(SUBJECTS, size.people.to_string());
}

/// Carries out a stage if this process was started as one.
pub(crate) fn run_if_asked() {
    let (Ok(stage), Ok(home), Ok(provider)) = (env::var(STAGE), env::var(HOME), env::var(PROVIDER)) else {
        return;
    };
    let (home, size) = (PathBuf::from(home), Size::asked_for());
    let service = service::open(&provider, &home);
    let strength = service.strength().name();
    let found = if stage == "count" {
        count(&live(&home), service, size)
    } else {
        let scene = Scene::new(live(&home), NOON.parse().unwrap());
        let ports = scene.ports_with(service).unwrap();
        let store = Arc::clone(&ports.store);
        let vouchsafe = Vouchsafe::open_with(ports);
        let organisation = vouchsafe.organisation(ORGANISATION).unwrap();
        let found = match stage.as_str() {
            "enrol" => enrol(&organisation, size),
            "withdraw" => withdraw(&organisation, size),
            "gate" => gate(&organisation),
            "recover" => recover(&organisation, size),
            "verify" => verify(&organisation, size),
            other => panic!("{other} is no stage"),
        };
        store.remove_remnants().unwrap();
        found
    };
    println!("\n{MARK}strength={strength} {found}");
}

fn enrol(organisation: &Organisation<'_>, size: Size) -> String {
    let shown = notice(organisation).unwrap();
    for person in 0..size.people {
        let subject = organisation.subject(&caller_id(person)).unwrap();
        let _receipt = give(&subject, SCOPE, &shown).unwrap();
        let permit = subject.permit(SCOPE).unwrap().done().unwrap();
        let enrolled = subject.enrol_embedding(&permit, embedding(&permit, person, 1).unwrap()).unwrap();
        assert!(matches!(enrolled, Outcome::Done(_)));
    }
    let _head = organisation.publish_log().unwrap();
    format!("enrolled={}", size.people)
}

fn withdraw(organisation: &Organisation<'_>, size: Size) -> String {
    let mut withdrawn = 0;
    for person in size.erased() {
        let withdrawal = organisation.subject(&caller_id(person)).unwrap().withdraw(SCOPE).unwrap();
        let Destruction::Done(certificates) = withdrawal.destruction else {
            panic!("pending: {:?}", withdrawal.destruction)
        };
        assert_eq!(certificates.len(), 1);
        withdrawn += 1;
    }
    format!("withdrawn={withdrawn}")
}

/// How many of the stored templates open with the keys that are there, whatever a gate would say.
fn count(live: &Path, service: Arc<dyn KeyService>, size: Size) -> String {
    let cold = Cold::open_with(&database(live), &live.join("keys"), service).unwrap();
    let opened = cold.with_state(|state| {
        let erased: BTreeSet<_> =
            size.erased().iter().map(|person| state.pseudonym(caller_id(*person).as_bytes())).collect();
        let (mut destroyed, mut survivors) = (0, 0);
        for holding in cold.holdings().unwrap() {
            // The row of a template that is marked destroyed is gone.
            let Some(record) = cold.record(holding.leaf).unwrap() else { continue };
            assert_eq!(holding.class, DataClass::Biometric);
            let opened = cold.open_record(state, &holding, &record);
            let whole = opened.is_ok_and(|plain| ProtectedReference::parse(plain.expose_secret()).is_ok());
            let erased = erased.contains(&holding.subject);
            *(if erased { &mut destroyed } else { &mut survivors }) += u32::from(whole);
        }
        (destroyed, survivors)
    });
    opened_of(opened.unwrap(), size)
}

fn opened_of((destroyed, survivors): (u32, u32), size: Size) -> String {
    let Size { people, destroyed: erased } = size;
    format!("destroyed={destroyed}/{erased} survivors={survivors}/{}", people - erased)
}

/// What every act is answered with before the recovery; `none` is an act that was carried out.
fn gate(organisation: &Organisation<'_>) -> String {
    let mut answers = vec![
        notice(organisation).err(),
        organisation.publish_log().err(),
        organisation.rotate_state_key().err(),
        organisation.rotate_data_key(|_| ()).err(),
        pending(organisation.resume_destructions()),
        organisation.sweep().map_or_else(Some, pending),
    ];
    for person in [0, 1, 37, 99] {
        match organisation.subject(&caller_id(person)) {
            Err(error) => answers.push(Some(error)),
            Ok(subject) => answers.extend([
                subject.permit(SCOPE).err(),
                subject.withdraw(SCOPE).err(),
                subject.erase().err(),
            ]),
        }
    }
    let names: BTreeSet<_> =
        answers.iter().map(|error| error.as_ref().map_or("none".to_owned(), name)).collect();
    format!("acts={} gate={}", answers.len(), names.into_iter().collect::<Vec<_>>().join(","))
}

fn pending(destruction: Destruction) -> Option<Error> {
    match destruction {
        Destruction::Done(_) => None,
        Destruction::Pending(left) => Some(match left.cause() {
            Error::Envelope(error) => Error::Envelope(error.clone()),
            Error::RecoveryRequired => Error::RecoveryRequired,
            other => panic!("{other:?}"),
        }),
    }
}

/// The innermost variant, without its fields.
fn name(error: &Error) -> String {
    let shown = match error {
        Error::Envelope(error) => format!("{error:?}"),
        other => format!("{other:?}"),
    };
    shown.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn recover(organisation: &Organisation<'_>, size: Size) -> String {
    let recovery = organisation.recover(Unexplained::Refused).unwrap().unwrap();
    assert!(organisation.recover(Unexplained::Refused).unwrap().is_none(), "a recovery is done once");
    assert_eq!((recovery.destroyed, recovery.closed), (u64::from(size.destroyed), u64::from(size.destroyed)));
    let (replayed, resurrected) = (recovery.replayed, recovery.resurrected);
    format!("{} replayed={replayed} resurrected={resurrected}", verify(organisation, size))
}

/// How many of the erased and of the others are accepted with their own face; the log must be sound.
fn verify(organisation: &Organisation<'_>, size: Size) -> String {
    let erased = size.erased();
    let (mut destroyed, mut survivors) = (0, 0);
    for person in 0..size.people {
        let subject = organisation.subject(&caller_id(person)).unwrap();
        let accepted = match subject.permit(SCOPE).unwrap().or_refuse() {
            Ok(permit) => {
                let face = embedding(&permit, person, 1).unwrap();
                matches!(subject.verify_embedding(&permit, face), Ok(Decision::Accepted(_)))
            }
            Err(reasons) => {
                assert!(reasons.contains(Refusal::ConsentWithdrawn), "person {person}: {reasons:?}");
                false
            }
        };
        *(if erased.contains(&person) { &mut destroyed } else { &mut survivors }) += u32::from(accepted);
    }
    let _head = organisation.publish_log().unwrap();
    let report = organisation.verify_log().unwrap();
    assert!(report.is_sound(), "{:?}", report.findings());
    opened_of((destroyed, survivors), size)
}
