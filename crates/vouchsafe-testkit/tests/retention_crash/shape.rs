//! What a folder holds, in a form that two folders can be compared in, and what is wrong in it by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use vouchsafe::ledger::{EntryKind, Leaf};
use vouchsafe::store::{Holding, HoldingState, INVENTORY};
use vouchsafe::types::DataClass;
use vouchsafe_envelope::LeafStatus;
use vouchsafe_testkit::cold::Cold;
use vouchsafe_testkit::scene::{ORGANISATION, caller_id};

use crate::stage::{self, Work};

/// Entries about a plan: every try approves one, and one that was interrupted is never said to have been executed.
const PLANS: [EntryKind; 2] = [EntryKind::RetentionPlanApproved, EntryKind::RetentionPlanExecuted];
/// Tables that grow with them.
const GROWING: [&str; 2] = ["entry", "public_payload"];
/// What names a destruction in the log.
const DESTRUCTIONS: [EntryKind; 3] =
    [EntryKind::TemplateDestroyed, EntryKind::PayloadDestroyed, EntryKind::EvidenceExpired];

/// Two folders of one shape hold the same, but for the numbers of leaves that were given out after the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many holdings of a class are in a state.
    holdings: BTreeMap<(&'static str, &'static str), usize>,
    rows: BTreeMap<&'static str, i64>,
    kinds: BTreeMap<&'static str, usize>,
    orphans: u64,
    findings: Vec<String>,
}

impl Shape {
    /// Looks at a folder in which nothing is under way.
    pub(crate) fn of(folder: &Path, work: Work) -> Self {
        let mut findings = checked(folder, work);
        let cold = Cold::open(folder).unwrap();
        let holdings = cold.holdings().unwrap();
        let entries = cold.entries().unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| Leaf::from_bytes(entry).unwrap().kind).collect();
        findings.extend(cold.damage().unwrap());
        findings.extend(keys(&cold, &holdings));
        let orphans = cold.orphans().unwrap();
        findings.extend(orphans.iter().map(|(table, count)| format!("{count} orphans in {table}")));
        let unlogged = unlogged(&holdings, &kinds);
        if unlogged > 0 {
            findings.push(format!("{unlogged} destroyed without an entry of their own"));
        }
        Self {
            holdings: tally(holdings.iter().map(|holding| (holding.class.name(), state(holding)))),
            rows: rows(&cold),
            kinds: tally(kinds.into_iter().filter(|kind| !PLANS.contains(kind)).map(EntryKind::name)),
            orphans: orphans.iter().map(|(_, count)| count).sum(),
            findings,
        }
    }

    pub(crate) fn findings(&self) -> &[String] {
        &self.findings
    }

    /// How many destructions its log has more than that of another.
    pub(crate) fn twice(&self, whole: &Self) -> usize {
        let logged = |shape: &Self| -> usize {
            DESTRUCTIONS.iter().filter_map(|kind| shape.kinds.get(kind.name())).sum()
        };
        logged(self).saturating_sub(logged(whole))
    }

    pub(crate) const fn orphans(&self) -> u64 {
        self.orphans
    }

    /// How many things are destroyed.
    pub(crate) fn destroyed(&self) -> usize {
        self.holdings.iter().filter(|((_, state), _)| *state == "destroyed").map(|(_, count)| count).sum()
    }

    /// How many holdings it has fewer than another, whatever their state.
    pub(crate) fn missing(&self, whole: &Self) -> usize {
        let sum = |shape: &Self| shape.holdings.values().sum::<usize>();
        sum(whole).saturating_sub(sum(self))
    }

    pub(crate) fn differences(&self, whole: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let mut compare = |name: &str, here: String, there: String| {
            if here != there {
                said.push(format!("{name}: {here} instead of {there}"));
            }
        };
        compare("holdings", format!("{:?}", self.holdings), format!("{:?}", whole.holdings));
        compare("rows", format!("{:?}", self.rows), format!("{:?}", whole.rows));
        compare("entries", format!("{:?}", self.kinds), format!("{:?}", whole.kinds));
        said
    }
}

/// How far a killed process came.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    condemned: usize,
    destroyed: usize,
    /// What ends with the account that is deleted, by state; none for a sweep.
    account: BTreeSet<&'static str>,
    jobs: i64,
    /// Deletions of an account that are noted.
    deletions: i64,
    work_is_deletion: bool,
}

impl Begun {
    /// Whether the account is fenced as a whole or not at all.
    pub(crate) fn is_atomic(&self) -> bool {
        !self.work_is_deletion || self.account.len() <= 1
    }

    /// Whether the transaction that acknowledges the work was committed.
    pub(crate) const fn has_begun(&self) -> bool {
        self.condemned > 0 || self.destroyed > 0 || self.deletions > 0
    }

    pub(crate) const fn is_fenced_without_a_job(&self) -> bool {
        self.condemned > 0 && self.jobs == 0
    }

    pub(crate) const fn is_unfinished(&self) -> bool {
        self.condemned > 0 || self.jobs > 0
    }
}

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.condemned > 0, self.destroyed > 0, self.jobs > 0) {
            (false, false, _) => "nothing was stored",
            (true, false, _) => "fenced, nothing destroyed",
            (true, true, _) => "destroyed in part",
            (false, true, true) => "destroyed, the job not closed",
            (false, true, false) => "destroyed",
        })
    }
}

/// Looks at what a kill left, where so many things were destroyed before.
pub(crate) fn begun(folder: &Path, work: Work, before: usize) -> Begun {
    let cold = Cold::open(folder).unwrap();
    let holdings = cold.holdings().unwrap();
    let mut begun = Begun { work_is_deletion: work.is_deletion(), ..Begun::default() };
    for holding in &holdings {
        match state(holding) {
            "condemned" => begun.condemned += 1,
            "destroyed" => begun.destroyed += 1,
            _ => {}
        }
    }
    begun.destroyed -= before.min(begun.destroyed);
    if let Work::Erase { person } = work {
        let pseudonym = cold.with_state(|keys| keys.pseudonym(caller_id(person).as_bytes())).unwrap();
        let ends = [DataClass::Biometric, DataClass::Account];
        let account = holdings
            .iter()
            .filter(|holding| holding.subject == pseudonym && ends.contains(&holding.class))
            .map(|holding| if state(holding) == "live" { "live" } else { "fenced" });
        begun.account = account.collect();
    }
    begun.jobs =
        cold.numbers("SELECT count(*) FROM job WHERE finished_at IS NULL").unwrap().into_iter().sum();
    let noted = "SELECT count(*) FROM life_event WHERE trigger = 1 AND length(scope) = 0";
    begun.deletions = cold.numbers(noted).unwrap().into_iter().sum();
    begun
}

/// What the facade itself finds wrong.
fn checked(folder: &Path, work: Work) -> Vec<String> {
    let vouchsafe = stage::open(folder);
    let organisation = vouchsafe.organisation(ORGANISATION).unwrap();
    let mut findings = Vec::new();
    match organisation.verify_log() {
        Ok(report) if report.is_sound() => {}
        report => findings.push(format!("log: {report:?}")),
    }
    match organisation.verify_payloads() {
        Ok(report) if report.is_sound() => {}
        report => findings.push(format!("payloads: {report:?}")),
    }
    match organisation.plan_retention() {
        Ok(plan) if plan.items().is_empty() || work.is_deletion() => {}
        plan => findings.push(format!("still due: {plan:?}")),
    }
    findings
}

/// Each holding and its key agree.
fn keys(cold: &Cold, holdings: &[Holding]) -> Vec<String> {
    cold.with_state(|keys| {
        let wrong = |holding: &&Holding| {
            let expected = match state(holding) {
                "live" => LeafStatus::Live,
                "destroyed" => LeafStatus::Destroyed,
                _ => return true,
            };
            keys.status(holding.leaf) != expected
        };
        let said =
            |holding: &Holding| format!("{} is {}, its key is not", holding.class.name(), state(holding));
        holdings.iter().filter(wrong).map(said).collect()
    })
    .unwrap()
}

/// Destroyed holdings that share an entry of the log, or have none of a destruction.
fn unlogged(holdings: &[Holding], kinds: &[EntryKind]) -> usize {
    let entry = |holding: &Holding| match holding.state {
        HoldingState::Destroyed { entry, .. } => Some(entry),
        _ => None,
    };
    let destroyed: Vec<u64> = holdings.iter().filter_map(entry).collect();
    let kind = |entry: &&u64| usize::try_from(**entry).ok().and_then(|entry| kinds.get(entry));
    let logged = |entry: &&u64| kind(entry).is_some_and(|kind| DESTRUCTIONS.contains(kind));
    destroyed.len() - destroyed.iter().filter(logged).collect::<BTreeSet<_>>().len()
}

fn rows(cold: &Cold) -> BTreeMap<&'static str, i64> {
    let tables: BTreeSet<_> = INVENTORY.iter().map(|column| column.table).collect();
    let count =
        |table: &str| cold.numbers(&format!("SELECT count(*) FROM {table}")).unwrap().into_iter().sum();
    tables.into_iter().filter(|table| !GROWING.contains(table)).map(|table| (table, count(table))).collect()
}

const fn state(holding: &Holding) -> &'static str {
    match holding.state {
        HoldingState::Live => "live",
        HoldingState::Condemned { .. } => "condemned",
        HoldingState::Destroyed { .. } => "destroyed",
    }
}

fn tally<T: Ord>(things: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    things.fold(BTreeMap::new(), |mut tally, thing| {
        *tally.entry(thing).or_default() += 1;
        tally
    })
}
