use vouchsafe::Consented;
use vouchsafe::consent::Evaluation;
use vouchsafe::embed::FaceEmbedding;
use vouchsafe::template::{TemplateKey, protect};

pub fn control(key: &TemplateKey, embedding: FaceEmbedding<Consented>) {
    let _ = protect(key, embedding);
}
pub type Unstored = FaceEmbedding<Evaluation>;
// OFFENCE E0308
pub fn offence(key: &TemplateKey, embedding: FaceEmbedding<Evaluation>) {
    let _ = protect(key, embedding);
}
// END
