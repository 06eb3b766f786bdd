//! Synthetic people: what each will do, drawn from a seed.

use vouchsafe_retention::Authority;
use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

/// Seconds since the simulation began.
pub(crate) type Second = u32;

pub(crate) const NEVER: Second = u32::MAX;
pub(crate) const DAY: Second = 86_400;

/// What is held of everybody.
pub(crate) const CLASSES: [DataClass; 4] =
    [DataClass::Biometric, DataClass::ConsentEvidence, DataClass::Account, DataClass::VerificationLog];

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) number: u32,
    pub(crate) modality: Modality,
    pub(crate) role: Role,
    pub(crate) enrolled: Second,
    /// From one act to the next, until the person stops.
    pub(crate) rhythm: Second,
    pub(crate) stops: Second,
    pub(crate) withdrawn: Second,
    pub(crate) deleted: Second,
    pub(crate) minor: Second,
    pub(crate) purpose_met: Second,
    pub(crate) disabled: Second,
    /// Where the person lives from when on.
    pub(crate) homes: Box<[(Second, Jurisdiction)]>,
    pub(crate) cases: Box<[Case]>,
}

/// A hold, and when its release becomes known, which is when it is released.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) authority: Authority,
    pub(crate) class: Option<DataClass>,
    pub(crate) placed: Second,
    pub(crate) expires: Second,
    pub(crate) released: Second,
}

impl Person {
    /// Draws a life that begins within `span` seconds.
    pub(crate) fn draw(number: u32, seed: u64, span: Second) -> Self {
        let mut dice = Dice(seed ^ (u64::from(number) << 20) ^ 0x5851_f42d_4c95_7f2d);
        let enrolled = dice.below(span);
        let later = |dice: &mut Dice, percent: u32| match dice.below(100) < percent {
            true => enrolled.saturating_add(dice.below(6 * 365 * DAY)),
            false => NEVER,
        };
        let user = dice.below(10) > 0;
        let deleted = later(&mut dice, 20);
        let lapses = enrolled.saturating_add(dice.below(8 * 365 * DAY));
        let rhythm = [3, 14, 45, 120, 400][dice.below(5) as usize] * DAY + dice.below(DAY);
        Self {
            number,
            modality: if user || dice.below(2) == 0 { Modality::Face } else { Modality::Voice },
            role: if user { Role::EndUser } else { Role::Administrator },
            enrolled,
            rhythm,
            stops: lapses.min(deleted),
            withdrawn: later(&mut dice, 12),
            deleted,
            minor: later(&mut dice, 1),
            purpose_met: later(&mut dice, 8),
            disabled: if user { NEVER } else { later(&mut dice, 25) },
            homes: homes(&mut dice, enrolled),
            cases: cases(&mut dice, enrolled),
        }
    }

    /// The last act up to `now`.
    pub(crate) fn last_act(&self, now: Second) -> Second {
        let until = now.min(self.stops).saturating_sub(self.enrolled);
        self.enrolled + until / self.rhythm * self.rhythm
    }

    /// When something happens that the executor is told of at once; acts are not.
    pub(crate) fn news(&self) -> impl Iterator<Item = Second> {
        let once = [self.enrolled, self.withdrawn, self.deleted, self.minor, self.purpose_met, self.disabled];
        let homes = self.homes.iter().map(|(from, _)| *from).filter(|from| *from > self.enrolled);
        let cases = self.cases.iter().flat_map(|case| [case.placed, case.released]);
        once.into_iter().chain(homes).chain(cases).filter(|at| *at != NEVER)
    }
}

fn homes(dice: &mut Dice, enrolled: Second) -> Box<[(Second, Jurisdiction)]> {
    let moves = match dice.below(20) {
        0 | 1 => return Box::default(),
        2 => 2,
        3..=5 => 1,
        _ => 0,
    };
    let mut from = enrolled;
    let mut homes = Vec::with_capacity(moves + 1);
    for _ in 0..=moves {
        homes.push((from, Jurisdiction::ALL[dice.below(9) as usize]));
        from = from.saturating_add(dice.below(5 * 365 * DAY)).min(NEVER - 1);
    }
    homes.into()
}

fn cases(dice: &mut Dice, enrolled: Second) -> Box<[Case]> {
    let count = match dice.below(50) {
        0 => 1 + dice.below(2),
        _ => 0,
    };
    let case = |_| {
        let placed = enrolled.saturating_add(dice.below(6 * 365 * DAY)).min(NEVER - 2);
        let mut lasting = |percent| match dice.below(100) < percent {
            true => placed.saturating_add(DAY + dice.below(4 * 365 * DAY)).min(NEVER - 1),
            false => NEVER,
        };
        let (expires, released) = (lasting(50), lasting(50));
        let class = Some(DataClass::Biometric).filter(|_| dice.below(3) == 0);
        Case { authority: Authority::ALL[dice.below(5) as usize], class, placed, expires, released }
    };
    (0..count).map(case).collect()
}

/// A splitmix generator: repeatable, and no more than that.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `limit`.
    fn below(&mut self, limit: u32) -> u32 {
        let share = (u128::from(self.next()) * u128::from(limit)) >> 64;
        u32::try_from(share).unwrap_or(0)
    }
}
