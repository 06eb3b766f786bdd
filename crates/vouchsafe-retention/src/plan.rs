use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ring::digest::{Context, SHA256};
use vouchsafe_types::{DataClass, Digest, RecordId, Timestamp};

use crate::policy::finish;
use crate::wire::plan_v2::{ItemV2, PlanV2};
use crate::{Approvals, Facts, Hold, Policy, RetentionError, Verdict};

/// What is due at one instant under one policy: a file to review, approve and execute.
///
/// # Encoding
///
/// JSON in UTF-8 without white space, fields in this order: `version` (2), `log` (left out if not stated), `policy`
/// (digest, hexadecimal), `made_at`, `considered`, `approvals`, `counts` (by class name, sorted), `earliest`, `latest`,
/// `samples` (by rule, sorted), `items` (`id`, `class`, `rule`, `due`; sorted by `due`, then `id`). Instants are RFC 3339 in UTC. There is one encoding of a plan; any other is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Plan {
    log: Option<String>,
    policy: Digest,
    made_at: Timestamp,
    considered: u64,
    approvals: u8,
    samples: BTreeMap<String, String>,
    items: Vec<PlanItem>,
}

impl Plan {
    /// Resolves every record and lists what is due at `now`, earliest first.
    ///
    /// Memory grows with what is due, not with what is looked at.
    ///
    /// # Errors
    /// As [`Policy::resolve`], and [`RetentionError::DuplicateItem`].
    pub fn make(
        policy: &Policy,
        records: impl IntoIterator<Item = (ItemId, Facts)>,
        now: Timestamp,
    ) -> Result<Self, RetentionError> {
        let mut considered = 0;
        let counted = records.into_iter().map(|(id, facts)| {
            considered += 1;
            (id, facts, Vec::new())
        });
        let mut plan = Self::make_held(policy, counted, 0, now)?;
        plan.considered = considered;
        Ok(plan)
    }

    /// Decides on records that may be due, with the holds on them, and lists what is due at `now`, earliest first.
    /// `considered` is how many records there are in all: the breaker compares with it.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub fn make_held(
        policy: &Policy,
        records: impl IntoIterator<Item = (ItemId, Facts, Vec<Hold>)>,
        considered: u64,
        now: Timestamp,
    ) -> Result<Self, RetentionError> {
        let (mut items, mut due_ids, mut stages) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut samples = BTreeMap::new();
        for (id, facts, holds) in records {
            let decision = policy.decide(&facts, &holds, now)?;
            let due = decision.verdict() == Verdict::Due;
            let Some(ruling) = decision.deadline().decided().filter(|_| due) else { continue };
            if !due_ids.insert(id.clone()) {
                return Err(RetentionError::DuplicateItem);
            }
            stages.insert(policy.stage(ruling.rule()));
            if samples.len() < SAMPLES {
                let rule = ruling.rule().to_owned();
                samples.entry(rule).or_insert_with(|| decision.explanation());
            }
            let (class, rule, due) = (facts.class(), ruling.rule().to_owned(), ruling.at());
            items.push(PlanItem { id, class, rule, due });
        }
        items.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
        let needed = stages.into_iter().map(|stage| policy.approvals().needed(stage)).max().unwrap_or(0);
        Ok(Self {
            log: None,
            policy: policy.digest(),
            made_at: now,
            considered,
            approvals: needed,
            samples,
            items,
        })
    }

    /// States the origin of the log in which it will be executed: item ids are unique in one log only, so that an
    /// approval without it is an approval for every log.
    ///
    /// # Errors
    /// [`RetentionError::Plan`] for an origin of more than 255 bytes or with control characters.
    pub fn for_log(mut self, origin: &str) -> Result<Self, RetentionError> {
        if !is_origin(origin) {
            return Err(RetentionError::Plan);
        }
        self.log = Some(origin.to_owned());
        Ok(self)
    }

    /// The origin of the log in which it will be executed.
    pub fn log(&self) -> Option<&str> {
        self.log.as_deref()
    }

    /// How many different people have to approve it, 0 to 5.
    pub fn approvals_needed(&self) -> usize {
        self.approvals.into()
    }

    /// How many the policy asks for, for these items.
    pub(crate) fn approvals_under(&self, policy: &Policy) -> usize {
        let needed = self.items.iter().map(|item| policy.approvals().needed(policy.stage(&item.rule)));
        needed.max().unwrap_or(0).into()
    }

    /// For up to 16 of the rules that decided, why the first of their items is due.
    pub const fn samples(&self) -> &BTreeMap<String, String> {
        &self.samples
    }

    /// The digest of the policy it was made under.
    pub const fn policy(&self) -> Digest {
        self.policy
    }

    /// The instant it was made for.
    pub const fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// How many records were looked at.
    pub const fn considered(&self) -> u64 {
        self.considered
    }

    /// What is due, earliest first.
    pub fn items(&self) -> &[PlanItem] {
        &self.items
    }

    /// How many items of each class are due.
    pub fn counts(&self) -> BTreeMap<DataClass, u64> {
        let mut counts = BTreeMap::new();
        for item in &self.items {
            *counts.entry(item.class).or_insert(0) += 1;
        }
        counts
    }

    /// The earliest due instant.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.items.first().map(PlanItem::due)
    }

    /// The latest due instant.
    pub fn latest(&self) -> Option<Timestamp> {
        self.items.last().map(PlanItem::due)
    }

    /// The one encoding of the plan.
    ///
    /// # Errors
    /// [`RetentionError::Plan`] when the encoder fails, which it has no reason to.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RetentionError> {
        serde_json::to_vec(&self.to_wire()).map_err(|_| RetentionError::Plan)
    }

    /// SHA-256 of [`Self::to_bytes`]: what is signed, acknowledged and logged.
    ///
    /// # Errors
    /// As [`Self::to_bytes`].
    pub fn digest(&self) -> Result<Digest, RetentionError> {
        let mut context = Context::new(&SHA256);
        context.update(&self.to_bytes()?);
        Ok(finish(context))
    }

    /// Reads a plan back.
    ///
    /// # Errors
    /// [`RetentionError::Plan`] for anything but the one encoding of a plan of this version.
    pub fn parse(bytes: &[u8]) -> Result<Self, RetentionError> {
        let wire: PlanV2 = serde_json::from_slice(bytes).map_err(|_| RetentionError::Plan)?;
        let plan = Self::from_wire(&wire)?;
        if wire.version == VERSION && plan.is_ordered() && plan.to_bytes()? == bytes {
            Ok(plan)
        } else {
            Err(RetentionError::Plan)
        }
    }

    /// Whether items are sorted, distinct, due, and no more than were looked at.
    fn is_ordered(&self) -> bool {
        let sorted = self.items.is_sorted_by(|a, b| (a.due, &a.id) < (b.due, &b.id));
        let ids: BTreeSet<_> = self.items.iter().map(PlanItem::id).collect();
        let due = self.items.iter().all(|item| item.due <= self.made_at);
        sorted
            && due
            && self.log.as_deref().is_none_or(is_origin)
            && ids.len() == self.items.len()
            && self.items.len() as u64 <= self.considered
            && self.approvals <= Approvals::MAX
            && self.explains_its_items()
    }

    /// Whether every sample is of a rule that decided.
    fn explains_its_items(&self) -> bool {
        let rules: BTreeSet<_> = self.items.iter().map(PlanItem::rule).collect();
        self.samples.len() <= SAMPLES && self.samples.keys().all(|rule| rules.contains(rule.as_str()))
    }

    fn to_wire(&self) -> PlanV2 {
        PlanV2 {
            version: VERSION,
            log: self.log.clone(),
            policy: self.policy.to_string(),
            made_at: self.made_at.to_string(),
            considered: self.considered,
            approvals: self.approvals,
            counts: self.counts().into_iter().map(|(class, n)| (class.name().to_owned(), n)).collect(),
            earliest: self.earliest().map(|at| at.to_string()),
            latest: self.latest().map(|at| at.to_string()),
            samples: self.samples.clone(),
            items: self.items.iter().map(PlanItem::to_wire).collect(),
        }
    }

    fn from_wire(wire: &PlanV2) -> Result<Self, RetentionError> {
        Ok(Self {
            log: wire.log.clone(),
            policy: Digest::parse(&wire.policy).map_err(|_| RetentionError::Plan)?,
            made_at: instant(&wire.made_at)?,
            considered: wire.considered,
            approvals: wire.approvals,
            samples: wire.samples.clone(),
            items: wire.items.iter().map(PlanItem::from_wire).collect::<Result<_, _>>()?,
        })
    }
}

/// One record that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanItem {
    id: ItemId,
    class: DataClass,
    rule: String,
    due: Timestamp,
}

impl PlanItem {
    /// The record.
    pub const fn id(&self) -> &ItemId {
        &self.id
    }

    /// Its class.
    pub const fn class(&self) -> DataClass {
        self.class
    }

    /// The id of the rule that decided.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// When it became due.
    pub const fn due(&self) -> Timestamp {
        self.due
    }

    fn to_wire(&self) -> ItemV2 {
        let (class, rule) = (self.class.name().to_owned(), self.rule.clone());
        ItemV2 { id: self.id.0.clone(), class, rule, due: self.due.to_string() }
    }

    fn from_wire(wire: &ItemV2) -> Result<Self, RetentionError> {
        let class = DataClass::ALL.into_iter().find(|class| class.name() == wire.class);
        Ok(Self {
            id: ItemId::parse(&wire.id).map_err(|_| RetentionError::Plan)?,
            class: class.ok_or(RetentionError::Plan)?,
            rule: wire.rule.clone(),
            due: instant(&wire.due)?,
        })
    }
}

/// An opaque name of a record: 1 to 64 bytes of `a-z`, `0-9`, `-`. It never names a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(String);

impl ItemId {
    /// Parses a name.
    ///
    /// # Errors
    /// [`RetentionError::ItemId`].
    pub fn parse(text: &str) -> Result<Self, RetentionError> {
        let alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(alphabet);
        if fits { Ok(Self(text.to_owned())) } else { Err(RetentionError::ItemId) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RecordId> for ItemId {
    fn from(id: RecordId) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_origin(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn instant(text: &str) -> Result<Timestamp, RetentionError> {
    text.parse().map_err(|_| RetentionError::Plan)
}

const VERSION: u32 = 2;
/// How many rules are explained by an example.
const SAMPLES: usize = 16;
