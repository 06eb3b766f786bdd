mod draw;
mod hear;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::process::Command as Program;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use vouchsafe::Clock;

use super::deed::{Deed, Said, Word};
use super::model::{Model, SweepEnd};
use super::person::Template;
use super::process::{Event, Process};
use super::report::Report;
use super::sight::{Acknowledged, Keepsakes, inspect};
use super::stand::{Shifted, Stand};
use crate::draws::Draws;
use crate::scene::Failure;

/// What a fault-maker does beside the clients.
#[expect(clippy::exhaustive_enums, reason = "a drill names one")]
pub enum Trouble {
    /// Nothing.
    None,
    /// Kills a service process with SIGKILL, which is started again.
    Kill,
    /// Does this, on a thread of its own; the number says which time it is.
    Outside(Box<dyn FnMut(u64) -> Result<(), Failure> + Send>),
}

/// What a drill is made of.
#[expect(clippy::exhaustive_structs, reason = "a drill names each")]
pub struct Setup {
    /// Where rows, keys and log are.
    pub stand: Stand,
    /// Starts this binary as a service.
    pub program: Box<dyn Fn() -> Program>,
    /// How many service processes there are.
    pub processes: usize,
    /// How many clients each of them has.
    pub lanes: usize,
    /// How many people there are.
    pub people: u32,
    /// How many operations are drawn.
    pub operations: u64,
    /// What they are drawn from.
    pub seed: u64,
    /// Of a hundred draws, how many are two clients at one person.
    pub contended: u64,
    /// How many times a process is started again.
    pub restarts: u64,
    /// How many times there is trouble.
    pub strikes: u64,
    /// Which.
    pub trouble: Trouble,
}

/// A drill under way.
pub struct Drive {
    setup: Setup,
    draws: Draws,
    clock: Shifted,
    model: Model,
    services: Vec<Service>,
    lives: u64,
    lanes: Vec<Lane>,
    groups: BTreeMap<u32, Group>,
    numbers: u64,
    fresh: u64,
    /// What is to be done before anything is drawn, and by which process.
    queue: VecDeque<(usize, Deed)>,
    answers: BTreeMap<u64, Option<Vec<Said>>>,
    sweeping: Option<u64>,
    published: u64,
    moves: u64,
    long_moves: u64,
    acknowledged: Vec<Acknowledged>,
    keepsakes: Keepsakes,
    strikes: Option<Sender<u64>>,
    striking: bool,
    sender: Sender<Event>,
    events: Receiver<Event>,
    report: Report,
}

struct Service {
    process: Option<Process>,
    ready: bool,
    leaving: bool,
    killed: bool,
}

#[derive(Default)]
struct Lane {
    service: usize,
    number: usize,
    job: Option<Running>,
}

#[derive(Clone, Copy)]
struct Running {
    number: u64,
    deed: Deed,
    /// Up to where the log was published when it was begun.
    published: u64,
}

/// A deed of a group; what nobody heard is no answer, and is over all the same.
struct Part {
    number: u64,
    deed: Deed,
    over: bool,
    said: Option<Vec<Said>>,
}

/// One or two deeds about one person.
struct Group {
    jobs: Vec<Part>,
    swept: Option<SweepEnd>,
}

const NOON: &str = "2026-06-01T12:00:00Z";
/// The longest silence.
const PATIENCE: Duration = Duration::from_secs(120);
/// After so many operations the clock is moved, at the least.
const EPOCH: u64 = 200;
/// How many times it is moved by a quarter of a year: the evidence of consents, with which people are forgotten, must not
/// fall due.
const LONG_MOVES: u64 = 12;
/// So many epochs of a quarter a person sleeps, so that their template falls due.
const SLEEP: u64 = 5;
/// So many findings end a drill.
const ENOUGH: usize = 20;

impl Drive {
    /// Runs a drill from an empty stand to the last comparison.
    ///
    /// # Errors
    /// Whatever stands in the way of the drill itself.
    pub fn run(setup: Setup) -> Result<Report, Failure> {
        let mut drive = Self::new(setup)?;
        drive.begin()?;
        drive.draw_all()?;
        drive.conclude()?;
        Ok(drive.report)
    }

    fn new(mut setup: Setup) -> Result<Self, Failure> {
        let (sender, events) = channel();
        let clock = Shifted::showing(NOON.parse()?);
        let strikes = match std::mem::replace(&mut setup.trouble, Trouble::None) {
            Trouble::Outside(mut strike) => {
                let (orders, struck) = (channel(), sender.clone());
                std::thread::spawn(move || {
                    for number in orders.1 {
                        let done = strike(number).map_err(|error| error.to_string());
                        if struck.send(Event::Struck(done)).is_err() {
                            break;
                        }
                    }
                });
                Some(orders.0)
            }
            other => {
                setup.trouble = other;
                None
            }
        };
        let lane =
            |number| Lane { service: number % setup.processes, number: number / setup.processes, job: None };
        Ok(Self {
            draws: Draws::seeded(setup.seed),
            model: Model::new(setup.people, clock.now()),
            clock,
            services: Vec::new(),
            lives: 0,
            lanes: (0..setup.processes * setup.lanes).map(lane).collect(),
            groups: BTreeMap::new(),
            numbers: 0,
            fresh: 1,
            queue: VecDeque::new(),
            answers: BTreeMap::new(),
            sweeping: None,
            published: 0,
            moves: 0,
            long_moves: 0,
            acknowledged: Vec::new(),
            keepsakes: Keepsakes::default(),
            strikes,
            striking: false,
            sender,
            events,
            report: Report::default(),
            setup,
        })
    }

    /// The first process makes what the others find.
    fn begin(&mut self) -> Result<(), Failure> {
        for service in 0..self.setup.processes {
            self.services.push(Service { process: None, ready: false, leaving: false, killed: false });
            self.start_service(service)?;
            self.settle_down()?;
        }
        Ok(())
    }

    fn draw_all(&mut self) -> Result<(), Failure> {
        let every = |times: u64, operations: u64| operations / (times + 1) + 1;
        let restart = every(self.setup.restarts, self.setup.operations);
        let strike = every(self.setup.strikes, self.setup.operations);
        let epoch = EPOCH.max(self.setup.operations / (LONG_MOVES * 4 / 3));
        let (mut restarts, mut strikes, mut epochs) = (0, 0, 0);
        while self.report.operations < self.setup.operations && !self.is_hopeless() {
            let begun = self.report.operations;
            if begun / epoch > epochs {
                epochs = begun / epoch;
                self.settle_down()?;
                self.move_clock()?;
                self.put(None, Deed::Sweep)?;
            }
            if begun / restart > restarts {
                restarts = begun / restart;
                self.restart(self.draws.clone().next_u64())?;
            }
            if begun / strike > strikes && strikes < self.setup.strikes && !self.striking {
                strikes += 1;
                self.strike(strikes)?;
            }
            self.draw()?;
        }
        // What is begun under the last fault comes to its end.
        while strikes < self.setup.strikes && !self.is_hopeless() {
            if !self.striking {
                strikes += 1;
                self.strike(strikes)?;
            }
            self.draw()?;
        }
        Ok(())
    }

    /// Nothing runs any more: everybody is asked by every process, and rows, keys and log are looked at.
    fn conclude(&mut self) -> Result<(), Failure> {
        self.settle_down()?;
        for _ in 0..TRIES {
            let (done, pause) = (self.ask(0, Deed::Resume)?, Duration::from_millis(250));
            if done.is_some_and(|said| said.iter().any(|said| said.word == Word::Done)) {
                self.model.all_is_destroyed();
                break;
            }
            std::thread::sleep(pause);
        }
        for service in 0..self.setup.processes {
            for person in 0..self.model.len() {
                if let Some(somebody) = self.somebody(person) {
                    let variant = match somebody.person.template {
                        Template::Live(variant) => variant,
                        _ => 0,
                    };
                    self.queue.push_back((service, Deed::Verify(person, variant)));
                }
            }
        }
        while !self.queue.is_empty() && !self.is_hopeless() {
            self.draw_queued()?;
        }
        self.settle_down()?;
        let mut sound = Vec::new();
        for _ in 0..3 {
            sound = self.ask(0, Deed::Check)?.unwrap_or_default();
            if sound.iter().all(|said| said.word == Word::Sound) {
                break;
            }
        }
        if sound.iter().any(|said| said.word != Word::Sound) || sound.is_empty() {
            self.report.leaves_differ.push(format!("log: {sound:?}"));
        }
        for service in &mut self.services {
            if let Some(mut process) = service.process.take() {
                process.leave();
                process.wait();
            }
        }
        inspect(&self.setup.stand, &self.model, &self.keepsakes, &self.acknowledged, &mut self.report)
    }

    fn is_hopeless(&self) -> bool {
        let Report { accepted_without_consent, lost, leaves_differ, .. } = &self.report;
        accepted_without_consent.len() + lost.len() + leaves_differ.len() >= ENOUGH
    }

    /// Waits for a free lane, of this process if one is named, and gives it a deed about nobody.
    fn put(&mut self, service: Option<usize>, deed: Deed) -> Result<u64, Failure> {
        loop {
            if let Some(lane) = self.free_lane(service) {
                self.start(lane, deed)?;
                return Ok(self.numbers);
            }
            self.listen()?;
        }
    }

    /// Gives a process a deed about nobody and waits for its answer.
    fn ask(&mut self, service: usize, deed: Deed) -> Result<Option<Vec<Said>>, Failure> {
        let number = self.put(Some(service), deed)?;
        loop {
            if let Some(answer) = self.answers.remove(&number) {
                return Ok(answer);
            }
            self.listen()?;
        }
    }

    fn start(&mut self, lane: usize, deed: Deed) -> Result<(), Failure> {
        self.numbers += 1;
        self.report.operations += 1;
        let (number, published) = (self.numbers, self.published);
        let lane = self.lanes.get_mut(lane).ok_or("no lane")?;
        lane.job = Some(Running { number, deed, published });
        if let Some(group) = deed.person().and_then(|person| self.groups.get_mut(&person)) {
            group.jobs.push(Part { number, deed, over: false, said: None });
        }
        if deed == Deed::Sweep {
            self.report.sweeps += 1;
            self.sweeping = Some(number);
            self.model.sweep_begins();
        }
        let process = self.services.get_mut(lane.service).and_then(|service| service.process.as_mut());
        process.ok_or("no process")?.order(self.clock.shift(), lane.number, number, deed);
        Ok(())
    }

    /// Waits until nothing runs, every process is there, and no fault is being made.
    fn settle_down(&mut self) -> Result<(), Failure> {
        while self.striking
            || self.lanes.iter().any(|lane| lane.job.is_some())
            || !self.services.iter().all(Service::takes)
        {
            self.listen()?;
        }
        Ok(())
    }

    fn listen(&mut self) -> Result<(), Failure> {
        let event = match self.events.recv_timeout(PATIENCE) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let running: Vec<_> = self.lanes.iter().filter_map(|lane| lane.job).collect();
                let deeds: Vec<_> = running.iter().map(|job| job.deed.to_string()).collect();
                return Err(format!("nothing is heard any more; under way: {}", deeds.join(", ")).into());
            }
        };
        match event {
            Event::Ready { life } => {
                if let Some(service) = self.service_of(life).and_then(|own| self.services.get_mut(own)) {
                    service.ready = true;
                }
            }
            Event::Said { life, number, said } => {
                let own = self.service_of(life);
                let lane = self.lanes.iter_mut().find(|lane| {
                    Some(lane.service) == own && lane.job.is_some_and(|job| job.number == number)
                });
                if let Some(job) = lane.and_then(|lane| lane.job.take()) {
                    self.answered(job, Some(said));
                }
            }
            Event::Ended { life } => {
                if let Some(service) = self.service_of(life) {
                    self.ended(service)?;
                }
            }
            Event::Struck(done) => {
                self.striking = false;
                done?;
            }
        }
        Ok(())
    }

    fn service_of(&self, life: u64) -> Option<usize> {
        let own = |service: &Service| service.process.as_ref().is_some_and(|process| process.life == life);
        self.services.iter().position(own)
    }

    /// A process is gone, with what it had begun; the next one begins.
    fn ended(&mut self, number: usize) -> Result<(), Failure> {
        let Some(service) = self.services.get_mut(number) else { return Ok(()) };
        if !service.leaving && !service.killed {
            return Err("a process ended by itself".into());
        }
        service.process = None;
        let cut: Vec<Running> = self
            .lanes
            .iter_mut()
            .filter(|lane| lane.service == number)
            .filter_map(|lane| lane.job.take())
            .collect();
        cut.into_iter().for_each(|job| self.answered(job, None));
        self.report.restarts += 1;
        self.start_service(number)
    }

    fn start_service(&mut self, number: usize) -> Result<(), Failure> {
        self.lives += 1;
        let mut program = (self.setup.program)();
        self.setup.stand.tell(&mut program);
        let process = Process::start(program, self.lives, self.clock.shift(), self.sender.clone())?;
        if let Some(service) = self.services.get_mut(number) {
            *service = Service { process: Some(process), ready: false, leaving: false, killed: false };
        }
        Ok(())
    }

    /// Lets a process end when it has answered, while the other goes on.
    fn restart(&mut self, drawn: u64) -> Result<(), Failure> {
        let number = usize::try_from(drawn % self.setup.processes as u64)?;
        let Some(service) = self.services.get_mut(number).filter(|service| service.takes()) else {
            return Ok(());
        };
        service.leaving = true;
        while self.lanes.iter().any(|lane| lane.service == number && lane.job.is_some()) {
            self.draw()?;
        }
        let process = self.services.get_mut(number).and_then(|service| service.process.as_mut());
        process.into_iter().for_each(Process::leave);
        Ok(())
    }

    fn strike(&mut self, number: u64) -> Result<(), Failure> {
        self.report.faults += 1;
        if let Some(strikes) = &self.strikes {
            self.striking = true;
            strikes.send(number)?;
            return Ok(());
        }
        if matches!(self.setup.trouble, Trouble::Kill) {
            let victim = usize::try_from(self.draws.below(self.setup.processes as u64))?;
            // In the midst of what its clients do.
            std::thread::sleep(Duration::from_millis(self.draws.below(15)));
            if let Some(service) = self.services.get_mut(victim) {
                service.killed = true;
                service.process.iter_mut().for_each(Process::kill);
            }
        }
        Ok(())
    }

    /// Moves the clock while nothing runs: by a quarter now and then, so that something falls due.
    fn move_clock(&mut self) -> Result<(), Failure> {
        const HOUR: i64 = 3600 * 1_000_000;
        self.moves += 1;
        let long = self.long_moves < LONG_MOVES && !self.moves.is_multiple_of(4);
        self.long_moves += u64::from(long);
        let hours = if long { 91 * 24 } else { 1 + i64::try_from(self.draws.below(48))? };
        self.clock.set(self.clock.shift() + hours * HOUR);
        while self.model.is_near_a_deadline(self.clock.now()) {
            self.clock.set(self.clock.shift() + HOUR);
        }
        self.model.moved_to(self.clock.now());
        if self.moves.is_multiple_of(3) {
            self.keepsakes.take(&self.setup.stand)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Kill => "Kill",
            Self::Outside(_) => "Outside",
        })
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("stand", &self.stand).field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("setup", &self.setup).finish_non_exhaustive()
    }
}

impl Service {
    /// Whether it takes orders.
    const fn takes(&self) -> bool {
        self.ready && !self.leaving && !self.killed
    }
}

/// How many times a destruction is resumed before it is given up.
const TRIES: u32 = 40;
