use vouchsafe::{Consented, LiveFace, Permit, Subject};

pub fn control(person: &Subject<'_>, permit: &Permit<Consented>, face: LiveFace<Consented>) {
    let _ = person.enrol(permit, face);
}
// OFFENCE E0382
pub fn offence(person: &Subject<'_>, permit: &Permit<Consented>, face: LiveFace<Consented>) {
    let _ = person.enrol(permit, face);
    let _ = person.verify(permit, face);
}
// END
