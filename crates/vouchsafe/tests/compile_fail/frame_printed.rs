pub type Secret = vouchsafe::Image;
pub fn control(_: &Secret) {}
// OFFENCE E0277
fn needs<T: std::fmt::Display>() {}
pub fn offence() {
    needs::<Secret>();
}
// END
