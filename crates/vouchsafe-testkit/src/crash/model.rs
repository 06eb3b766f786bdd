use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use vouchsafe::Timestamp;
use vouchsafe::consent::ConsentStatus;

use super::deed::{Command, Deed, Said};

/// Where a person's newest template stands, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the drill matches every state on purpose")]
pub enum Template {
    /// Nothing was ever enrolled.
    Absent,
    /// It opens.
    Live,
    /// Its key is destroyed.
    Destroyed,
}

/// What must be true of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the drill compares every part on purpose")]
pub struct Person {
    /// The number of times that the notice was shown.
    pub served: u64,
    /// The number of acts of consent.
    pub sequence: u64,
    /// Where the newest act of consent led.
    pub status: Option<ConsentStatus>,
    /// The number of enrolments, which is also the variant of the newest enrolled face.
    pub enrolments: u64,
    /// The newest template.
    pub template: Template,
    /// When the person last acted.
    pub last_act: Timestamp,
}

impl Person {
    /// Whether consent is in force.
    pub fn given(&self) -> bool {
        self.status.is_some_and(ConsentStatus::is_open)
    }

    /// After the notice was shown, which is the first of the two acts of a consent.
    const fn shown(self, now: Timestamp) -> Self {
        // Being shown something is no act of one's own; it only makes a stranger known.
        let last_act = if self.served == 0 { now } else { self.last_act };
        Self { served: self.served + 1, last_act, ..self }
    }

    /// After the act that follows the showing.
    fn consented(self, now: Timestamp) -> Self {
        let status = if self.given() { ConsentStatus::Renewed } else { ConsentStatus::Given };
        Self { sequence: self.sequence + 1, status: Some(status), last_act: now, ..self }
    }
}

/// What must be true after everything that was acknowledged.
#[derive(Debug, Clone)]
pub struct Model {
    people: Vec<Person>,
    now: Timestamp,
    verifications: u64,
    refusals: u64,
    swept: Option<Timestamp>,
    /// Entries of receipts, by number.
    pub(super) receipts: Vec<(u64, Vec<u8>)>,
    /// Entries of certified destructions.
    pub(super) destructions: Vec<u64>,
    /// The log as it was last seen.
    pub(super) log: Vec<Vec<u8>>,
}

impl Model {
    /// A model of people who have not acted yet.
    pub fn new(people: u32, now: Timestamp) -> Self {
        let stranger = Person {
            served: 0,
            sequence: 0,
            status: None,
            enrolments: 0,
            template: Template::Absent,
            last_act: Timestamp::MIN,
        };
        Self {
            people: (0..people).map(|_| stranger).collect(),
            now,
            verifications: 0,
            refusals: 0,
            swept: None,
            receipts: Vec::new(),
            destructions: Vec::new(),
            log: Vec::new(),
        }
    }

    /// The people, by number.
    pub fn people(&self) -> impl Iterator<Item = (u32, Person)> {
        (0u32..).zip(self.people.iter().copied())
    }

    /// One person.
    pub fn person(&self, person: u32) -> Option<Person> {
        usize::try_from(person).ok().and_then(|person| self.people.get(person)).copied()
    }

    /// The instant of the newest command.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many verifications left an entry in the log.
    pub const fn verifications(&self) -> u64 {
        self.verifications
    }

    /// How many permits were refused, each of which left an entry in the log.
    pub const fn refusals(&self) -> u64 {
        self.refusals
    }

    /// A person of whose consent only the showing was stored, as the command would leave them half-way.
    pub(super) fn shown_only(&self, command: Command) -> Option<(u32, Person)> {
        let Deed::Consent(number) = command.deed else { return None };
        self.person(number).map(|person| (number, person.shown(command.at)))
    }

    /// The instant of the newest sweep that the model has carried out.
    pub const fn swept(&self) -> Option<Timestamp> {
        self.swept
    }

    /// Carries out a command in the model and gives the verdict that the call must return.
    pub fn apply(&mut self, command: Command) -> &'static str {
        self.now = command.at;
        match command.deed {
            Deed::Sweep => {
                let now = self.now;
                self.swept = Some(now);
                for person in self.people.iter_mut().filter(|person| is_due(person, now)) {
                    person.template = Template::Destroyed;
                }
                "done"
            }
            Deed::Resume => "done",
            deed => self.apply_to_one(deed),
        }
    }

    fn apply_to_one(&mut self, deed: Deed) -> &'static str {
        let now = self.now;
        let place = deed.person().and_then(|person| usize::try_from(person).ok());
        let Some(person) = place.and_then(|place| self.people.get_mut(place)) else { return "nobody" };
        match deed {
            Deed::Consent(_) => {
                *person = person.shown(now).consented(now);
                "given"
            }
            Deed::Enrol(_, variant) if person.given() && person.template != Template::Live => {
                *person = Person { enrolments: variant, template: Template::Live, last_act: now, ..*person };
                "enrolled"
            }
            Deed::Verify(_, variant) if person.given() => {
                self.verifications += 1;
                if person.template == Template::Live && variant == person.enrolments {
                    person.last_act = now;
                    return "accepted";
                }
                "rejected"
            }
            Deed::Withdraw(_) | Deed::Erase(_) if person.given() => {
                let status = Some(ConsentStatus::Withdrawn);
                *person = Person { sequence: person.sequence + 1, status, ..*person };
                if person.template == Template::Live {
                    person.template = Template::Destroyed;
                }
                "done"
            }
            Deed::Withdraw(_) => "nothing",
            Deed::Erase(_) => "done",
            Deed::Enrol(..) | Deed::Verify(..) => {
                // With consent there was a permit, and only the template stood in the way.
                self.refusals += u64::from(!person.given());
                "refused"
            }
            Deed::Sweep | Deed::Resume => "refused",
        }
    }

    /// Takes in what the process said about a call that the model has carried out.
    pub fn acknowledge(&mut self, said: Said) {
        self.receipts.extend(said.receipt);
        self.destructions.extend(said.destroyed);
    }

    /// Takes over what was found of the call that was not acknowledged.
    pub(super) fn observe(&mut self, person: u32, found: Person) {
        let place = usize::try_from(person).ok().and_then(|place| self.people.get_mut(place));
        place.into_iter().for_each(|person| *person = found);
    }

    /// Time has gone on to this instant, whatever became of the call that was made then.
    pub(super) fn observe_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// So many verifications and refused permits are in the log.
    pub(super) const fn observe_attempts(&mut self, verifications: u64, refusals: u64) {
        self.verifications = verifications;
        self.refusals = refusals;
    }
}

/// Whether a template has lain for a year without an act of its person: of all the rules the strictest, which counts
/// where nobody says where people live, and the only one that ends a template in this drill.
fn is_due(person: &Person, now: Timestamp) -> bool {
    let last = person.last_act.to_zoned_datetime(TimeZone::UTC);
    let due = last.checked_add(1.year());
    person.template == Template::Live && due.is_ok_and(|due| due.timestamp() <= now)
}
