//! Work in flight when the gate closes: whatever it had reached, it ends refused.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use vouchsafe::ledger::{ActorRole, EntryKind};
use vouchsafe::store::HoldingState;
use vouchsafe::{
    Decision, Destruction, Error, FaceEngine, ModelSet, Organisation, Outcome, Refusal, Subject, Vouchsafe,
};

use crate::pause::{Place, Stop, stopping};
use crate::photographs::picture;
use crate::scene::{FACE, Scene, consented, draft, enrol, face, give, notice, open, permit, verify};

/// How far a verification or an enrolment has come when it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// The permit is there, and nothing else.
    AfterPermit,
    /// The embedding is there.
    AfterEmbedding,
    /// The snapshot that the comparison reads is about to begin.
    BeforeSnapshot,
    /// The snapshot is begun, and its rows are not read yet.
    AtSnapshot,
    /// Consent was read, the template opened and compared; the snapshot is still held.
    AfterMatch,
    /// The snapshot is given back, and no lock is held.
    AfterSnapshot,
    /// The writing transaction is about to begin, under the shared lock of the keys.
    BetweenMatchAndCommit,
}

impl Point {
    const OF_VERIFICATION: [Self; 7] = [
        Self::AfterPermit,
        Self::AfterEmbedding,
        Self::BeforeSnapshot,
        Self::AtSnapshot,
        Self::AfterMatch,
        Self::AfterSnapshot,
        Self::BetweenMatchAndCommit,
    ];
    /// An enrolment compares nothing, so that it has no snapshot.
    const OF_ENROLMENT: [Self; 4] =
        [Self::AfterPermit, Self::AfterEmbedding, Self::AfterSnapshot, Self::BetweenMatchAndCommit];

    const fn place(self, work: Work) -> Option<Place> {
        match self {
            Self::AfterPermit | Self::AfterEmbedding => None,
            Self::BeforeSnapshot => Some(Place::Read),
            Self::AtSnapshot => Some(Place::Clock(1)),
            Self::AfterMatch => Some(Place::Snapshot),
            Self::AfterSnapshot => Some(Place::Clock(match work {
                Work::Verification => 2,
                Work::Enrolment => 1,
            })),
            Self::BetweenMatchAndCommit => Some(Place::Write),
        }
    }
}

/// What closes the gate meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Erase,
    Invalidate,
    LearnedMinor,
    NewNotice,
    Object,
    Restrict,
    Revoke,
    Withdraw,
}

impl Blow {
    const ALL: [Self; 8] = [
        Self::Withdraw,
        Self::Revoke,
        Self::Invalidate,
        Self::Erase,
        Self::LearnedMinor,
        Self::Restrict,
        Self::Object,
        Self::NewNotice,
    ];

    fn strike(self, organisation: &Organisation<'_>, person: &Subject<'_>) -> Result<(), Error> {
        match self {
            Self::Erase => person.erase().map(drop),
            Self::Invalidate => person.invalidate(FACE).map(drop),
            Self::LearnedMinor => person.learned_minor(ActorRole::Administrator).map(drop),
            Self::NewNotice => organisation.publish_notice(draft("2", "we measure more")).map(drop),
            Self::Object => person.object(),
            Self::Restrict => person.restrict(ActorRole::Administrator),
            Self::Revoke => person.revoke(FACE).map(drop),
            Self::Withdraw => person.withdraw(FACE).map(drop),
        }
    }

    const fn refusal(self) -> Refusal {
        match self {
            Self::Erase | Self::Withdraw => Refusal::ConsentWithdrawn,
            Self::Invalidate | Self::LearnedMinor => Refusal::ConsentInvalidated,
            Self::NewNotice => Refusal::ConsentOutdated,
            Self::Object => Refusal::ProcessingObjected,
            Self::Restrict => Refusal::ProcessingRestricted,
            Self::Revoke => Refusal::ConsentRevoked,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Enrolment,
    Verification,
}

/// A folder with a service that can be stopped, and people in it.
struct Flight {
    scene: Scene,
    stop: Arc<Stop>,
    service: Vouchsafe,
}

impl Flight {
    fn new() -> Self {
        let scene = Scene::new();
        let stop = Arc::new(Stop::default());
        let service = Vouchsafe::open_with(stopping(scene.ports(), &stop));
        Self { scene, stop, service }
    }

    /// Whether the end of the person's permission is committed.
    fn is_closed(&self, person: &Subject<'_>, blow: Blow) -> bool {
        let id = vouchsafe::OrganisationId::parse("acme").unwrap();
        self.scene.rows(&id, |rows| {
            Ok(match blow {
                Blow::NewNotice => rows.notices(&id)?.len() > 1,
                Blow::Object | Blow::Restrict => !rows.marks(&id, person.pseudonym())?.is_empty(),
                _ => rows.consent(&id, person.pseudonym(), FACE)?.is_some_and(|row| row.status > 2),
            })
        })
    }

    /// Does the work on this thread and is stopped at the point.
    fn work(&self, person: &Subject<'_>, point: Point, work: Work) -> Ended {
        let permit = permit(person);
        if point == Point::AfterPermit {
            self.stop.now();
        }
        let probe = face(&permit, 1);
        match point.place(work) {
            Some(place) => self.stop.here_at(place),
            None if point == Point::AfterEmbedding => self.stop.now(),
            None => {}
        }
        match work {
            Work::Verification => Ended::of_decision(person.verify_embedding(&permit, probe)),
            Work::Enrolment => Ended::of_outcome(person.enrol_embedding(&permit, probe)),
        }
    }

    /// Stops the work of a person at a point, strikes, waits until that is acknowledged, and lets the work go on.
    fn collide(
        &self,
        id: &str,
        (point, work): (Point, Work),
        blow: Blow,
        strike: &(dyn Fn() + Sync),
    ) -> Ended {
        let organisation = self.service.organisation("acme").unwrap();
        let person = organisation.subject(id).unwrap();
        thread::scope(|scope| {
            let worker = scope.spawn(|| self.work(&person, point, work));
            self.stop.reached();
            let striker = scope.spawn(strike);
            while !(striker.is_finished() || self.is_closed(&person, blow)) {
                thread::yield_now();
            }
            assert!(self.stop.is_stopped(), "{point:?}");
            self.stop.release();
            let ended = worker.join().unwrap();
            striker.join().unwrap();
            ended
        })
    }

    /// A person whose consent is fresh, enrolled if a verification is to come.
    fn prepare(&self, organisation: &Organisation<'_>, id: &str, work: Work) {
        let person = consented(organisation, id);
        if work == Work::Verification {
            enrol(&person, 1);
            assert!(verify(&person, 1).is_accepted(), "the face is the person's own");
        }
    }
}

#[derive(Debug)]
enum Ended {
    Accepted,
    Refused(Vec<Refusal>),
    Failed(Error),
}

impl Ended {
    fn of_decision(decision: Result<Decision, Error>) -> Self {
        match decision {
            Ok(Decision::Accepted(_)) => Self::Accepted,
            Ok(Decision::Rejected(reasons) | Decision::Undecided(reasons)) => {
                Self::Refused(reasons.as_slice().to_vec())
            }
            Err(error) => Self::Failed(error),
        }
    }

    fn of_outcome<T>(outcome: Result<Outcome<T>, Error>) -> Self {
        match outcome.map(Outcome::or_refuse) {
            Ok(Ok(_)) => Self::Accepted,
            Ok(Err(reasons)) => Self::Refused(reasons.as_slice().to_vec()),
            Err(error) => Self::Failed(error),
        }
    }

    /// Refused for what happened, or because the template was punctured under it.
    fn is_refused_for(&self, blow: Blow) -> bool {
        match self {
            Self::Accepted => false,
            Self::Refused(reasons) => reasons.contains(&blow.refusal()),
            Self::Failed(Error::Envelope(_)) => true,
            Self::Failed(_) => false,
        }
    }
}

/// Where the blow comes from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// Another thread over the same service.
    Here,
    /// A second service over the same folder.
    Beside,
}

fn every_point_and_blow(from: From, work: Work, points: &[Point]) {
    for point in points {
        let flight = Flight::new();
        let beside = flight.scene.again();
        let service = match from {
            From::Here => &flight.service,
            From::Beside => &beside,
        };
        let organisation = flight.service.organisation("acme").unwrap();
        // Each service reserves its leaves before: a reservation waits for whoever holds the keys.
        let striking = service.organisation("acme").unwrap();
        let _ = consented(&striking, "warm").withdraw(FACE).unwrap();
        for blow in Blow::ALL {
            let case = format!("{work:?} stopped at {point:?}, {blow:?} from {from:?}");
            flight.prepare(&organisation, &case, work);
            let there = striking.subject(&case).unwrap();
            let strike = || blow.strike(&striking, &there).unwrap();
            let ended = flight.collide(&case, (*point, work), blow, &strike);
            assert!(ended.is_refused_for(blow), "{case}: {ended:?}");
            flight.leaves_nothing(&organisation, work, blow, &case);
        }
        assert!(organisation.verify_payloads().unwrap().is_sound(), "{point:?}");
    }
}

impl Flight {
    /// No template is left that no consent holds.
    fn leaves_nothing(&self, organisation: &Organisation<'_>, work: Work, blow: Blow, case: &str) {
        let person = organisation.subject(case).unwrap();
        let held = self.scene.rows(organisation.id(), |rows| {
            rows.biometric_holding(organisation.id(), person.pseudonym(), FACE)
        });
        match work {
            Work::Enrolment => assert!(held.is_none(), "{case}: a template was stored"),
            Work::Verification => {
                let spares = matches!(blow, Blow::NewNotice | Blow::Object | Blow::Restrict);
                let live = held.is_some_and(|holding| holding.state == HoldingState::Live);
                assert_eq!(live, spares, "{case}");
            }
        }
    }
}

/// Promise: WB-5-revoke
#[test]
fn a_verification_ends_refused_wherever_it_is_when_the_gate_closes() {
    every_point_and_blow(From::Here, Work::Verification, &Point::OF_VERIFICATION);
}

/// Promise: WB-5-revoke
#[test]
fn a_verification_ends_refused_when_another_service_closes_the_gate() {
    every_point_and_blow(From::Beside, Work::Verification, &Point::OF_VERIFICATION);
}

/// Promise: WB-5-revoke
#[test]
fn an_enrolment_ends_refused_wherever_it_is_when_the_gate_closes() {
    every_point_and_blow(From::Here, Work::Enrolment, &Point::OF_ENROLMENT);
    every_point_and_blow(From::Beside, Work::Enrolment, &Point::OF_ENROLMENT);
}

/// The control: without a blow the same work is accepted at every point.
#[test]
fn what_is_stopped_and_let_go_on_is_accepted() {
    let flight = Flight::new();
    let organisation = flight.service.organisation("acme").unwrap();
    for (work, points) in [
        (Work::Verification, Point::OF_VERIFICATION.as_slice()),
        (Work::Enrolment, Point::OF_ENROLMENT.as_slice()),
    ] {
        for point in points {
            let id = format!("{work:?}-{point:?}");
            flight.prepare(&organisation, &id, work);
            let person = organisation.subject(&id).unwrap();
            let ended = thread::scope(|scope| {
                let worker = scope.spawn(|| flight.work(&person, *point, work));
                flight.stop.reached();
                flight.stop.release();
                worker.join().unwrap()
            });
            assert!(matches!(ended, Ended::Accepted), "{work:?} at {point:?}: {ended:?}");
        }
    }
}

/// Within the committing transaction nobody else writes: the withdrawal is not acknowledged before it ends, and what
/// it committed stands before the withdrawal in the log.
///
/// Promise: WB-5-revoke, WB-11-lawful-before
#[test]
fn a_withdrawal_waits_for_the_transaction_that_commits() {
    for place in [Place::Entropy, Place::Commit] {
        let flight = Flight::new();
        let organisation = flight.service.organisation("acme").unwrap();
        flight.prepare(&organisation, "4711", Work::Verification);
        let beside = flight.scene.again();
        let striking = beside.organisation("acme").unwrap();
        let _ = consented(&striking, "warm").withdraw(FACE).unwrap();
        let (person, there) = (organisation.subject("4711").unwrap(), striking.subject("4711").unwrap());
        let permit = permit(&person);
        let decision = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let probe = face(&permit, 1);
                flight.stop.here_at(place);
                person.verify_embedding(&permit, probe)
            });
            flight.stop.reached();
            let striker = scope.spawn(|| there.withdraw(FACE).unwrap());
            thread::sleep(Duration::from_millis(100));
            assert!(!flight.is_closed(&person, Blow::Withdraw), "acknowledged meanwhile");
            assert!(!striker.is_finished());
            flight.stop.release();
            let _ = striker.join().unwrap();
            worker.join().unwrap()
        });
        assert!(decision.unwrap().is_accepted(), "it was committed first");
        let kinds = flight.scene.kinds("acme");
        let opened = kinds.iter().rposition(|kind| *kind == EntryKind::TemplateOpened).unwrap();
        let withdrawn = kinds.iter().rposition(|kind| *kind == EntryKind::ConsentWithdrawn).unwrap();
        assert!(opened < withdrawn, "{place:?}: {kinds:?}");
        let late = person.verify_embedding(&permit, face(&permit, 1));
        assert!(Ended::of_decision(late).is_refused_for(Blow::Withdraw), "{place:?}");
    }
}

/// A verification that never goes on keeps the keys in the memory of its process, and no more: the withdrawal is
/// acknowledged, and its destruction is pending.
///
/// Promise: WB-5-revoke
#[test]
fn a_withdrawal_returns_although_a_verification_stands_still() {
    let flight = Flight::new();
    let organisation = flight.service.organisation("acme").unwrap();
    flight.prepare(&organisation, "4711", Work::Verification);
    let beside = flight.scene.again();
    let striking = beside.organisation("acme").unwrap();
    let _ = consented(&striking, "warm").withdraw(FACE).unwrap();
    let person = organisation.subject("4711").unwrap();
    let ended = thread::scope(|scope| {
        let worker = scope.spawn(|| flight.work(&person, Point::BetweenMatchAndCommit, Work::Verification));
        flight.stop.reached();
        let there = striking.subject("4711").unwrap();
        let withdrawn = there.withdraw(FACE).unwrap();
        assert!(flight.stop.is_stopped(), "it returned while the other stood still");
        println!("the destruction: {:?}", withdrawn.destruction);
        flight.stop.release();
        worker.join().unwrap()
    });
    assert!(ended.is_refused_for(Blow::Withdraw), "{ended:?}");
    assert!(matches!(striking.resume_destructions(), Destruction::Done(_)));
}

/// In the middle of a capture, and when the face is captured and not embedded yet.
///
/// Promise: WB-5-revoke
#[test]
fn what_is_being_captured_ends_refused() {
    let scene = Scene::new();
    let stop = Arc::new(Stop::default());
    let engine = Arc::new(FaceEngine::load(&ModelSet::bundled().unwrap()).unwrap());
    let service = Vouchsafe::open_with(stopping(scene.ports().with_engine(engine), &stop));
    let organisation = service.organisation("acme").unwrap();
    let beside = scene.again();
    let striking = beside.organisation("acme").unwrap();
    for (blow, work, judged) in [
        (None, Work::Enrolment, true),
        (None, Work::Verification, true),
        (Some(Blow::Restrict), Work::Verification, false),
        (Some(Blow::Withdraw), Work::Verification, true),
        (Some(Blow::Withdraw), Work::Enrolment, false),
        (Some(Blow::Revoke), Work::Enrolment, true),
    ] {
        let person = organisation.subject("4711").unwrap();
        person.lift_restriction(ActorRole::Administrator).unwrap();
        give(&person, FACE, &notice(&organisation));
        let permit = permit(&person);
        let ended = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                if judged {
                    stop.here_at(Place::Judge);
                }
                let captured = service.capture(&permit, picture("obama.jpg")).unwrap();
                let face = captured.or_refuse().unwrap();
                if !judged {
                    stop.now();
                }
                match work {
                    Work::Verification => Ended::of_decision(person.verify(&permit, face)),
                    Work::Enrolment => Ended::of_outcome(person.enrol(&permit, face)),
                }
            });
            stop.reached();
            if let Some(blow) = blow {
                blow.strike(&striking, &striking.subject("4711").unwrap()).unwrap();
            }
            assert!(stop.is_stopped());
            stop.release();
            worker.join().unwrap()
        });
        let case = format!("{work:?}, judged {judged}, {blow:?}");
        match blow {
            None => assert!(matches!(ended, Ended::Accepted), "the control, {case}: {ended:?}"),
            Some(blow) => assert!(ended.is_refused_for(blow), "{case}: {ended:?}"),
        }
    }
}

const CHILD: &str = "VOUCHSAFE_IN_FLIGHT_CHILD";

/// Another process, which withdraws when it is told to.
struct Other {
    child: Child,
    input: ChildStdin,
    words: Receiver<String>,
}

impl Other {
    fn start(scene: &Scene) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "--nocapture", "--quiet", "in_flight::as_another_process"]);
        program.env(CHILD, scene.dir.path());
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, words) = channel();
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            let words = lines.filter_map(|line| line.strip_prefix("child: ").map(str::to_owned));
            words.take_while(|word| sender.send(word.clone()).is_ok()).count()
        });
        let other = Self { child, input, words };
        other.hears("ready");
        other
    }

    fn hears(&self, expected: &str) {
        assert_eq!(self.words.recv_timeout(Duration::from_secs(60)).unwrap(), expected);
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn withdraw(&mut self, id: &str) {
        writeln!(self.input, "{id}").unwrap();
        self.input.flush().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other process, if this one was started as one.
#[test]
fn as_another_process() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let now = "2026-04-01T12:00:00Z".parse().unwrap();
    let clock = Arc::new(vouchsafe::VirtualClock::starting_at(now));
    let service = open(folder.as_ref(), &clock);
    let organisation = service.organisation("acme").unwrap();
    let _ = consented(&organisation, "warm-child").withdraw(FACE).unwrap();
    println!("\nchild: ready");
    for id in std::io::stdin().lock().lines().map_while(Result::ok) {
        let _ = organisation.subject(&id).unwrap().withdraw(FACE).unwrap();
        println!("\nchild: withdrew {id}");
    }
}

/// Promise: WB-5-revoke
#[test]
fn work_ends_refused_when_another_process_withdraws() {
    let flight = Flight::new();
    let organisation = flight.service.organisation("acme").unwrap();
    notice(&organisation);
    let mut other = Other::start(&flight.scene);
    for (work, points) in [
        (Work::Verification, Point::OF_VERIFICATION.as_slice()),
        (Work::Enrolment, Point::OF_ENROLMENT.as_slice()),
    ] {
        for point in points {
            let id = format!("{work:?}-{point:?}");
            flight.prepare(&organisation, &id, work);
            let person = organisation.subject(&id).unwrap();
            let ended = thread::scope(|scope| {
                let worker = scope.spawn(|| flight.work(&person, *point, work));
                flight.stop.reached();
                other.withdraw(&id);
                while !flight.is_closed(&person, Blow::Withdraw) {
                    assert!(other.is_alive(), "{id}");
                    thread::sleep(Duration::from_millis(1));
                }
                assert!(flight.stop.is_stopped());
                flight.stop.release();
                worker.join().unwrap()
            });
            assert!(ended.is_refused_for(Blow::Withdraw), "{id}: {ended:?}");
            other.hears(&format!("withdrew {id}"));
        }
    }
    give(&organisation.subject("later").unwrap(), FACE, &notice(&organisation));
}
