use jiff::SignedDuration;
use vouchsafe_types::{Outcome, Reasons, Refusal, Timestamp};

use crate::permit::{Binding, Consented, Permit};
use crate::{ConsentLine, ConsentState, Notice};

/// The only maker of a [`Permit<Consented>`](Permit).
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    lifetime: SignedDuration,
}

impl Gate {
    /// The life of a permit by default: 5 minutes.
    pub const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
    /// The longest life of a permit: 15 minutes.
    pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

    /// A gate whose permits live for this long, clamped to 1 second ..= [`Self::MAX_LIFETIME`].
    pub fn new(lifetime: SignedDuration) -> Self {
        Self { lifetime: lifetime.clamp(SignedDuration::from_secs(1), Self::MAX_LIFETIME) }
    }

    /// Asks for a permit.
    ///
    /// `in_force` is the newest version of the notice that the person consented to; a changed notice closes the
    /// gate until consent is renewed.
    ///
    /// Returns [`Outcome::Refused`] with
    /// - [`Refusal::ConsentMissing`] when no act was recorded, or when the scope opens no template,
    /// - [`Refusal::ConsentWithdrawn`] after a withdrawal,
    /// - [`Refusal::ConsentOutdated`] when the bytes of the notice changed since.
    pub fn permit(
        &self,
        line: &ConsentLine,
        in_force: &Notice,
        now: Timestamp,
    ) -> Outcome<Permit<Consented>> {
        let refuse = |refusal| Outcome::Refused(Reasons::one(refusal));
        if line.scope().modality().is_none() {
            return refuse(Refusal::ConsentMissing);
        }
        match line.state() {
            ConsentState::Absent => refuse(Refusal::ConsentMissing),
            ConsentState::Withdrawn { .. } => refuse(Refusal::ConsentWithdrawn),
            ConsentState::Given { notice, .. } if notice != in_force.digest() => {
                refuse(Refusal::ConsentOutdated)
            }
            // A clock that went back behind the act cannot vouch for it.
            ConsentState::Given { at, .. } if now < at => refuse(Refusal::ConsentMissing),
            ConsentState::Given { .. } => Outcome::Done(self.issue(line, now)),
        }
    }

    fn issue(&self, line: &ConsentLine, now: Timestamp) -> Permit<Consented> {
        let expires = now.saturating_add(self.lifetime).unwrap_or(now);
        let (organisation, subject) = (line.organisation().clone(), line.subject());
        Permit::new(Binding::new(organisation, subject, line.scope(), line.sequence(), expires))
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_types::{OrganisationId, Scope, SubjectPseudonym};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn line(scope: Scope) -> ConsentLine {
        ConsentLine::absent(
            OrganisationId::parse("acme").unwrap(),
            SubjectPseudonym::from_bytes([1; 32]),
            scope,
        )
    }

    fn notice(text: &[u8]) -> Notice {
        Notice::new("face", "1", "en", text).unwrap()
    }

    fn refused_with(outcome: Outcome<Permit<Consented>>, refusal: Refusal) -> bool {
        outcome.or_refuse().is_err_and(|reasons| reasons.contains(refusal))
    }

    /// Promise: WB-11-consent-first
    #[test]
    fn no_permit_without_a_live_grant_of_this_scope() {
        let (gate, shown) = (Gate::default(), notice(b"shown"));
        let absent = line(Scope::FACE_VERIFICATION);
        assert!(refused_with(gate.permit(&absent, &shown, at(10)), Refusal::ConsentMissing));

        let given = absent.give(&shown, at(10)).unwrap();
        let permit = gate.permit(&given, &shown, at(11)).or_refuse().unwrap();
        assert_eq!(permit.binding().sequence(), 1);
        assert!(permit.is_live(at(11 + 299)));
        assert!(!permit.is_live(at(11 + 300)), "five minutes, not one second more");

        assert!(refused_with(gate.permit(&given, &notice(b"changed"), at(12)), Refusal::ConsentOutdated));
        assert!(refused_with(gate.permit(&given, &shown, at(9)), Refusal::ConsentMissing), "clock set back");
        let withdrawn = given.withdraw(at(20)).unwrap();
        assert!(refused_with(gate.permit(&withdrawn, &shown, at(21)), Refusal::ConsentWithdrawn));
    }

    #[test]
    fn acts_are_ordered_and_counted() {
        let shown = notice(b"shown");
        let given = line(Scope::FACE_VERIFICATION).give(&shown, at(10)).unwrap();
        assert_eq!(given.give(&shown, at(9)), Err(crate::ConsentError::BackDated));
        let renewed = given.give(&shown, at(11)).unwrap();
        assert_eq!(renewed.sequence(), 2);
        let withdrawn = renewed.withdraw(at(12)).unwrap();
        assert_eq!(withdrawn.withdraw(at(13)), Err(crate::ConsentError::NothingToWithdraw));
        assert_eq!(withdrawn.give(&shown, at(14)).unwrap().sequence(), 4);
    }
}
