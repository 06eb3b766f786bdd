use vouchsafe::{Consented, Image, Permit, Vouchsafe};

pub fn control(service: &Vouchsafe, permit: &Permit<Consented>, picture: Image) {
    let _ = service.capture(permit, picture);
}
// OFFENCE E0061
pub fn offence(service: &Vouchsafe, picture: Image) {
    let _ = service.capture(picture);
}
// END
