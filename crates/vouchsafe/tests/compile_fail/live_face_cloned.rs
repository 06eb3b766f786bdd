pub type Secret = vouchsafe::LiveFace<vouchsafe::Consented>;
pub fn control(_: &Secret) {}
// OFFENCE E0277
fn needs<T: Clone>() {}
pub fn offence() {
    needs::<Secret>();
}
// END
