use vouchsafe::{Consented, FaceEngine, LiveFace, Permit, Timestamp};

pub fn control(engine: &FaceEngine, permit: &Permit<Consented>, face: LiveFace<Consented>, now: Timestamp) {
    let _ = engine.embed(permit, face, now);
}
// OFFENCE E0061
pub fn offence(engine: &FaceEngine, face: LiveFace<Consented>, now: Timestamp) {
    let _ = engine.embed(face, now);
}
// END
