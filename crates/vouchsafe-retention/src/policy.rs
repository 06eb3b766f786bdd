use std::collections::BTreeSet;
use std::fmt;

use jiff::tz::TimeZone;
use ring::digest::{Context, SHA256};
use vouchsafe_types::{DataClass, Digest};

use crate::pack::{Pack, Setting};
use crate::{PackFault, Period, Problem, RetentionError, Rule, contradiction};

/// The rules in force: one or more packs, and the zone in whose calendar they count.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
    sources: Vec<String>,
    zone_name: String,
    zone: TimeZone,
    packs: [u8; 32],
}

impl Policy {
    /// The format number of packs.
    pub const PACK_FORMAT: u32 = 1;

    /// The packs that ship: the FacialProof notice, the Proof by Webel notice, the libraries' own defaults.
    pub const DEFAULT_PACKS: [&'static str; 3] = [
        include_str!("../packs/facialproof.toml"),
        include_str!("../packs/webel.toml"),
        include_str!("../packs/vouchsafe.toml"),
    ];

    /// Loads packs; rules of all of them apply at once, settings may name rules of any.
    ///
    /// # Errors
    /// [`RetentionError::Pack`] with pack, line and rule for what cannot be read,
    /// [`RetentionError::Contradiction`] with both citations for a floor above a ceiling.
    pub fn from_packs(texts: &[&str]) -> Result<Self, RetentionError> {
        let packs = texts.iter().zip(1..).map(|(text, place)| Pack::parse(text, place));
        let packs = packs.collect::<Result<Vec<_>, _>>()?;
        let mut rules = Vec::new();
        for pack in &packs {
            add_rules(&mut rules, pack)?;
        }
        for pack in &packs {
            pack.settings.iter().try_for_each(|setting| apply(&mut rules, pack, setting))?;
        }
        contradiction::check(&rules)?;
        let sources = packs.iter().map(|pack| format!("{} ({}, {})", pack.title, pack.id, pack.version));
        let sources = sources.collect();
        Ok(Self { rules, sources, zone_name: "UTC".to_owned(), zone: TimeZone::UTC, packs: digest_of(texts) })
    }

    /// The packs that ship.
    ///
    /// # Errors
    /// As [`Self::from_packs`]; the shipped packs give none.
    pub fn default_notices() -> Result<Self, RetentionError> {
        Self::from_packs(&Self::DEFAULT_PACKS)
    }

    /// The same rules in another calendar; the name enters the digest and every explanation.
    ///
    /// # Errors
    /// [`RetentionError::Zone`] for a name that is not 1 to 64 printable ASCII characters.
    pub fn in_zone(self, name: &str, zone: TimeZone) -> Result<Self, RetentionError> {
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self { zone_name: name.to_owned(), zone, ..self }) } else { Err(RetentionError::Zone) }
    }

    /// Every rule, in the order of the packs; those that decide nothing included.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this name.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Titles, ids and versions of the packs.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// The name of the zone in whose calendar periods count.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What the organisation has to state before it stores such data: rules without a period, classes without
    /// a rule.
    pub fn gaps(&self) -> Vec<Gap> {
        let enabled = || self.rules.iter().filter(|rule| rule.is_enabled());
        let unstated = enabled().filter(|rule| rule.period.is_none());
        let unstated = unstated.map(|rule| Gap { class: rule.class, rule: Some(rule.clone()) });
        let covered: BTreeSet<_> = enabled().map(Rule::class).collect();
        let silent = DataClass::ALL.into_iter().filter(|class| !covered.contains(class));
        unstated.chain(silent.map(|class| Gap { class, rule: None })).collect()
    }

    /// SHA-256 of the packs' bytes, in order, and of the zone's name.
    pub fn digest(&self) -> Digest {
        let mut context = Context::new(&SHA256);
        context.update(&self.packs);
        context.update(self.zone_name.as_bytes());
        finish(context)
    }
}

/// Data without a period: the organisation has to state one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    class: DataClass,
    rule: Option<Rule>,
}

impl Gap {
    /// The class without a period.
    pub const fn class(&self) -> DataClass {
        self.class
    }

    /// The rule whose source states none; `None` when no rule covers the class.
    pub const fn rule(&self) -> Option<&Rule> {
        self.rule.as_ref()
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(f, "{}: {} ({}) states no period", self.class.name(), rule.id, rule.clause),
            None => write!(f, "{}: no rule covers it", self.class.name()),
        }
    }
}

fn add_rules(rules: &mut Vec<Rule>, pack: &Pack) -> Result<(), RetentionError> {
    for rule in &pack.rules {
        if rules.iter().any(|known| known.id == rule.id) {
            return Err(fault(pack, None, &rule.id, Problem::DuplicateRule));
        }
        rules.push(rule.clone());
    }
    Ok(())
}

fn apply(rules: &mut [Rule], pack: &Pack, setting: &Setting) -> Result<(), RetentionError> {
    let refuse = |problem| Err(fault(pack, Some(setting.line), &setting.rule, problem));
    let Some(rule) = rules.iter_mut().find(|rule| rule.id == setting.rule) else {
        return refuse(Problem::UnknownRule);
    };
    let outside =
        |(least, most): (Period, Period)| least.may_exceed(setting.period) || setting.period.may_exceed(most);
    match (rule.bounds, rule.period) {
        (Some(bounds), _) if outside(bounds) => refuse(Problem::OutOfBounds),
        (None, Some(_)) => refuse(Problem::NotConfigurable),
        _ => {
            rule.period = Some(setting.period);
            Ok(())
        }
    }
}

fn fault(pack: &Pack, line: Option<usize>, rule: &str, problem: Problem) -> RetentionError {
    RetentionError::Pack(PackFault { pack: pack.id.clone(), line, rule: Some(rule.to_owned()), problem })
}

fn digest_of(texts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(b"vouchsafe-policy-1");
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    *finish(context).as_bytes()
}

pub(crate) fn finish(context: Context) -> Digest {
    let mut bytes = [0u8; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Digest::from_bytes(bytes)
}
