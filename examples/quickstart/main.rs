//! The whole life of one person's face template, on real photographs: `cargo run --example quickstart`.
//!
//! Every step runs the real thing: ONNX models, AES-256-GCM, SQLite on disk, a signed transparency log. It works in
//! a temporary folder, removes it at the end, and exits with an error if a step does not hold.
#![expect(clippy::print_stdout, reason = "a program that shows what it does")]

mod recapture;
mod show;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::ToSpan;
use show::Show;
use vouchsafe::consent::{AttestedBy, ExpressionKind, NoticeDraft};
use vouchsafe::keys::OsEntropy;
use vouchsafe::ledger::verify_receipt;
use vouchsafe::types::Secret;
use vouchsafe::{
    Act, Approver, Consented, Decision, Destruction, DestructionCertificate, EnrolmentReceipt, FaceEngine,
    Image, Limits, ModelSet, Notice, Organisation, Outcome, Pace, Permit, Ports, Scope, Subject, Timestamp,
    Unexplained, VirtualClock, Vouchsafe,
};

/// Memory that is given back is wiped first; the library cannot choose this, a program can.
#[global_allocator]
static ALLOCATOR: vouchsafe_alloc::WipingAllocator = vouchsafe_alloc::WipingAllocator::system();

const NOTICE: &str = "We measure your face and store a protected template of it, encrypted.\n\
                      We use it to recognise you, and for nothing else.\n\
                      We keep it until you withdraw, or for 3 years after your last visit.\n\
                      You can withdraw at any time, with one call.\n\
                      By ticking the box you sign this release.";
const SCHEDULE: &str = "Face templates: at withdrawal, at the latest 3 years after the last visit.";
const SCOPE: Scope = Scope::FACE_VERIFICATION;

type Step<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Step {
    let begun = Instant::now();
    // A crash must not write keys and pictures to a file; the library cannot choose this, a program can.
    vouchsafe::pages::disable_core_dumps()?;
    let folder = tempfile::tempdir()?;
    let result = run(folder.path());
    folder.close()?;
    result?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("\nquickstart=ok seconds={seconds:.2} peak_mib={}", show::peak_mib());
    Ok(())
}

fn run(folder: &Path) -> Step {
    let (live, backup, stolen) = (folder.join("live"), folder.join("backup"), folder.join("stolen"));
    let mut show = Show::new();
    let engine = show.timed("load the five face models and check their digests", || {
        Ok((Arc::new(FaceEngine::load(&ModelSet::bundled()?)?), String::new()))
    })?;
    let clock = Arc::new(VirtualClock::starting_at(Timestamp::now()));
    let officer = Approver::from_seed("privacy-officer", &Secret::random(&OsEntropy::new())?)?;
    let open = |dir: &Path| -> Step<Vouchsafe> {
        let mut ports = Ports::in_folder(dir)?.with_engine(Arc::clone(&engine)).with_clock(clock.clone());
        // By default nobody may approve a destruction.
        ports.approvers.push(officer.key().clone());
        Ok(Vouchsafe::open_with(ports))
    };

    let service = open(&live)?;
    let organisation = service.organisation("example-org")?;
    let notice = show.timed("publish the notice", || publish(&organisation))?;
    let person = organisation.subject("customer-4711")?;
    show.timed("give consent: one person, face × end user × verification", || consent(&person, &notice))?;
    let enrolment =
        show.timed("enrol from obama.jpg", || enrol(&service, &person, &picture("obama.jpg")?))?;
    let other = organisation.subject("customer-4712")?;
    consent(&other, &notice)?;
    show.timed("enrol somebody else from astronaut.png", || {
        enrol(&service, &other, &picture("astronaut.png")?)
    })?;

    show.timed("verify the same person from obama2.jpg", || {
        verify(&service, &person, "obama2.jpg", Expect::Accepted)
    })?;
    show.timed("verify another person from biden.jpg", || {
        verify(&service, &person, "biden.jpg", Expect::Rejected)
    })?;
    show.timed("judge a photograph of a photograph (simulated from astronaut.png)", || {
        judge_recapture(&service, &other)
    })?;
    show.timed("prove that the enrolment is in the log, offline", || prove(&organisation, &enrolment))?;

    show.timed("copy the database (a backup), and the keys too (a thief)", || {
        show::copy_folder(&live.join("data"), &backup)?;
        show::copy_folder(&live, &stolen)?;
        Ok(((), "keys never belong in a backup; the thief takes them anyway".into()))
    })?;
    let late_permit = person.permit(SCOPE)?.or_refuse()?;
    show.timed("withdraw consent and destroy the template: one call", || withdraw(&person, &enrolment))?;
    show.timed("verify after the withdrawal, with a permit from before it", || {
        verify_with(&service, &person, &late_permit, "obama2.jpg", Expect::Rejected)
    })?;
    drop(service);

    show.timed("restore the backup beside the live keys", || {
        show::replace_folder(&backup, &live.join("data"))?;
        restored(&open(&live)?)
    })?;
    show.timed("the thief opens database and keys of before the withdrawal", || thief(&open(&stolen)?))?;
    show.timed("three years and a day pass; what is due is planned, approved and destroyed", || {
        clock.advance(3.years().days(1))?;
        swept(&open(&live)?, &officer)
    })
}

fn publish(organisation: &Organisation<'_>) -> Step<(Notice, String)> {
    let draft = NoticeDraft::new("face-verification", "2026-04-01", "en", NOTICE.as_bytes())
        .covers(SCOPE)
        .collected("We measure your face and store a protected template of it, encrypted.")
        .purpose("We use it to recognise you, and for nothing else.")
        .until_destroyed("We keep it until you withdraw, or for 3 years after your last visit.")
        .release("By ticking the box you sign this release.", [ExpressionKind::Checkbox])
        .schedule(SCHEDULE.as_bytes())
        .material(AttestedBy::PrivacyOfficer);
    let notice = organisation.publish_notice(draft)?;
    let digest = notice.digest().to_string();
    Ok((notice, format!("SHA-256 of the bytes shown: {}…", &digest[..16])))
}

fn consent(person: &Subject<'_>, notice: &Notice) -> Step<((), String)> {
    if let Outcome::Done(_) = person.permit(SCOPE)? {
        return Err("a permit before consent".into());
    }
    let served = person.serve_notice(SCOPE, notice)?;
    let ticked = Act::checkbox().attesting_age(18);
    let receipt = person.give_consent(served.ticket(), ticked)?.or_refuse()?;
    let entry = receipt.receipt().entry();
    Ok(((), format!("log entry {entry}: shown, then given; before that, the gate refused")))
}

fn enrol(service: &Vouchsafe, person: &Subject<'_>, picture: &[u8]) -> Step<(EnrolmentReceipt, String)> {
    let permit = person.permit(SCOPE)?.or_refuse()?;
    let face = service.capture(&permit, Image::decode(picture, &Limits::default())?)?.or_refuse()?;
    let assurance = face.assurance();
    let receipt = person.enrol(&permit, face)?.or_refuse()?;
    let entry = receipt.receipt().entry();
    Ok((receipt, format!("log entry {entry}; assurance of a still: {assurance:?}")))
}

#[derive(PartialEq)]
enum Expect {
    Accepted,
    Rejected,
}

fn verify(service: &Vouchsafe, person: &Subject<'_>, file: &str, expect: Expect) -> Step<((), String)> {
    let permit = person.permit(SCOPE)?.or_refuse()?;
    verify_with(service, person, &permit, file, expect)
}

fn verify_with(
    service: &Vouchsafe,
    person: &Subject<'_>,
    permit: &Permit<Consented>,
    file: &str,
    expect: Expect,
) -> Step<((), String)> {
    let face = service.capture(permit, Image::decode(&picture(file)?, &Limits::default())?)?.or_refuse()?;
    match (person.verify(permit, face)?, expect) {
        (Decision::Accepted(_), Expect::Accepted) => Ok(((), "accepted".into())),
        (Decision::Rejected(reasons), Expect::Rejected) => Ok(((), format!("rejected: {reasons}"))),
        _ => Err("an unexpected decision".into()),
    }
}

/// Whatever the verdict honestly is: it is shown, not expected.
fn judge_recapture(service: &Vouchsafe, person: &Subject<'_>) -> Step<((), String)> {
    let permit = person.permit(SCOPE)?.or_refuse()?;
    let simulated = recapture::of(&picture("astronaut.png")?)?;
    let verdict = match service.capture(&permit, Image::decode(&simulated, &Limits::default())?)? {
        Outcome::Done(_) => "taken for live: a passive judge of one still can be fooled".into(),
        Outcome::Refused(reasons) => format!("refused: {reasons}"),
    };
    Ok(((), verdict))
}

fn prove(organisation: &Organisation<'_>, enrolment: &EnrolmentReceipt) -> Step<((), String)> {
    let receipt = enrolment.receipt();
    let proof = organisation.prove(receipt.entry())?;
    let (key, origin) = (organisation.verifier_key()?, organisation.log_origin()?);
    // From here on only public values: proof, entry, verifier key.
    let checkpoint = verify_receipt(&proof, receipt.leaf(), &key, &origin)?;
    if !receipt.is_consistent() || !organisation.verify_log()?.is_sound() {
        return Err("the log does not verify".into());
    }
    Ok(((), format!("entry {} is in the signed tree of {}", receipt.entry(), checkpoint.size())))
}

fn withdraw(person: &Subject<'_>, enrolment: &EnrolmentReceipt) -> Step<((), String)> {
    let Destruction::Done(certificates) = person.withdraw(SCOPE)?.destruction else {
        return Err("the destruction is pending".into());
    };
    let [certificate] = certificates.as_slice() else { return Err("one certificate was expected".into()) };
    if !certificate.is_about(enrolment) {
        return Err("the certificate is about another enrolment".into());
    }
    let (entry, strength) = (certificate.destruction_entry(), certificate.strength());
    Ok(((), format!("certificate names log entry {entry}; erasure strength: {strength}")))
}

fn restored(service: &Vouchsafe) -> Step<((), String)> {
    let organisation = service.organisation("example-org")?;
    let person = organisation.subject("customer-4711")?;
    if person.permit(SCOPE).is_ok() {
        return Err("a restored database was used before its recovery".into());
    }
    let recovery =
        organisation.recover(Unexplained::Refused)?.ok_or("the restored database was not recognised")?;
    if recovery.destroyed != 1 || person.permit(SCOPE)?.done().is_some() {
        return Err("the destroyed template came back".into());
    }
    verify(service, &organisation.subject("customer-4712")?, "astronaut.png", Expect::Accepted)?;
    Ok((
        (),
        format!(
            "refused until recovered; gap of entries {}..{} named in the log; destroyed stays destroyed, \
             the other opens",
            recovery.gap_from, recovery.gap_to
        ),
    ))
}

fn thief(service: &Vouchsafe) -> Step<((), String)> {
    let organisation = service.organisation("example-org")?;
    verify(service, &organisation.subject("customer-4711")?, "obama2.jpg", Expect::Accepted)?;
    Ok(((), "opens everything, the destroyed template too: a key file is erased on this host only".into()))
}

fn swept(service: &Vouchsafe, officer: &Approver) -> Step<((), String)> {
    let organisation = service.organisation("example-org")?;
    let plan = organisation.plan_retention()?;
    let due = plan.items().len();
    let approval = officer.approve(&plan)?;
    let Destruction::Done(certificates) = organisation.run_plan(plan, &[&approval], Pace::default())? else {
        return Err("the destruction is pending".into());
    };
    let template = certificates.iter().find(|certificate| certificate.enrolment_entry().is_some());
    let (rule, clause) = template.and_then(DestructionCertificate::rule).ok_or("no template was swept")?;
    let permit = organisation.subject("customer-4712")?.permit(SCOPE)?.or_refuse()?;
    match verify_with(
        service,
        &organisation.subject("customer-4712")?,
        &permit,
        "astronaut.png",
        Expect::Rejected,
    ) {
        Ok(_) => Ok(((), format!("{due} holdings were due, the other template by rule {rule} ({clause})"))),
        Err(error) => Err(error),
    }
}

fn picture(name: &str) -> Step<Vec<u8>> {
    Ok(std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name))?)
}
