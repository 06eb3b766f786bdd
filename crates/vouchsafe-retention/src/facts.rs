use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role, Timestamp};

use crate::{RetentionError, Trigger};

/// What is known of one record: its class, whose it is, and what happened when.
///
/// ```
/// use vouchsafe_retention::{Facts, PersonalAct, Policy};
/// use vouchsafe_types::{DataClass, Modality, Role};
///
/// let verified = "2024-02-29T10:00:00Z".parse()?;
/// let facts = Facts::new(DataClass::Biometric, Some(Modality::Face), Role::EndUser)?
///     .acted(PersonalAct::Verified, verified);
/// let deadline = Policy::default_notices()?.resolve(&facts)?;
/// assert_eq!(deadline.due(), Some("2027-02-28T10:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    class: DataClass,
    modality: Option<Modality>,
    role: Role,
    events: BTreeMap<Trigger, Timestamp>,
    places: BTreeSet<Jurisdiction>,
    frozen: bool,
}

impl Facts {
    /// A record to which nothing has happened yet.
    ///
    /// # Errors
    /// [`RetentionError::Modality`] when biometric data has no modality, or other data has one.
    pub const fn new(
        class: DataClass,
        modality: Option<Modality>,
        role: Role,
    ) -> Result<Self, RetentionError> {
        if modality.is_some() == matches!(class, DataClass::Biometric) {
            Ok(Self {
                class,
                modality,
                role,
                events: BTreeMap::new(),
                places: BTreeSet::new(),
                frozen: false,
            })
        } else {
            Err(RetentionError::Modality)
        }
    }

    /// The person acted; the latest act counts.
    pub fn acted(mut self, act: PersonalAct, at: Timestamp) -> Self {
        // INVARIANT (interaction): the only way to set the last interaction, and it takes a person's act.
        let (PersonalAct::ConsentGiven
        | PersonalAct::Enrolled
        | PersonalAct::RightExercised
        | PersonalAct::SignedIn
        | PersonalAct::Verified) = act;
        self.events.entry(Trigger::LastInteraction).and_modify(|last| *last = at.max(*last)).or_insert(at);
        self
    }

    /// The account was deleted.
    pub fn account_deleted(self, at: Timestamp) -> Self {
        self.first(Trigger::AccountDeletion, at)
    }

    /// The record was made.
    pub fn created(self, at: Timestamp) -> Self {
        self.first(Trigger::Creation, at)
    }

    /// The organisation learned that the person is a minor.
    pub fn learned_minor(self, at: Timestamp) -> Self {
        self.first(Trigger::LearnedMinor, at)
    }

    /// The way of signing in that used the template was disabled.
    pub fn method_disabled(self, at: Timestamp) -> Self {
        self.first(Trigger::MethodDisabled, at)
    }

    /// The purpose of the collection was met.
    pub fn purpose_met(self, at: Timestamp) -> Self {
        self.first(Trigger::PurposeMet, at)
    }

    /// The person withdrew the consent that the record rests on.
    pub fn withdrawn(self, at: Timestamp) -> Self {
        self.first(Trigger::Withdrawal, at)
    }

    /// The person lives or lived here while the record was held. Places add up: moving away takes no law back.
    ///
    /// Where no place is stated, every law of the policy applies.
    pub fn residing(mut self, place: Jurisdiction) -> Self {
        self.places.insert(place);
        self
    }

    /// An open rights request rests on the record: it is not destroyed before the request is answered.
    pub fn frozen(self) -> Self {
        Self { frozen: true, ..self }
    }

    /// What happens once counts from its first time: a repeated withdrawal does not postpone anything.
    fn first(mut self, trigger: Trigger, at: Timestamp) -> Self {
        self.events.entry(trigger).and_modify(|first| *first = at.min(*first)).or_insert(at);
        self
    }

    /// The class of the record.
    pub const fn class(&self) -> DataClass {
        self.class
    }

    /// What was measured, of biometric data.
    pub const fn modality(&self) -> Option<Modality> {
        self.modality
    }

    /// In which capacity the person is known.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Where the person lives or lived; empty when that is not known.
    pub const fn places(&self) -> &BTreeSet<Jurisdiction> {
        &self.places
    }

    /// Whether an open rights request rests on the record.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Whether a clause of this place applies: everywhere, to whom lives there, or because nobody knows.
    pub(crate) fn live_under(&self, jurisdiction: Option<Jurisdiction>) -> bool {
        let here = |law: Jurisdiction| self.places.iter().any(|place| law.contains(*place));
        jurisdiction.is_none_or(|law| self.places.is_empty() || here(law))
    }

    /// When something happened; `None` when it has not.
    pub fn instant_of(&self, trigger: Trigger) -> Option<Timestamp> {
        self.events.get(&trigger).copied()
    }
}

/// An act of the person, the only kind of event that extends a period of inactivity.
///
/// Jobs, imports, look-ups and administrators' acts are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PersonalAct {
    /// Gave or renewed consent.
    ConsentGiven,
    /// Enrolled.
    Enrolled,
    /// Asked for something they have a right to.
    RightExercised,
    /// Signed in.
    SignedIn,
    /// Presented themselves for verification.
    Verified,
}

impl PersonalAct {
    /// Every act, in the order of its code.
    pub const ALL: [Self; 5] =
        [Self::ConsentGiven, Self::Enrolled, Self::RightExercised, Self::SignedIn, Self::Verified];

    /// The stable code used in rows, from 1; 0 there means that no act is known.
    pub const fn code(self) -> u8 {
        match self {
            Self::ConsentGiven => 1,
            Self::Enrolled => 2,
            Self::RightExercised => 3,
            Self::SignedIn => 4,
            Self::Verified => 5,
        }
    }
}
