use std::collections::BTreeSet;

use vouchsafe_types::{DataClass, Jurisdiction};

use super::RightsError;
use crate::reader::Reader;
use crate::{Confidence, Policy, Reference, RetentionError};

/// How much of a class goes into an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExportContent {
    /// It is said that the class is held, and described; a template or a password's hash is not returned.
    Described,
    /// What is held is returned; a template as the protected template, with an explanation.
    Included,
}

impl ExportContent {
    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Described => "described",
            Self::Included => "included",
        }
    }
}

/// What of one class goes into an export under one law: a row of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRule {
    id: Reference,
    class: DataClass,
    jurisdiction: Option<Jurisdiction>,
    content: ExportContent,
    clause: String,
    says: String,
    confidence: Confidence,
}

impl ExportRule {
    /// Its name, unique in a policy.
    pub const fn id(&self) -> &Reference {
        &self.id
    }

    /// The class it is about.
    pub const fn class(&self) -> DataClass {
        self.class
    }

    /// The only place it is for; `None` for the places that no other rule of the class is for.
    pub const fn jurisdiction(&self) -> Option<Jurisdiction> {
        self.jurisdiction
    }

    /// How much goes in.
    pub const fn content(&self) -> ExportContent {
        self.content
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

    pub(crate) fn read(mut table: Reader) -> Result<Self, RetentionError> {
        let classes = DataClass::ALL.map(|class| (class.name(), class));
        let contents =
            [ExportContent::Described, ExportContent::Included].map(|content| (content.name(), content));
        let rule = Self {
            id: table.reference("id")?,
            class: table.named("class", &classes)?,
            jurisdiction: table.jurisdiction()?,
            content: table.named("content", &contents)?,
            clause: table.take("clause")?,
            says: table.take("says")?,
            confidence: table.confidence()?,
        };
        table.finish()?;
        Ok(rule)
    }
}

impl Policy {
    /// The export rules of the packs, in their order; those that decide nothing included.
    pub fn export_rules(&self) -> &[ExportRule] {
        &self.tables().exports
    }

    /// The rule that decides how much of a class goes into the export of somebody who lives in `places`.
    ///
    /// A place is under the rules whose jurisdiction contains it, or else under those without one. Where several apply,
    /// one that has the class only described decides. Where no place is stated, every rule applies.
    ///
    /// # Errors
    /// [`RightsError::NoExportRule`] when a place is under no rule for the class.
    pub fn export_rule(
        &self,
        class: DataClass,
        places: &BTreeSet<Jurisdiction>,
    ) -> Result<&ExportRule, RightsError> {
        let enabled = |rule: &&ExportRule| rule.class == class && rule.confidence == Confidence::Confirmed;
        let rules: Vec<&ExportRule> = self.export_rules().iter().filter(enabled).collect();
        let mut applying: Vec<&ExportRule> = if places.is_empty() { rules.clone() } else { Vec::new() };
        for &place in places {
            let own = |rule: &&&ExportRule| rule.jurisdiction.is_some_and(|outer| outer.contains(place));
            let general = |rule: &&&ExportRule| rule.jurisdiction.is_none();
            let before = applying.len();
            applying.extend(rules.iter().filter(own));
            if applying.len() == before {
                applying.extend(rules.iter().filter(general));
            }
            if applying.len() == before {
                return Err(RightsError::NoExportRule(class));
            }
        }
        let strictest = applying.into_iter().min_by_key(|rule| (rule.content, &rule.id));
        strictest.ok_or(RightsError::NoExportRule(class))
    }
}
