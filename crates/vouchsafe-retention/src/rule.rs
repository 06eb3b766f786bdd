use vouchsafe_types::{DataClass, Modality, Role};

use crate::{Facts, Period};

/// What one clause says about keeping or destroying one class of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) pack: String,
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) role: Option<Role>,
    pub(crate) trigger: Trigger,
    pub(crate) kind: RuleKind,
    pub(crate) period: Option<Period>,
    pub(crate) bounds: Option<(Period, Period)>,
    pub(crate) clause: String,
    pub(crate) says: String,
    pub(crate) confidence: Confidence,
}

impl Rule {
    /// The rule's own name, unique in a policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pack it comes from.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// The class it is about.
    pub const fn class(&self) -> DataClass {
        self.class
    }

    /// The only modality it is about; `None` for any.
    pub const fn modality(&self) -> Option<Modality> {
        self.modality
    }

    /// The only role it is about; `None` for any.
    pub const fn role(&self) -> Option<Role> {
        self.role
    }

    /// What starts its period.
    pub const fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// Whether it says by when, or until when.
    pub const fn kind(&self) -> RuleKind {
        self.kind
    }

    /// How long; `None` where the source does not say and the organisation has not said.
    pub const fn period(&self) -> Option<Period> {
        self.period
    }

    /// The least and the most an organisation may set; `None` when the period is fixed.
    pub const fn bounds(&self) -> Option<(Period, Period)> {
        self.bounds
    }

    /// The sections of the source.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What they say, in our own words.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// Whether the source is confirmed; a rule whose source is not decides nothing.
    pub const fn confidence(&self) -> Confidence {
        self.confidence
    }

    pub(crate) fn covers(&self, facts: &Facts) -> bool {
        let modality = self.modality.is_none() || self.modality == facts.modality();
        let role = self.role.is_none_or(|role| role == facts.role());
        self.is_enabled() && self.class == facts.class() && modality && role
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.confidence == Confidence::Confirmed
    }

    /// How many of modality and role it names.
    pub(crate) fn specificity(&self) -> u8 {
        u8::from(self.modality.is_some()) + u8::from(self.role.is_some())
    }
}

/// What starts a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Trigger {
    /// The account was deleted.
    AccountDeletion,
    /// The record was made.
    Creation,
    /// The person acted for the last time.
    LastInteraction,
    /// The organisation learned that the person is a minor.
    LearnedMinor,
    /// The way of signing in that used the template was disabled.
    MethodDisabled,
    /// The purpose of the collection was met.
    PurposeMet,
    /// The person withdrew consent.
    Withdrawal,
}

impl Trigger {
    /// Every trigger, by name.
    pub const ALL: [Self; 7] = [
        Self::AccountDeletion,
        Self::Creation,
        Self::LastInteraction,
        Self::LearnedMinor,
        Self::MethodDisabled,
        Self::PurposeMet,
        Self::Withdrawal,
    ];

    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountDeletion => "account_deletion",
            Self::Creation => "creation",
            Self::LastInteraction => "last_interaction",
            Self::LearnedMinor => "learned_minor",
            Self::MethodDisabled => "method_disabled",
            Self::PurposeMet => "purpose_met",
            Self::Withdrawal => "withdrawal",
        }
    }

    /// The words for explanations, as in "three years after …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::AccountDeletion => "the account was deleted",
            Self::Creation => "the record was made",
            Self::LastInteraction => "the person's last interaction",
            Self::LearnedMinor => "the organisation learned that the person is a minor",
            Self::MethodDisabled => "the sign-in method was disabled",
            Self::PurposeMet => "the purpose was met",
            Self::Withdrawal => "consent was withdrawn",
        }
    }
}

/// Whether a rule bounds from above or from below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a bound is upper or lower")]
pub enum RuleKind {
    /// Destroyed by then; the earliest wins.
    Ceiling,
    /// Kept until then; the latest wins.
    Floor,
}

impl RuleKind {
    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ceiling => "ceiling",
            Self::Floor => "floor",
        }
    }
}

/// How well a rule's source is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Confidence {
    /// The text itself was read.
    Confirmed,
    /// Only secondary sources were; the rule is listed and decides nothing.
    Unconfirmed,
}

impl Confidence {
    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// The name of a modality in packs.
pub(crate) const fn modality_name(modality: Modality) -> &'static str {
    match modality {
        Modality::Face => "face",
        Modality::Voice => "voice",
        _ => "other",
    }
}

/// The name of a role in packs.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::EndUser => "end_user",
        _ => "other",
    }
}
