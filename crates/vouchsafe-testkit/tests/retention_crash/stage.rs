//! The folder that is copied for every kill, and the work that is interrupted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::ToSpan;
use vouchsafe::ledger::ActorRole;
use vouchsafe::retention::disclosure::LegalBasis;
use vouchsafe::retention::rights::{IdentityProof, RequestKind};
use vouchsafe::retention::{Authority, Policy, RecipientId};
use vouchsafe::types::{DataClass, FactField, FreeText, Jurisdiction};
use vouchsafe::{Destruction, HoldRequest, Organisation, Outcome, Residence, Subject, Timestamp, Vouchsafe};
use vouchsafe_testkit::scene::{
    ORGANISATION, SCOPE, Scene, approved_sweep, caller_id, embedding, give, notice,
};

pub(crate) const PEOPLE: u32 = 16;
const BEGIN: &str = "2026-06-01T12:00:00Z";
/// The file that says on which day after the beginning a folder was left.
const DAYS: &str = "days";
const DPO: ActorRole = ActorRole::Administrator;
/// A processor that keeps account data, so that a deletion orders it to delete them, and a period for what has none.
const OWN: &str = "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n\
    [organisation]\nname = \"Acme\"\naddress = \"1 Street\"\nemail = \"privacy@acme.example\"\nminimum_age = \"18\"\n\
    regions = \"eu\"\nstore_region = \"eu\"\n\
    [[recipient]]\nid = \"host\"\nname = \"Host\"\nkind = \"processor\"\nregion = \"eu\"\npurpose = \"hosting\"\n\
    classes = \"account, billing\"\ndocument = \"dpa-1\"\nconfidential = \"yes\"\ndelete_within = \"30 days\"\n";

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// The sweep in which the templates are due, three years after everybody was last seen.
    Templates,
    /// The sweep in which the evidence of that is due, seven years later.
    Evidence,
    Erase {
        person: u32,
    },
}

impl Work {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Templates => "sweep of templates:",
            Self::Evidence => "sweep of evidence:",
            Self::Erase { .. } => "deletion:",
        }
    }

    pub(crate) const fn is_deletion(self) -> bool {
        matches!(self, Self::Erase { .. })
    }

    /// As one word for a process, and back.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Templates => "templates".to_owned(),
            Self::Evidence => "evidence".to_owned(),
            Self::Erase { person } => person.to_string(),
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "templates" => Some(Self::Templates),
            "evidence" => Some(Self::Evidence),
            person => Some(Self::Erase { person: person.parse().ok()? }),
        }
    }

    /// What is due when it is done.
    const fn class(self) -> DataClass {
        match self {
            Self::Evidence => DataClass::ConsentEvidence,
            Self::Templates | Self::Erase { .. } => DataClass::Biometric,
        }
    }
}

fn after(days: i64) -> Timestamp {
    let begin: Timestamp = BEGIN.parse().unwrap();
    begin.checked_add((days * 24).hours()).unwrap()
}

/// Opens a folder at the instant at which it was left.
pub(crate) fn open(folder: &Path) -> Vouchsafe {
    let days = fs::read_to_string(folder.join(DAYS)).unwrap();
    open_at(&Scene::new(folder, after(days.parse().unwrap())))
}

fn open_at(scene: &Scene) -> Vouchsafe {
    let mut ports = scene.ports().unwrap();
    // The clock stands still, and the lease of whoever was killed would not end.
    ports.lease = Duration::ZERO;
    ports.retention = Policy::from_packs(&[Policy::shipped_packs(), vec![OWN]].concat()).unwrap();
    ports.residence = Residence::as_stated(&ports.retention);
    Vouchsafe::open_with(ports)
}

/// Does the work.
pub(crate) fn perform(folder: &Path, work: Work) {
    let vouchsafe = open(folder);
    work_in(&vouchsafe.organisation(ORGANISATION).unwrap(), work);
}

/// Ends what a killed process began of it. Nobody asks again for a deletion whose transaction was committed: its job has
/// to see it through.
pub(crate) fn finish(folder: &Path, work: Work, is_begun: bool) {
    if !is_begun || matches!(work, Work::Templates | Work::Evidence) {
        return perform(folder, work);
    }
    let vouchsafe = open(folder);
    vouchsafe.organisation(ORGANISATION).unwrap().resume_jobs().unwrap();
}

pub(crate) fn work_in(organisation: &Organisation<'_>, work: Work) {
    match work {
        Work::Templates | Work::Evidence => {
            // What ends sets the period of the evidence of it going.
            while !organisation.plan_retention().unwrap().items().is_empty() {
                done(&approved_sweep(organisation).unwrap());
            }
            done(&organisation.sweep().unwrap());
        }
        Work::Erase { person } => {
            done(&organisation.subject(&caller_id(person)).unwrap().erase().unwrap());
        }
    }
}

fn done(destruction: &Destruction) {
    assert!(matches!(destruction, Destruction::Done(_)), "{destruction:?}");
}

/// Lets the years pass with a sweep every three weeks, until what a work destroys is due.
pub(crate) fn wait_for(folder: &Path, work: Work) {
    for days in (21..).step_by(21) {
        fs::write(folder.join(DAYS), days.to_string()).unwrap();
        let vouchsafe = open(folder);
        let organisation = vouchsafe.organisation(ORGANISATION).unwrap();
        let plan = organisation.plan_retention().unwrap();
        if plan.items().iter().filter(|item| item.class() == work.class()).count() > 4 {
            return;
        }
        work_in(&organisation, Work::Templates);
    }
}

/// People in different places with everything that can be held about them.
pub(crate) fn build(folder: &Path) {
    let scene = Scene::new(folder, BEGIN.parse().unwrap());
    let vouchsafe = open_at(&scene);
    let organisation = vouchsafe.organisation(ORGANISATION).unwrap();
    let _policy = organisation.activate_policy().unwrap();
    let notice = notice(&organisation).unwrap();
    for number in 0..PEOPLE {
        let person = organisation.subject(&caller_id(number)).unwrap();
        give(&person, SCOPE, &notice).unwrap();
        let Outcome::Done(permit) = person.permit(SCOPE).unwrap() else { panic!("no permit") };
        let face = embedding(&permit, number, 1).unwrap();
        assert!(matches!(person.enrol_embedding(&permit, face).unwrap(), Outcome::Done(_)));
        live(&organisation, &person, number);
        scene.clock().advance(1.hour()).unwrap();
    }
    fs::write(folder.join(DAYS), "20").unwrap();
}

fn live(organisation: &Organisation<'_>, person: &Subject<'_>, number: u32) {
    let places = [Jurisdiction::Eu, Jurisdiction::UsIl, Jurisdiction::Elsewhere];
    let place = places.into_iter().nth(number as usize % 3).unwrap();
    person.lives_in(place, DPO).unwrap();
    if number.is_multiple_of(2) {
        let host = RecipientId::parse("host").unwrap();
        let text = |text: &str| FreeText::parse(text).unwrap();
        person.record_fact(FactField::Name, &text("A. Person"), DPO).unwrap();
        person.record_fact(FactField::PasswordHash, &text("$2b$12$abcdefghijklmnopqrstuv"), DPO).unwrap();
        let disclosed = person.disclose(&host, LegalBasis::Processor, &[DataClass::Account]).unwrap();
        assert!(disclosed.is_ok(), "{disclosed:?}");
    }
    if number.is_multiple_of(4) {
        let id = person.request(RequestKind::Know).unwrap();
        let verified =
            person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::SignedIn, now));
        assert!(verified.is_ok(), "{verified:?}");
        person.restrict(DPO).unwrap();
    }
    if number == 7 {
        done(&person.purpose_met(SCOPE, DPO).unwrap());
    }
    if number.is_multiple_of(5) {
        let hold = HoldRequest {
            matter: "case-26-104",
            authority: Authority::Warrant,
            subject: Some(person),
            class: None,
            expires: None,
            requested_by: "counsel",
            approved_by: "dpo",
        };
        organisation.place_hold(&hold).unwrap();
    }
}
