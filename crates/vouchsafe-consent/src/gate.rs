use jiff::SignedDuration;
use vouchsafe_types::{Outcome, Reasons, Refusal, Timestamp};

use crate::permit::{Binding, Consented, Permit};
use crate::{ConsentLine, ConsentStatus, LastAct, Materiality, Notice};

/// What closes the gate whatever was consented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "marks of a row; a new one must be seen by every reader")]
pub struct Marks {
    /// Processing is restricted (GDPR Art 18).
    pub restricted: bool,
    /// The person objected (GDPR Art 21).
    pub objected: bool,
    /// The person is below the age that the organisation's policy sets.
    pub minor: bool,
}

/// All that the gate judges by, as it was read in one transaction.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "what the caller forgets must not compile")]
pub struct Standing<'a> {
    /// The person's consent for one scope.
    pub line: &'a ConsentLine,
    /// The notice that the newest act answered; `None` when it is unknown, which closes the gate.
    pub given: Option<&'a Notice>,
    /// The versions of the same notice, in any locale, that were published after it, in force already or not.
    pub since: &'a [Notice],
    /// What else closes the gate.
    pub marks: Marks,
}

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

    /// Asks for a permit. It ends with its minutes of life, with the term of the consent, or when a material version
    /// of the notice comes into force, whichever is first.
    ///
    /// Returns [`Outcome::Refused`] with each of
    /// - [`Refusal::ConsentMissing`] when no act was recorded, when the scope opens no template, or when the clock is
    ///   behind the act,
    /// - [`Refusal::ConsentRefused`], [`Refusal::ConsentWithdrawn`], [`Refusal::ConsentRevoked`],
    ///   [`Refusal::ConsentInvalidated`] by the state of the line,
    /// - [`Refusal::ConsentExpired`] when the term is over, whether or not that was recorded,
    /// - [`Refusal::ConsentOutdated`] when a material version of the notice came into force since, or the notice
    ///   consented to is unknown,
    /// - [`Refusal::ProcessingRestricted`], [`Refusal::ProcessingObjected`], [`Refusal::Minor`] by the marks.
    pub fn permit(&self, standing: &Standing<'_>, now: Timestamp) -> Outcome<Permit<Consented>> {
        let mut refusals = Vec::new();
        let basis = match basis(standing, now) {
            Ok(basis) => Some(basis),
            Err(refusal) => {
                refusals.push(refusal);
                None
            }
        };
        let Marks { restricted, objected, minor } = standing.marks;
        let marks = [
            (restricted, Refusal::ProcessingRestricted),
            (objected, Refusal::ProcessingObjected),
            (minor, Refusal::Minor),
        ];
        refusals.extend(marks.into_iter().filter(|(set, _)| *set).map(|(_, refusal)| refusal));
        match (Reasons::several(refusals), basis) {
            (None, Some(act)) => Outcome::Done(self.issue(standing, act, now)),
            (Some(reasons), _) => Outcome::Refused(reasons),
            (None, None) => Outcome::Refused(Reasons::one(Refusal::ConsentMissing)),
        }
    }

    fn issue(&self, standing: &Standing<'_>, act: LastAct, now: Timestamp) -> Permit<Consented> {
        let line = standing.line;
        let material = standing.since.iter().filter(|notice| asks_again(notice, standing.given));
        let ends = material.map(Notice::effective).chain(act.expires);
        let lifetime = now.saturating_add(self.lifetime).unwrap_or(now);
        let expires = ends.fold(lifetime, Timestamp::min);
        let (organisation, subject) = (line.organisation().clone(), line.subject());
        Permit::new(Binding::new(organisation, subject, line.scope(), line.sequence(), act.notice, expires))
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIFETIME)
    }
}

/// The act that a permit may rest on.
fn basis(standing: &Standing<'_>, now: Timestamp) -> Result<LastAct, Refusal> {
    let line = standing.line;
    let act = line.last().ok_or(Refusal::ConsentMissing)?;
    if line.scope().modality().is_none() {
        return Err(Refusal::ConsentMissing);
    }
    if let Some(refusal) = closed(act.status) {
        return Err(refusal);
    }
    // A clock that went back behind the act cannot vouch for it.
    if now < act.at {
        return Err(Refusal::ConsentMissing);
    }
    if !line.is_open(now) {
        return Err(Refusal::ConsentExpired);
    }
    let given = standing.given.filter(|notice| notice.digest() == act.notice && notice.covers(line.scope()));
    let changed = |notice: &Notice| asks_again(notice, given) && notice.effective() <= now;
    if given.is_none() || standing.since.iter().any(changed) {
        return Err(Refusal::ConsentOutdated);
    }
    Ok(act)
}

/// Whether a later notice asks for consent again. Another language of the version consented to does not.
fn asks_again(later: &Notice, given: Option<&Notice>) -> bool {
    let newer = given.is_none_or(|given| {
        let translated = later.version() == given.version() && later.locale() != given.locale();
        let other = later.reference() != given.reference() && !translated;
        later.id() == given.id() && other
    });
    newer && later.materiality() == Materiality::Material
}

/// Why a state is no consent; `None` for the two that are.
pub(crate) const fn closed(status: ConsentStatus) -> Option<Refusal> {
    match status {
        ConsentStatus::Given | ConsentStatus::Renewed => None,
        ConsentStatus::Refused => Some(Refusal::ConsentRefused),
        ConsentStatus::Withdrawn => Some(Refusal::ConsentWithdrawn),
        ConsentStatus::Revoked => Some(Refusal::ConsentRevoked),
        ConsentStatus::Expired => Some(Refusal::ConsentExpired),
        ConsentStatus::Invalidated => Some(Refusal::ConsentInvalidated),
    }
}

#[cfg(test)]
mod tests;
