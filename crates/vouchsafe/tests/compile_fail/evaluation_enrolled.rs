use vouchsafe::consent::{Basis, Evaluation};
use vouchsafe::{Consented, LiveFace, Permit, Subject};

pub fn control(person: &Subject<'_>, permit: &Permit<Consented>, face: LiveFace<Consented>) {
    let _ = person.enrol(permit, face);
}
pub fn evaluation_is_a_basis() -> impl Fn() {
    fn basis<B: Basis>() {}
    basis::<Evaluation>
}
// OFFENCE E0308
pub fn offence(person: &Subject<'_>, permit: &Permit<Consented>, face: LiveFace<Evaluation>) {
    let _ = person.enrol(permit, face);
}
// END
