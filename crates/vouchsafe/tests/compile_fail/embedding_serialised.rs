pub type Secret = vouchsafe::embed::FaceEmbedding<vouchsafe::Consented>;
pub fn control(_: &Secret) {}
// OFFENCE E0277
fn needs<T: serde::Serialize>() {}
pub fn offence() {
    needs::<Secret>();
}
// END
