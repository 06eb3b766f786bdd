use vouchsafe::{Consented, Permit};

pub fn control(permit: Permit<Consented>) -> Permit<Consented> {
    permit
}
// OFFENCE E0451
pub fn offence(permit: Permit<Consented>) -> Permit<Consented> {
    Permit { basis: std::marker::PhantomData, ..permit }
}
// END
