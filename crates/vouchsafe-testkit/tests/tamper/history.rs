//! Honest histories: people and the controller do what they may in any order while years pass.

use std::collections::BTreeMap;

use jiff::{Span, ToSpan};
use vouchsafe::ledger::{ActorRole, Checkpoint, HandoverReason, Trust, verify_tiles};
use vouchsafe::store::FolderTiles;
use vouchsafe::{
    Act, Destruction, Error, Notice, Organisation, Outcome, Scope, Subject, Vouchsafe, types::Clock,
};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{Failure, SCOPE, Scene, caller_id, draft, embedding, memory_folder};

use super::base::approved_sweep;

const PEOPLE: u64 = 4;
const NOON: &str = "2026-06-01T12:00:00Z";

/// What all histories came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) histories: u64,
    pub(crate) entries: u64,
    pub(crate) payloads: u64,
    /// Payloads that are gone, and accounted for.
    pub(crate) shredded: u64,
    /// Payloads that are gone, as is the evidence that accounted for them.
    pub(crate) unaccounted: u64,
    pub(crate) templates_destroyed: u64,
    pub(crate) continued: u64,
    pub(crate) days: i64,
    pub(crate) acts: BTreeMap<&'static str, u64>,
    pub(crate) alarms: Vec<String>,
    /// Acts that failed for another reason than that they are not allowed.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    pub(crate) fn merge(&mut self, other: Self) {
        self.histories += other.histories;
        self.entries += other.entries;
        self.payloads += other.payloads;
        self.shredded += other.shredded;
        self.unaccounted += other.unaccounted;
        self.templates_destroyed += other.templates_destroyed;
        self.continued += other.continued;
        self.days += other.days;
        other.acts.into_iter().for_each(|(act, count)| *self.acts.entry(act).or_default() += count);
        self.alarms.extend(other.alarms);
        self.failures.extend(other.failures);
    }

    pub(crate) fn print(&self) {
        println!("acts: {:?}", self.acts);
        println!(
            "entries={} payloads={} shredded={} unaccounted={} templates_destroyed={} continued={} years={}",
            self.entries,
            self.payloads,
            self.shredded,
            self.unaccounted,
            self.templates_destroyed,
            self.continued,
            self.days / 365,
        );
    }
}

/// Lives through a few histories, each an organisation of its own in one folder.
pub(crate) fn live(histories: u64, draws: &mut Draws) -> Tally {
    let home = memory_folder().unwrap();
    let scene = Scene::new(home.path().join("folder"), NOON.parse().unwrap());
    let mut vouchsafe = scene.open().unwrap();
    let mut tally = Tally::default();
    for number in 0..histories {
        // Now and then another process goes on.
        if draws.chance(30) {
            drop(vouchsafe);
            vouchsafe = scene.open().unwrap();
        }
        History::live(&scene, &vouchsafe, &format!("tenant-{number}"), draws, &mut tally);
    }
    tally
}

struct History<'a> {
    scene: &'a Scene,
    organisation: &'a Organisation<'a>,
    notice: Notice,
    versions: u32,
    heads: Vec<Checkpoint>,
}

impl<'a> History<'a> {
    fn live(scene: &'a Scene, vouchsafe: &Vouchsafe, id: &str, draws: &mut Draws, tally: &mut Tally) {
        let begun = scene.clock().now();
        let organisation = vouchsafe.organisation(id).unwrap();
        let notice = publish_notice(&organisation, 1).unwrap();
        let mut history =
            History { scene, organisation: &organisation, notice, versions: 1, heads: Vec::new() };
        for _ in 0..10 + draws.below(30) {
            let (name, done) = history.act(draws);
            *tally.acts.entry(name).or_default() += 1;
            if let Err(error) = done
                && !is_refusal(&error)
            {
                tally.failures.push(format!("{id}: {name}: {error}"));
            }
        }
        if let Err(error) = history.verify(tally) {
            tally.alarms.push(format!("{id}: {error}"));
        }
        tally.histories += 1;
        tally.days += (scene.clock().now().as_second() - begun.as_second()) / 86_400;
    }

    fn act(&mut self, draws: &mut Draws) -> (&'static str, Result<(), Failure>) {
        let number = u32::try_from(draws.below(PEOPLE)).unwrap();
        let person = self.organisation.subject(&caller_id(number)).unwrap();
        let scope = if draws.chance(20) { other_scope() } else { SCOPE };
        match draws.below(100) {
            ..4 => ("serve", done(person.serve_notice(scope, &self.notice))),
            4..24 => ("give", self.answer(&person, scope, true)),
            24..28 => ("refuse", self.answer(&person, scope, false)),
            28..40 => ("enrol", self.enrol(&person, number)),
            40..56 => ("verify", verify(&person, number, 1 + draws.below(2))),
            56..60 => ("withdraw", ended(person.withdraw(scope))),
            60..62 => ("revoke", ended(person.revoke(scope))),
            62..64 => ("invalidate", ended(person.invalidate(scope))),
            64..66 => ("erase", all_done(person.erase())),
            66..68 => ("learned minor", all_done(person.learned_minor(ActorRole::Administrator))),
            68..70 => ("restrict", done(person.restrict(ActorRole::Person))),
            70..72 => ("lift", done(person.lift_restriction(ActorRole::Administrator))),
            72..74 => {
                ("object", done(if draws.chance(50) { person.object() } else { person.withdraw_objection() }))
            }
            74..76 => ("answer", done(person.consent_at(scope, self.now(), ActorRole::Auditor))),
            76..78 => ("renotice", self.renotice()),
            78..80 => ("expire", all_done(self.organisation.expire_consents())),
            80..88 => ("sweep", self.sweep(draws)),
            88..90 => ("rotate keys", self.rotate(draws)),
            90..91 => ("rotate log key", done(self.organisation.rotate_log_key(HandoverReason::Scheduled))),
            _ => ("publish", self.publish()),
        }
    }

    fn now(&self) -> vouchsafe::Timestamp {
        self.scene.clock().now()
    }

    fn answer(&self, person: &Subject<'_>, scope: Scope, yes: bool) -> Result<(), Failure> {
        let ticket = person.serve_notice(scope, &self.notice)?.ticket();
        self.pass(1.minute());
        let act = Act::typed_signature().attesting_age(18);
        if yes { done(person.give_consent(ticket, act)) } else { done(person.refuse_consent(ticket, act)) }
    }

    /// Enrols, after consent where that is missing.
    fn enrol(&self, person: &Subject<'_>, number: u32) -> Result<(), Failure> {
        let Outcome::Done(permit) = person.permit(SCOPE)? else { return self.answer(person, SCOPE, true) };
        done(person.enrol_embedding(&permit, embedding(&permit, number, 1)?))
    }

    /// A newer version, material or not: consent to the old one has to be renewed, or not.
    fn renotice(&mut self) -> Result<(), Failure> {
        self.versions += 1;
        self.notice = publish_notice(self.organisation, self.versions)?;
        Ok(())
    }

    /// Days to years pass before what is due is destroyed.
    fn sweep(&self, draws: &mut Draws) -> Result<(), Failure> {
        self.pass(match draws.below(4) {
            0 => 1.day(),
            1 => 91.days(),
            2 => 3.years().days(1),
            _ => 7.years().days(1),
        });
        finished(match self.organisation.sweep() {
            Err(Error::Retention(_)) => approved_sweep(self.organisation)?,
            swept => swept?,
        })
    }

    fn rotate(&self, draws: &mut Draws) -> Result<(), Failure> {
        if draws.chance(50) {
            done(self.organisation.rotate_state_key())
        } else {
            done(self.organisation.rotate_data_key(|_| ()))
        }
    }

    fn publish(&mut self) -> Result<(), Failure> {
        self.heads.push(self.organisation.publish_log()?.checkpoint().clone());
        self.pass(1.hour());
        Ok(())
    }

    fn pass(&self, time: Span) {
        self.scene.clock().advance(time).unwrap();
    }

    /// Every verification, with every checkpoint that was ever remembered.
    fn verify(&self, tally: &mut Tally) -> Result<(), Failure> {
        let organisation = self.organisation;
        let head = organisation.publish_log()?;
        let mut reports = vec![organisation.verify_log()?];
        for remembered in &self.heads {
            reports.push(organisation.verify_log_since(remembered)?);
        }
        let (key, origin) = (organisation.verifier_key()?, organisation.log_origin()?);
        let log = self.scene.folder().join("log").join(origin.strip_prefix("vouchsafe/").unwrap());
        let trust = Trust::new(&key, &origin);
        let trust = self.heads.first().map_or(trust, |first| trust.remembering(first));
        reports.push(verify_tiles(&FolderTiles::at(log), &trust)?);
        for report in reports {
            let whole = report.leaves() == head.checkpoint().size();
            if !report.is_sound() || !whole {
                tally.alarms.push(format!("{}: {:?}", organisation.id(), report.findings()));
            }
        }
        let payloads = organisation.verify_payloads()?;
        if !payloads.is_sound() || payloads.entries != head.checkpoint().size() {
            tally.alarms.push(format!("{}: {:?}", organisation.id(), payloads.findings));
        }
        tally.entries += payloads.entries;
        tally.payloads += payloads.sealed + payloads.public;
        tally.shredded += payloads.destroyed;
        tally.unaccounted += payloads.unaccounted;
        tally.continued += self.heads.len() as u64;
        tally.templates_destroyed += destroyed(self.scene, organisation)?;
        Ok(())
    }
}

/// How many templates of an organisation were destroyed.
fn destroyed(scene: &Scene, organisation: &Organisation<'_>) -> Result<u64, Error> {
    use vouchsafe::store::{HoldingState, SqliteStore, read};
    let store = SqliteStore::open(&scene.database())?;
    let holdings = read(&store, organisation.id(), |rows| rows.holdings(organisation.id(), None, u32::MAX))?;
    let gone = holdings
        .iter()
        .filter(|holding| holding.scope.is_some() && matches!(holding.state, HoldingState::Destroyed { .. }));
    Ok(gone.count() as u64)
}

/// A second scope, for which nobody enrols.
fn other_scope() -> Scope {
    Scope::all_biometric().find(|scope| *scope != SCOPE).unwrap()
}

fn publish_notice(organisation: &Organisation<'_>, version: u32) -> Result<Notice, Error> {
    let text = format!("Version {version}: your face template is kept until you withdraw.");
    organisation.publish_notice(draft(&version.to_string(), &text))
}

fn verify(person: &Subject<'_>, number: u32, variant: u64) -> Result<(), Failure> {
    let Outcome::Done(permit) = person.permit(SCOPE)? else { return Ok(()) };
    done(person.verify_embedding(&permit, embedding(&permit, number, variant)?))
}

fn ended(ended: Result<vouchsafe::ConsentEnded, Error>) -> Result<(), Failure> {
    finished(ended?.destruction)
}

fn done<T>(act: Result<T, Error>) -> Result<(), Failure> {
    Ok(act.map(drop)?)
}

fn all_done(destruction: Result<Destruction, Error>) -> Result<(), Failure> {
    finished(destruction?)
}

fn finished(destruction: Destruction) -> Result<(), Failure> {
    match destruction {
        Destruction::Done(_) => Ok(()),
        Destruction::Pending(left) => Err(left.cause().to_string().into()),
    }
}

/// Whether an act was refused because it is not allowed at this point, which is part of an honest history.
fn is_refusal(error: &Failure) -> bool {
    matches!(error.downcast_ref::<Error>(), Some(Error::Consent(_)))
}
