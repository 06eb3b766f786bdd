/// The limits of the passive rule.
///
/// Scores are the model's probability of 'live', `[0, 1]`, higher is more live. The defaults were chosen on 45
/// pictures of 6 people and reported on others: [`passive_judge`](crate::passive_judge) has the tables. A limit
/// that is not a number fails every comparison it takes part in, so it leads to 'undecided'.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PassivePolicy {
    /// Live needs both scores at or above this, `[0, 1]`. Default 0.5, where the model's two classes meet.
    pub live_from: f32,
    /// An attack needs both scores below this, `[0, 1]`. Default 0.4; from here to `live_from` is undecided.
    pub attack_below: f32,
    /// Live needs at least this much fine detail, in grey levels. Default 0.35.
    ///
    /// Strong compression or blur removes what the model looks for: one real attack scored live at 0.32. The
    /// least of the 45 pictures was 0.36.
    pub least_detail: f32,
    /// An attack needs at most this much fine detail, in grey levels. Default 1.5.
    ///
    /// Noise and sharpening make the model refuse genuine faces. The two real attacks have 1.0 and 1.2.
    pub most_detail: f32,
}

impl Default for PassivePolicy {
    fn default() -> Self {
        Self { live_from: 0.5, attack_below: 0.4, least_detail: 0.35, most_detail: 1.5 }
    }
}
