use super::deed::Deed;
use super::person::{Person, Status, Template};
use crate::draws::Draws;

/// What may be done with somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Somebody {
    pub(super) number: u32,
    pub(super) person: Person,
    /// A variant of the face that was never enrolled before.
    pub(super) fresh: u64,
}

impl Somebody {
    /// The face that opens the template, or any.
    const fn own(&self) -> u64 {
        match self.person.template {
            Template::Live(variant) => variant,
            _ => 0,
        }
    }

    fn verify(&self) -> Deed {
        Deed::Verify(self.number, self.own())
    }

    /// A deed of one client.
    pub(super) fn deed(&self, draws: &mut Draws) -> Deed {
        let Self { number, person, fresh } = *self;
        let drawn = draws.below(100);
        if person.restricted {
            return match drawn {
                ..55 => Deed::Lift(number),
                55..75 => self.verify(),
                75..83 => Deed::Enrol(number, fresh),
                83..90 => Deed::Withdraw(number),
                90..95 => Deed::Consent(number),
                _ => Deed::Erase(number),
            };
        }
        match (person.status, person.template) {
            (Status::Open, Template::Live(_)) => match drawn {
                ..50 => self.verify(),
                50..64 => Deed::Verify(number, fresh),
                64..74 => Deed::Withdraw(number),
                74..84 => Deed::Consent(number),
                84..88 => Deed::Enrol(number, fresh),
                88..94 => Deed::Restrict(number),
                _ => Deed::Erase(number),
            },
            (Status::Open, _) => match drawn {
                ..60 => Deed::Enrol(number, fresh),
                60..74 => self.verify(),
                74..82 => Deed::Withdraw(number),
                82..90 => Deed::Consent(number),
                90..95 => Deed::Restrict(number),
                _ => Deed::Erase(number),
            },
            _ => match drawn {
                ..70 => Deed::Join(number, fresh),
                70..78 => Deed::Consent(number),
                78..89 => self.verify(),
                89..94 => Deed::Withdraw(number),
                94..97 => Deed::Restrict(number),
                _ => Deed::Erase(number),
            },
        }
    }

    /// Deeds of two clients at the same time, of which at least one changes what the other sees.
    pub(super) fn pair(&self, draws: &mut Draws) -> (Deed, Deed) {
        let Self { number, person, fresh } = *self;
        let (verify, withdraw, erase) = (self.verify(), Deed::Withdraw(number), Deed::Erase(number));
        let drawn = draws.below(10);
        if person.restricted {
            return (Deed::Lift(number), if drawn < 6 { verify } else { Deed::Restrict(number) });
        }
        match (person.status, person.template) {
            (Status::Open, Template::Live(_)) => match drawn {
                0..=2 => (verify, withdraw),
                3 => (Deed::Consent(number), withdraw),
                4 => (verify, Deed::Restrict(number)),
                5 => (erase, verify),
                6 => (withdraw, withdraw),
                7 => (Deed::Consent(number), verify),
                8 => (erase, withdraw),
                _ => (verify, Deed::Verify(number, fresh)),
            },
            (Status::Open, _) => match drawn {
                0..=4 => (Deed::Enrol(number, fresh), withdraw),
                5..=6 => (Deed::Enrol(number, fresh), Deed::Enrol(number, fresh + 1)),
                7 => (Deed::Enrol(number, fresh), Deed::Consent(number)),
                8 => (Deed::Enrol(number, fresh), Deed::Restrict(number)),
                _ => (Deed::Enrol(number, fresh), Deed::Verify(number, fresh)),
            },
            _ => match drawn {
                0..=3 => (Deed::Join(number, fresh), withdraw),
                4..=5 => (Deed::Join(number, fresh), Deed::Join(number, fresh + 1)),
                6 => (Deed::Join(number, fresh), erase),
                7 => (Deed::Join(number, fresh), Deed::Restrict(number)),
                _ => (Deed::Join(number, fresh), Deed::Verify(number, fresh)),
            },
        }
    }
}
