use std::fmt;
use std::fmt::Write as _;

/// One place where a notice promises something else than what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) rule: &'static str,
    pub(super) severity: Severity,
    pub(super) line: usize,
    pub(super) section: String,
    pub(super) sentence: String,
    pub(super) promised: String,
    pub(super) actual: String,
}

impl Finding {
    /// The id of the [`LintRule`](super::LintRule).
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// How far the promise lies from what runs.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The line of the notice, from 1; where something is missing altogether, the first.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The number of the notice's section; empty before the first.
    pub fn section(&self) -> &str {
        &self.section
    }

    /// The sentence as the notice has it.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What the sentence promises, in our own words.
    pub fn promised(&self) -> &str {
        &self.promised
    }

    /// What runs.
    pub fn actual(&self) -> &str {
        &self.actual
    }
}

impl fmt::Display for Finding {
    /// One line: where, which rule, what is promised, what runs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, severity, line, promised, actual, .. } = self;
        write!(f, "line {line}: {} [{rule}] promised: {promised} Running: {actual}", severity.name())
    }
}

/// How far a promise lies from what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// It holds as far as these libraries reach; whoever publishes it answers for the rest.
    Note,
    /// It holds in part, or leaves out what readers need.
    Warning,
    /// It does not hold, or the law allows less.
    Error,
}

impl Severity {
    /// The stable name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// Findings as a Markdown table; the notice's own sentences are paraphrased, not repeated.
pub fn findings_table(findings: &[Finding]) -> String {
    let mut text = String::from(
        "| section | line | rule | severity | promised | running |\n|---|---|---|---|---|---|\n",
    );
    for finding in findings {
        let Finding { rule, severity, line, section, promised, actual, .. } = finding;
        let section = if section.is_empty() { "-" } else { section };
        let _ =
            writeln!(text, "| {section} | {line} | `{rule}` | {} | {promised} | {actual} |", severity.name());
    }
    text
}
