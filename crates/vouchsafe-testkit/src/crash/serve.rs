use std::io::{BufRead, Write};
use std::path::Path;

use vouchsafe::consent::ConsentError;
use vouchsafe::{Decision, Destruction, Error, Notice, Organisation, Outcome, Receipt, Subject};

use super::deed::{Answer, Command, Deed, Said};
use crate::scene::{Failure, ORGANISATION, SCOPE, Scene, approved_sweep, caller_id, embedding, give, notice};

/// Opens a folder and carries out the commands that come in, one a line, until there are none.
///
/// The first line is the instant at which the folder is opened. Every answer is flushed before the process goes on.
///
/// # Errors
/// When the folder cannot be opened, a line cannot be read, or an answer cannot be written.
pub fn serve(folder: &Path, input: impl BufRead, mut output: impl Write) -> Result<(), Failure> {
    let mut say = |answer: Answer| -> Result<(), Failure> {
        // One write a line, so that the kill cannot cut it.
        output.write_all(format!("{answer}\n").as_bytes())?;
        Ok(output.flush()?)
    };
    let mut lines = input.lines();
    let now = lines.next().ok_or("no instant")??;
    let scene = Scene::new(folder, now.parse()?);
    say(Answer::Opening)?;
    let vouchsafe = scene.open()?;
    let organisation = vouchsafe.organisation(ORGANISATION)?;
    let notice = notice(&organisation)?;
    say(Answer::Ready)?;
    for (number, line) in lines.enumerate() {
        let command: Command = line?.parse()?;
        scene.clock().set(command.at);
        say(Answer::Begun(number))?;
        say(match perform(&organisation, &notice, command.deed) {
            Ok(said) => Answer::Acknowledged(number, said),
            Err(error) => Answer::Failed(number, error.to_string()),
        })?;
    }
    Ok(())
}

/// Makes one call.
pub(super) fn perform(organisation: &Organisation<'_>, notice: &Notice, deed: Deed) -> Result<Said, Error> {
    let subject = |person| organisation.subject(&caller_id(person));
    match deed {
        Deed::Consent(person) => {
            let receipt = give(&subject(person)?, SCOPE, notice)?;
            Ok(received("given", receipt.receipt()))
        }
        Deed::Enrol(person, variant) => enrol(&subject(person)?, person, variant),
        Deed::Verify(person, variant) => verify(&subject(person)?, person, variant),
        Deed::Withdraw(person) => match subject(person)?.withdraw(SCOPE) {
            Ok(withdrawal) => {
                let receipt = received("", withdrawal.receipt.receipt()).receipt;
                Ok(Said { receipt, ..destroyed(&withdrawal.destruction) })
            }
            Err(Error::Consent(ConsentError::NothingToWithdraw)) => Ok(said("nothing")),
            Err(error) => Err(error),
        },
        Deed::Erase(person) => Ok(destroyed(&subject(person)?.erase()?)),
        Deed::Sweep => match organisation.sweep() {
            Err(Error::Retention(_)) => Ok(destroyed(&approved_sweep(&organisation)?)),
            swept => Ok(destroyed(&swept?)),
        },
        Deed::Resume => Ok(destroyed(&organisation.resume_destructions())),
    }
}

fn enrol(subject: &Subject<'_>, person: u32, variant: u64) -> Result<Said, Error> {
    let Outcome::Done(permit) = subject.permit(SCOPE)? else { return Ok(said("refused")) };
    Ok(match subject.enrol_embedding(&permit, embedding(&permit, person, variant)?)? {
        Outcome::Done(receipt) => received("enrolled", receipt.receipt()),
        Outcome::Refused(_) => said("refused"),
    })
}

fn verify(subject: &Subject<'_>, person: u32, variant: u64) -> Result<Said, Error> {
    let Outcome::Done(permit) = subject.permit(SCOPE)? else { return Ok(said("refused")) };
    Ok(said(match subject.verify_embedding(&permit, embedding(&permit, person, variant)?)? {
        Decision::Accepted(_) => "accepted",
        Decision::Rejected(_) => "rejected",
        Decision::Undecided(_) => "undecided",
    }))
}

fn said(verdict: &str) -> Said {
    Said { verdict: verdict.to_owned(), receipt: None, destroyed: Vec::new() }
}

fn received(verdict: &str, receipt: &Receipt) -> Said {
    Said { receipt: Some((receipt.entry(), receipt.leaf().to_vec())), ..said(verdict) }
}

fn destroyed(destruction: &Destruction) -> Said {
    match destruction {
        Destruction::Done(certificates) => {
            let destroyed = certificates.iter().map(|certificate| certificate.destruction_entry()).collect();
            Said { destroyed, ..said("done") }
        }
        Destruction::Pending(_) => said("pending"),
    }
}
