use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use vouchsafe::consent::ConsentError;
use vouchsafe::ledger::{ActorRole, EntryKind, Leaf};
use vouchsafe::types::Refusal;
use vouchsafe::{
    Act, Consented, Decision, Destruction, Error, Notice, Organisation, Outcome, Permit, Reasons, Receipt,
    Subject, Vouchsafe,
};

use super::deed::{Deed, Said, Step, Word};
use super::stand::{Shifted, Stand};
use crate::scene::{Failure, ORGANISATION, SCOPE, approved_sweep, caller_id, embedding, notice};

/// Set in a process that is a service.
pub const FOLDER: &str = "VOUCHSAFE_TRAFFIC_FOLDER";

/// Serves if this process was started as a service, until its input ends; says whether it was.
///
/// # Panics
/// When the stand cannot be opened, or the input is not of the drill.
#[expect(clippy::expect_used, reason = "a service that does not serve fails the drill")]
pub fn is_service(lanes: usize) -> bool {
    let Some(stand) = Stand::told() else { return false };
    serve(&stand, lanes, std::io::stdin().lock(), std::io::stdout()).expect("the service serves");
    true
}

/// How long a service tries to open what it needs, which may be down.
const PATIENCE: Duration = Duration::from_secs(60);

fn serve(stand: &Stand, lanes: usize, input: impl BufRead, output: impl Write + Send) -> Result<(), Failure> {
    let mut lines = input.lines();
    let clock = Arc::new(Shifted::by(lines.next().ok_or("no clock")??.parse()?));
    let output = Mutex::new(output);
    let say = |line: String| {
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        // One write a line, so that a kill cannot cut it. Nobody listens to whom the drill gave up.
        let _ = output.write_all(format!("\n> {line}\n").as_bytes());
        let _ = output.flush();
    };
    let vouchsafe = patiently(|| Ok(Vouchsafe::open_with(stand.ports(Arc::clone(&clock))?)))?;
    let organisation = patiently(|| Ok(vouchsafe.organisation(ORGANISATION)?))?;
    let notice = patiently(|| Ok(notice(&organisation)?))?;
    say("ready".to_owned());
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..lanes {
            let (sender, orders) = channel();
            let (organisation, notice, say) = (&organisation, &notice, &say);
            scope.spawn(move || work(organisation, notice, &orders, say));
            threads.push(sender);
        }
        for line in lines {
            let line = line?;
            let (shift, rest) = line.split_once(' ').ok_or("no shift")?;
            let (lane, rest) = rest.split_once(' ').ok_or("no lane")?;
            let (number, deed) = rest.split_once(' ').ok_or("no number")?;
            clock.set(shift.parse()?);
            let lane = threads.get(lane.parse::<usize>()?).ok_or("no such lane")?;
            lane.send((number.parse()?, deed.parse()?)).map_err(|_| "the lane ended")?;
        }
        Ok(())
    })
}

fn patiently<T>(open: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    let begun = Instant::now();
    loop {
        match open() {
            Err(_) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(50)),
            opened => return opened,
        }
    }
}

fn work(
    organisation: &Organisation<'_>,
    notice: &Notice,
    orders: &Receiver<(u64, Deed)>,
    say: &impl Fn(String),
) {
    for (number, deed) in orders {
        let mut said = Vec::new();
        let done = catch_unwind(AssertUnwindSafe(|| perform(organisation, notice, deed, &mut said)));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => said.push(Word::Failed(error.is_retryable(), format!("{error:?}")).into()),
            Err(_) => said.push(Word::Failed(false, "panic".to_owned()).into()),
        }
        let words: Vec<String> = said.iter().map(Said::to_string).collect();
        say(format!("said {number} {}", words.join(" ")));
    }
}

fn perform(
    organisation: &Organisation<'_>,
    notice: &Notice,
    deed: Deed,
    said: &mut Vec<Said>,
) -> Result<(), Error> {
    let Some(person) = deed.person() else {
        said.push(perform_for_all(organisation, deed)?);
        return Ok(());
    };
    let subject = organisation.subject(&caller_id(person))?;
    let (mut ticket, mut permit) = (None, None);
    for step in deed.steps() {
        let answer = match step {
            Step::Serve => {
                ticket = Some(subject.serve_notice(SCOPE, notice)?.ticket());
                Word::Served.into()
            }
            Step::Give => match ticket {
                Some(ticket) => give(&subject, ticket)?,
                None => return Ok(()),
            },
            Step::Permit => match subject.permit(SCOPE)? {
                Outcome::Refused(_) => Word::Closed.into(),
                Outcome::Done(given) => {
                    let sequence = given.binding().sequence();
                    permit = Some(given);
                    Word::Permitted(sequence).into()
                }
            },
            Step::Enrol(variant) => match &permit {
                Some(permit) => enrol(&subject, permit, person, variant)?,
                None => return Ok(()),
            },
            Step::Verify(variant) => match &permit {
                Some(permit) => verify(&subject, permit, person, variant)?,
                None => return Ok(()),
            },
            Step::Withdraw => withdraw(&subject)?,
            Step::Erase => destroyed(&subject.erase()?),
            Step::Restrict => subject.restrict(ActorRole::Administrator).map(|()| Word::Marked.into())?,
            Step::Lift => subject.lift_restriction(ActorRole::Administrator).map(|()| Word::Lifted.into())?,
        };
        let ends = matches!(answer.word, Word::Closed | Word::Late | Word::Stale);
        said.push(answer);
        if ends {
            break;
        }
    }
    Ok(())
}

fn perform_for_all(organisation: &Organisation<'_>, deed: Deed) -> Result<Said, Error> {
    Ok(match deed {
        Deed::Publish => Word::Published(organisation.publish_log()?.checkpoint().size()).into(),
        Deed::Sweep => {
            let swept = match organisation.sweep() {
                Err(Error::Retention(_)) => approved_sweep(organisation)?,
                swept => swept?,
            };
            match &swept {
                // A process that was killed may still hold the lease: this one did nothing.
                Destruction::Pending(left) if left.elsewhere_until().is_some() => {
                    Word::Failed(true, "Elsewhere".to_owned()).into()
                }
                swept => destroyed(swept),
            }
        }
        Deed::Check => {
            let published = organisation.publish_log()?.checkpoint().size();
            let (log, payloads) = (organisation.verify_log()?, organisation.verify_payloads()?);
            if log.is_sound() && payloads.is_sound() && log.leaves() == published {
                Word::Sound.into()
            } else {
                let why = format!("{published} published: {log:?} {payloads:?}");
                Word::Failed(false, why).into()
            }
        }
        _ => destroyed(&organisation.resume_destructions()),
    })
}

fn give(subject: &Subject<'_>, ticket: vouchsafe::types::TicketId) -> Result<Said, Error> {
    Ok(match subject.give_consent(ticket, Act::checkbox().attesting_age(18)) {
        Ok(Outcome::Done(receipt)) => {
            let kind = Leaf::from_bytes(receipt.receipt().leaf()).map(|leaf| leaf.kind);
            let renewed = kind.is_ok_and(|kind| kind == EntryKind::ConsentRenewed);
            received(if renewed { Word::Renewed } else { Word::Given }, receipt.receipt())
        }
        Ok(Outcome::Refused(_)) => Word::Closed.into(),
        Err(Error::Consent(ConsentError::ServedStale)) => Word::Stale.into(),
        Err(Error::Consent(ConsentError::BackDated)) => Word::Late.into(),
        Err(error) => return Err(error),
    })
}

fn enrol(
    subject: &Subject<'_>,
    permit: &Permit<Consented>,
    person: u32,
    variant: u64,
) -> Result<Said, Error> {
    Ok(match subject.enrol_embedding(permit, embedding(permit, person, variant)?)? {
        Outcome::Done(receipt) => received(Word::Enrolled, receipt.receipt()),
        Outcome::Refused(reasons) => refused(&reasons).into(),
    })
}

fn verify(
    subject: &Subject<'_>,
    permit: &Permit<Consented>,
    person: u32,
    variant: u64,
) -> Result<Said, Error> {
    Ok(match subject.verify_embedding(permit, embedding(permit, person, variant)?)? {
        Decision::Accepted(_) => Word::Accepted,
        Decision::Rejected(reasons) | Decision::Undecided(reasons) => refused(&reasons),
    }
    .into())
}

fn withdraw(subject: &Subject<'_>) -> Result<Said, Error> {
    Ok(match subject.withdraw(SCOPE) {
        Ok(ended) => {
            let mut said = received(Word::Done, ended.receipt.receipt());
            said.word = destroyed(&ended.destruction).word;
            said
        }
        Err(Error::Consent(ConsentError::NothingToWithdraw)) => Word::Nothing.into(),
        Err(error) => return Err(error),
    })
}

/// What stood in the way.
fn refused(reasons: &Reasons) -> Word {
    match reasons.as_slice().first() {
        Some(Refusal::AlreadyEnrolled) => Word::Taken,
        Some(Refusal::NoMatch) => Word::Unlike,
        Some(Refusal::NotEnrolled) => Word::Absent,
        Some(Refusal::TemplateDestroyed) => Word::Gone,
        _ => Word::Closed,
    }
}

fn received(word: Word, receipt: &Receipt) -> Said {
    Said { word, entries: vec![receipt.entry()] }
}

fn destroyed(destruction: &Destruction) -> Said {
    match destruction {
        Destruction::Done(certificates) => {
            let entries = certificates.iter().map(|certificate| certificate.destruction_entry()).collect();
            Said { word: Word::Done, entries }
        }
        Destruction::Pending(_) => Word::Pending.into(),
    }
}
