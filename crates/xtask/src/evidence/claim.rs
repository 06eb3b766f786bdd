use std::fmt;

use serde::Serialize;

use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// A sentence that a stranger may doubt, and how to measure it.
pub(super) struct Claim {
    /// The sentence.
    pub(super) says: &'static str,
    /// How it is measured.
    pub(super) full: Method,
    /// How it is measured within ten minutes, if otherwise.
    pub(super) quick: Option<Method>,
    /// What must come out. Figures are the last `key=value` words that the command prints.
    pub(super) bars: &'static [Bar],
}

/// How a claim is measured. Commands run in the root folder.
#[derive(Clone, Copy)]
pub(super) enum Method {
    /// A command line, its words split at blanks.
    Command(&'static str),
    /// A command line under environment variables.
    CommandWith(&'static [(&'static str, &'static str)], &'static str),
    /// A function of this program, where one command is not enough.
    Function(fn(&Workspace) -> Result<Said>),
    /// Not at this depth, for this reason.
    Skip(&'static str),
}

/// A figure's key and what it must be.
#[derive(Clone, Copy)]
pub(super) enum Bar {
    /// The command ends well; no figure.
    Succeeds,
    /// Any value, printed.
    Printed(&'static str),
    /// A number no greater than this.
    AtMost(&'static str, f64),
    /// A number no smaller than this.
    AtLeast(&'static str, f64),
    /// Exactly this text.
    Is(&'static str, &'static str),
}

/// One bar, measured.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) bar: String,
    pub(super) measured: String,
    pub(super) pass: bool,
}

impl Method {
    pub(super) fn run(self, workspace: &Workspace) -> Result<Said> {
        match self {
            Self::Command(line) => command(&[], line).within(workspace.root()).aloud(),
            Self::CommandWith(variables, line) => command(variables, line).within(workspace.root()).aloud(),
            Self::Function(function) => function(workspace),
            Self::Skip(reason) => Err(reason.into()),
        }
    }
}

/// Every bar against what the command said. A command that failed meets none.
pub(super) fn judged(bars: &[Bar], said: &Said) -> Vec<Row> {
    bars.iter().map(|bar| bar.judge(said)).collect()
}

fn command(variables: &[(&str, &str)], line: &str) -> Run {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    let run = Run::new(program, &words.collect::<Vec<_>>());
    variables.iter().fold(run, |run, (name, value)| run.with(name, value))
}

impl Bar {
    fn judge(&self, said: &Said) -> Row {
        let measured = self.key().map_or(Some("ends well"), |key| said.figure(key));
        let number = measured.and_then(|text| text.parse::<f64>().ok());
        let met = match *self {
            Self::Succeeds => true,
            Self::Printed(_) => measured.is_some(),
            Self::AtMost(_, most) => number.is_some_and(|number| number <= most),
            Self::AtLeast(_, least) => number.is_some_and(|number| number >= least),
            Self::Is(_, text) => measured == Some(text),
        };
        let measured = if said.ok { measured.unwrap_or("not printed") } else { "the command failed" };
        Row { bar: self.to_string(), measured: measured.to_owned(), pass: met && said.ok }
    }

    const fn key(&self) -> Option<&'static str> {
        match *self {
            Self::Succeeds => None,
            Self::Printed(key) | Self::AtMost(key, _) | Self::AtLeast(key, _) | Self::Is(key, _) => Some(key),
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Succeeds => f.write_str("ends well"),
            Self::Printed(key) => write!(f, "{key}, no bar"),
            Self::AtMost(key, most) => write!(f, "{key} <= {most}"),
            Self::AtLeast(key, least) => write!(f, "{key} >= {least}"),
            Self::Is(key, text) => write!(f, "{key} = {text}"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.pass { "pass" } else { "short" };
        write!(f, "{} | {} | {verdict}", self.bar, self.measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ok: bool, stdout: &str) -> Said {
        Said { command: "c".into(), ok, seconds: 0.0, stdout: stdout.into(), stderr: String::new() }
    }

    fn check(bar: &Bar, ok: bool, stdout: &str, pass: bool) {
        assert_eq!(bar.judge(&said(ok, stdout)).pass, pass, "{bar}: {stdout}");
    }

    #[test]
    fn the_last_figure_counts() {
        let eer = Bar::AtMost("eer", 0.005);
        check(&eer, true, "eer=0.9\nnoise\neer=0.004 people=12", true);
        check(&eer, true, "eer=0.004\neer=0.9", false);
        check(&eer, true, "a_eer=0.001", false);
        check(&eer, true, "eer=NaN", false);
    }

    #[test]
    fn a_failed_command_meets_no_bar() {
        check(&Bar::Succeeds, false, "", false);
        check(&Bar::Printed("people"), false, "people=12", false);
        check(&Bar::Is("lost", "0"), false, "lost=0", false);
    }

    #[test]
    fn texts_are_compared_whole() {
        let opened = Bar::Is("destroyed_opened", "0/37");
        check(&opened, true, "destroyed_opened=0/37", true);
        check(&opened, true, "destroyed_opened=0/370", false);
        check(&Bar::AtLeast("control_found", 1.0), true, "control_found=0", false);
    }
}
