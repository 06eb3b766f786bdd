use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use ring::digest::{Context, SHA256};
use vouchsafe_types::{DataClass, Digest, Jurisdiction, Modality, Role};

use crate::adopt::Adoption;
use crate::disclosure::Recipient;
use crate::pack::{Pack, Setting};
use crate::tables::Tables;
use crate::{
    Aggregates, Approvals, Breaker, ClockGuard, Confidence, Facts, Honour, MinimumAge, Note, Period, Problem,
    Profile, RecipientId, RetentionError, Rule, RuleKind, Stage, contradiction,
};

/// The rules in force: one or more packs, and the zone in whose calendar they count.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
    honours: Vec<Honour>,
    notes: Vec<Note>,
    ages: Vec<MinimumAge>,
    tables: Tables,
    approvals: Approvals,
    breaker: Breaker,
    aggregates: Aggregates,
    clock_guard: ClockGuard,
    sources: Vec<String>,
    zone_name: Arc<str>,
    zone: TimeZone,
    texts: Arc<[String]>,
    packs: [u8; 32],
}

impl Policy {
    /// The format number of packs.
    pub const PACK_FORMAT: u32 = 1;

    /// What neither law nor organisation says: the FacialProof notice, the Proof by Webel notice, the libraries' own
    /// defaults.
    pub const DEFAULT_PACKS: [&'static str; 3] = [
        include_str!("../packs/facialproof.toml"),
        include_str!("../packs/webel.toml"),
        include_str!("../packs/vouchsafe.toml"),
    ];

    /// The laws that ship, one pack a source, and the clocks of rights requests.
    pub const LAW_PACKS: [&'static str; 9] = [
        include_str!("../packs/bipa.toml"),
        include_str!("../packs/texas.toml"),
        include_str!("../packs/washington.toml"),
        include_str!("../packs/colorado.toml"),
        include_str!("../packs/california.toml"),
        include_str!("../packs/gdpr.toml"),
        include_str!("../packs/quebec.toml"),
        include_str!("../packs/coppa.toml"),
        include_str!("../packs/rights.toml"),
    ];

    /// Loads packs; rules of all of them apply at once, settings and adoptions may name rules of any.
    ///
    /// # Errors
    /// [`RetentionError::Pack`] with pack, line and rule for what cannot be read,
    /// [`RetentionError::Contradiction`] with both citations for a floor above a ceiling that no law puts there.
    pub fn from_packs(texts: &[&str]) -> Result<Self, RetentionError> {
        let packs = texts.iter().zip(1..).map(|(text, place)| Pack::parse(text, place));
        let packs = packs.collect::<Result<Vec<_>, _>>()?;
        stated_once(&packs)?;
        let mut policy = Self::empty(texts);
        for pack in &packs {
            policy.add(pack)?;
        }
        for pack in &packs {
            pack.settings.iter().try_for_each(|setting| apply(&mut policy.rules, pack, setting))?;
            pack.adopts.iter().try_for_each(|adopt| adopt.apply(policy.adoptable(&adopt.rule)))?;
        }
        contradiction::check(&policy.rules)?;
        Ok(policy)
    }

    fn empty(texts: &[&str]) -> Self {
        Self {
            rules: Vec::new(),
            honours: Vec::new(),
            notes: Vec::new(),
            ages: Vec::new(),
            tables: Tables::default(),
            approvals: Approvals::default(),
            breaker: Breaker::default(),
            aggregates: Aggregates::default(),
            clock_guard: ClockGuard::default(),
            sources: Vec::new(),
            zone_name: "UTC".into(),
            zone: TimeZone::UTC,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            packs: digest_of(texts),
        }
    }

    fn add(&mut self, pack: &Pack) -> Result<(), RetentionError> {
        for rule in &pack.rules {
            self.ensure_new(pack, rule.line, &rule.id)?;
            self.rules.push(rule.clone());
        }
        for honour in &pack.honours {
            self.ensure_new(pack, honour.line, &honour.id)?;
            self.honours.push(honour.clone());
        }
        for note in &pack.notes {
            self.ensure_new(pack, note.line, &note.id)?;
            self.notes.push(note.clone());
        }
        for age in &pack.ages {
            self.ensure_new(pack, age.line, &age.id)?;
            self.ages.push(age.clone());
        }
        self.tables.add(pack)?;
        if let Some((approvals, _)) = pack.approvals {
            self.approvals = approvals;
        }
        if let Some(((breaker, clock_guard), _)) = pack.breaker {
            (self.breaker, self.clock_guard) = (breaker, clock_guard);
        }
        if let Some((aggregates, _)) = pack.aggregates {
            self.aggregates = aggregates;
        }
        self.sources.push(format!("{} ({}, {})", pack.title, pack.id, pack.version));
        Ok(())
    }

    fn ensure_new(&self, pack: &Pack, line: usize, id: &str) -> Result<(), RetentionError> {
        let known = self.rules.iter().any(|rule| &*rule.id == id)
            || self.honours.iter().any(|row| row.id == id)
            || self.notes.iter().any(|note| note.id == id)
            || self.ages.iter().any(|age| age.id == id);
        if known { Err(pack.fault(line, Some(id), Problem::DuplicateRule)) } else { Ok(()) }
    }

    /// The place for an adoption of a rule, and whether its source is confirmed anyway.
    fn adoptable(&mut self, id: &str) -> Option<(bool, &mut Option<Adoption>)> {
        let rule = self.rules.iter_mut().find(|rule| &*rule.id == id);
        let rule = rule.map(|rule| (rule.confidence, &mut rule.adoption));
        let honour = self.honours.iter_mut().find(|row| row.id == id);
        let found = rule.or_else(|| honour.map(|row| (row.confidence, &mut row.adoption)));
        found.map(|(confidence, place)| (confidence == Confidence::Confirmed, place))
    }

    /// The notices and the libraries' own defaults, without any law.
    ///
    /// # Errors
    /// As [`Self::from_packs`]; the shipped packs give none.
    pub fn default_notices() -> Result<Self, RetentionError> {
        Self::from_packs(&Self::DEFAULT_PACKS)
    }

    /// Every pack that ships: notices, defaults, laws.
    ///
    /// # Errors
    /// As [`Self::from_packs`]; the shipped packs give none.
    pub fn shipped() -> Result<Self, RetentionError> {
        Self::from_packs(&Self::shipped_packs())
    }

    /// Every pack that ships, for a policy with an organisation's own pack behind them.
    pub fn shipped_packs() -> Vec<&'static str> {
        [Self::DEFAULT_PACKS.as_slice(), Self::LAW_PACKS.as_slice()].concat()
    }

    /// The same rules in another calendar; the name enters the digest and every explanation.
    ///
    /// # Errors
    /// [`RetentionError::Zone`] for a name that is not 1 to 64 printable ASCII characters.
    pub fn in_zone(self, name: &str, zone: TimeZone) -> Result<Self, RetentionError> {
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self { zone_name: name.into(), zone, ..self }) } else { Err(RetentionError::Zone) }
    }

    /// Every rule, in the order of the packs; those that decide nothing included.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this name.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| &*rule.id == id)
    }

    /// The packs as they were loaded, in their order: with the zone's name, what [`Self::digest`] is over.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Titles, ids and versions of the packs.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// The name of the zone in whose calendar periods count.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Which authorities a law lets hold data back.
    pub fn honours(&self) -> &[Honour] {
        &self.honours
    }

    /// What the sources say beside periods.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The age below which nobody is enrolled, in years: the highest that a source or the organisation states.
    pub fn minimum_age(&self) -> Option<u8> {
        let stated = self.ages.iter().map(MinimumAge::years);
        stated.chain(self.profile().map(Profile::minimum_age)).max()
    }

    /// The ages that the sources state.
    pub fn ages(&self) -> &[MinimumAge] {
        &self.ages
    }

    /// Who the organisation is; `None` until its pack says so.
    pub const fn profile(&self) -> Option<&Profile> {
        self.tables.profile.as_ref()
    }

    /// The recipients to whom data may go.
    pub fn recipients(&self) -> &[Recipient] {
        &self.tables.recipients
    }

    /// The recipient of this id.
    pub fn recipient(&self, id: &RecipientId) -> Option<&Recipient> {
        self.recipients().iter().find(|recipient| recipient.id() == id)
    }

    /// How many different people approve a plan, by stage.
    pub const fn approvals(&self) -> Approvals {
        self.approvals
    }

    /// At which stage a rule's destructions are approved: what is due at once waits for nobody.
    pub fn stage(&self, rule: &str) -> Stage {
        let at_once = self.rule(rule).and_then(Rule::period).is_some_and(Period::is_at_once);
        if at_once { Stage::Immediate } else { Stage::Scheduled }
    }

    /// What may be kept, and leave, of numbers of people.
    pub const fn aggregates(&self) -> Aggregates {
        self.aggregates
    }

    /// What stops a plan that would destroy an unusual share.
    pub const fn breaker(&self) -> Breaker {
        self.breaker
    }

    /// What stops a sweep whose clock was set.
    pub const fn clock_guard(&self) -> ClockGuard {
        self.clock_guard
    }

    pub(crate) const fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn zone_label(&self) -> Arc<str> {
        Arc::clone(&self.zone_name)
    }

    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What the organisation has to state before it stores such data: rules without a period, classes of which some
    /// record has no ceiling, wherever the person lives.
    pub fn gaps(&self) -> Vec<Gap> {
        let unstated = self.rules.iter().filter(|rule| rule.is_enabled() && rule.period.is_none());
        let unstated = unstated.map(|rule| Gap { class: rule.class, rule: Some(rule.clone()) });
        let silent = DataClass::ALL.into_iter().filter(|class| self.is_silent_on(*class));
        unstated.chain(silent.map(|class| Gap { class, rule: None })).collect()
    }

    /// Whether somebody's record of the class has no ceiling: a law of one place says nothing of the others.
    fn is_silent_on(&self, class: DataClass) -> bool {
        let modalities: &[Option<Modality>] = if class == DataClass::Biometric {
            &[Some(Modality::Face), Some(Modality::Voice)]
        } else {
            &[None]
        };
        modalities.iter().any(|modality| {
            Role::ALL.into_iter().any(|role| {
                let facts =
                    Facts::new(class, *modality, role).map(|facts| facts.residing(Jurisdiction::Elsewhere));
                let ceiling = |facts: &Facts| {
                    self.rules.iter().any(|rule| rule.kind == RuleKind::Ceiling && rule.covers(facts))
                };
                !facts.is_ok_and(|facts| ceiling(&facts))
            })
        })
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

fn apply(rules: &mut [Rule], pack: &Pack, setting: &Setting) -> Result<(), RetentionError> {
    let refuse = |problem| Err(pack.fault(setting.line, Some(&setting.rule), problem));
    let Some(rule) = rules.iter_mut().find(|rule| *rule.id == *setting.rule) else {
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

/// Refuses a rule that is set twice, and approvals, breakers or aggregates that two packs state: the last word would win unseen.
fn stated_once(packs: &[Pack]) -> Result<(), RetentionError> {
    let mut stated = BTreeSet::new();
    for pack in packs {
        let settings = pack.settings.iter().map(|setting| ("setting", setting.rule.as_str(), setting.line));
        let approvals = pack.approvals.iter().map(|&(_, line)| ("approval", "approval", line));
        let breakers = pack.breaker.iter().map(|&(_, line)| ("breaker", "breaker", line));
        let aggregates = pack.aggregates.iter().map(|&(_, line)| ("aggregate", "aggregate", line));
        for (table, name, line) in settings.chain(approvals).chain(breakers).chain(aggregates) {
            if !stated.insert((table, name)) {
                return Err(pack.fault(line, Some(name), Problem::DuplicateSetting));
            }
        }
    }
    Ok(())
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
