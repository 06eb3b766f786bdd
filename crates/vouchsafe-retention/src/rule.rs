use std::sync::Arc;

use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use crate::adopt::Adoption;
use crate::{Facts, Force, Period};

/// What one clause says about keeping or destroying one class of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) pack: String,
    pub(crate) line: usize,
    pub(crate) force: Force,
    pub(crate) class: DataClass,
    pub(crate) modality: Option<Modality>,
    pub(crate) role: Option<Role>,
    pub(crate) jurisdiction: Option<Jurisdiction>,
    pub(crate) trigger: Trigger,
    pub(crate) kind: RuleKind,
    pub(crate) period: Option<Period>,
    pub(crate) bounds: Option<(Period, Period)>,
    pub(crate) clause: Arc<str>,
    pub(crate) says: String,
    pub(crate) confidence: Confidence,
    pub(crate) adoption: Option<Adoption>,
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

    /// The line of the pack where it stands, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// What binds the author of its pack.
    pub const fn force(&self) -> Force {
        self.force
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

    /// The place whose people it is about; `None` for everybody.
    pub const fn jurisdiction(&self) -> Option<Jurisdiction> {
        self.jurisdiction
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

    /// How well its source is known.
    pub const fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// Who answers for it although its source is not confirmed.
    pub const fn adoption(&self) -> Option<&Adoption> {
        self.adoption.as_ref()
    }

    /// Whether it decides anything: its source is confirmed, or the organisation adopted it.
    pub const fn is_enabled(&self) -> bool {
        matches!(self.confidence, Confidence::Confirmed) || self.adoption.is_some()
    }

    pub(crate) fn covers(&self, facts: &Facts) -> bool {
        let modality = self.modality.is_none() || self.modality == facts.modality();
        let role = self.role.is_none_or(|role| role == facts.role());
        self.class == facts.class()
            && self.is_enabled()
            && modality
            && role
            && facts.live_under(self.jurisdiction)
    }

    /// Whether there is a record of one place that both cover.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let modality = self.modality.is_none() || other.modality.is_none() || self.modality == other.modality;
        let role = self.role.is_none() || other.role.is_none() || self.role == other.role;
        let place = match (self.jurisdiction, other.jurisdiction) {
            (Some(a), Some(b)) => a.contains(b) || b.contains(a),
            _ => true,
        };
        self.class == other.class && modality && role && place
    }

    /// How many of modality, role and jurisdiction it names.
    pub(crate) fn specificity(&self) -> u8 {
        u8::from(self.modality.is_some())
            + u8::from(self.role.is_some())
            + u8::from(self.jurisdiction.is_some())
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
    /// Both kinds, by name.
    pub const ALL: [Self; 2] = [Self::Ceiling, Self::Floor];

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
    /// Only secondary sources were; the rule is listed and decides nothing until an organisation adopts it.
    Unconfirmed,
}

impl Confidence {
    /// Both levels, by name.
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Unconfirmed];

    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}
