use std::collections::BTreeMap;
use std::fmt;

/// What a drill did, and what is wrong.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Report {
    /// Operations that were begun.
    pub operations: u64,
    /// Those of them that were answered without an error.
    pub acknowledged: u64,
    /// Those that two clients did to one person at the same time.
    pub contended: u64,
    /// Faces that were accepted.
    pub accepted: u64,
    /// Sweeps.
    pub sweeps: u64,
    /// Processes that were started again.
    pub restarts: u64,
    /// Faults that were made.
    pub faults: u64,
    /// Errors that were answered.
    pub errors: u64,
    /// Which, by operation.
    pub kinds: BTreeMap<String, u64>,
    /// Operations whose answer was never heard, or says that the outcome is unknown.
    pub unknown: u64,
    /// People who were accepted and for whom no consent was in force.
    pub accepted_without_consent: Vec<String>,
    /// What was acknowledged and does not hold.
    pub lost: Vec<String>,
    /// What was destroyed and opens.
    pub destroyed_readable: Vec<String>,
    /// Where the log and the changes do not agree.
    pub leaves_differ: Vec<String>,
}

impl Report {
    /// Whether every invariant held.
    pub fn holds(&self) -> bool {
        self.findings().next().is_none()
    }

    /// The numbers of what is wrong, as words of a line.
    pub fn verdict(&self) -> String {
        format!(
            "accepted_without_consent={} lost={} destroyed_readable={} leaves_differ={}",
            self.accepted_without_consent.len(),
            self.lost.len(),
            self.destroyed_readable.len(),
            self.leaves_differ.len()
        )
    }

    fn findings(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            ("accepted without consent", &self.accepted_without_consent),
            ("lost", &self.lost),
            ("destroyed and readable", &self.destroyed_readable),
            ("leaves differ", &self.leaves_differ),
        ]
        .into_iter()
        .flat_map(|(kind, list)| list.iter().map(move |said| (kind, said)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings().take(MOST).try_for_each(|(kind, said)| writeln!(f, "{kind}: {said}"))
    }
}

/// How many findings are printed; the first say most.
const MOST: usize = 30;
