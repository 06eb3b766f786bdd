use vouchsafe::{Consented, Permit};

pub fn control(permit: Permit<Consented>) -> Permit<Consented> {
    permit
}
// OFFENCE E0277
fn needs_clone<T: Clone>(_: T) {}
pub fn offence(permit: Permit<Consented>) {
    needs_clone(permit);
}
// END
