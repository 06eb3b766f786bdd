use vouchsafe::{Consented, Image, Permit, Vouchsafe};

pub fn control(service: &Vouchsafe, permit: &Permit<Consented>, picture: Image) {
    let _ = service.capture(permit, picture);
}
// OFFENCE E0382
pub fn offence(service: &Vouchsafe, permit: &Permit<Consented>, picture: Image) {
    let _ = service.capture(permit, picture);
    let _ = service.capture(permit, picture);
}
// END
