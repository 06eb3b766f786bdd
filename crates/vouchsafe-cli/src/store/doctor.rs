//! What a new operator runs first.

use std::io::Write;

use clap::Args;
use serde::Serialize;
use vouchsafe::Vouchsafe;

use crate::parts::Site;
use crate::{CliError, files};

mod database;
mod folders;
mod organisations;

#[derive(Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    site: Site,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stand {
    Ok,
    Warn,
    Fail,
}

/// One line: what was looked at, how it stands, and what to do next.
#[derive(Serialize)]
pub(super) struct Line {
    what: &'static str,
    stand: Stand,
    said: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    next: &'static str,
}

/// What is found, a line each.
#[derive(Default)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    fn ok(&mut self, what: &'static str, said: impl Into<String>) {
        self.0.push(Line { what, stand: Stand::Ok, said: said.into(), next: "" });
    }

    fn warn(&mut self, what: &'static str, said: impl Into<String>, next: &'static str) {
        self.0.push(Line { what, stand: Stand::Warn, said: said.into(), next });
    }

    fn fail(&mut self, what: &'static str, said: impl Into<String>, next: &'static str) {
        self.0.push(Line { what, stand: Stand::Fail, said: said.into(), next });
    }

    /// Good, or else a failure with what to do.
    fn must(&mut self, is_good: bool, what: &'static str, said: impl Into<String>, next: &'static str) {
        if is_good { self.ok(what, said) } else { self.fail(what, said, next) }
    }

    /// Good, or else a warning with what to do.
    fn should(&mut self, is_good: bool, what: &'static str, said: impl Into<String>, next: &'static str) {
        if is_good { self.ok(what, said) } else { self.warn(what, said, next) }
    }
}

impl Doctor {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let mut lines = Lines::default();
        let database = self.site.database()?;
        folders::look(&self.site, &database, &mut lines);
        database::look(&database, &mut lines);
        folders::logs(&self.site, &mut lines);
        match self.site.ports() {
            Ok(ports) => {
                lines.ok("keys", format!("{} key service opens", ports.keys.strength().name()));
                organisations::look(&Vouchsafe::open_with(ports), &mut lines);
            }
            Err(error) => {
                lines.fail("parts", error.to_string(), "mend what the lines above say, then run this again")
            }
        }
        let failed = lines.0.iter().filter(|line| line.stand == Stand::Fail).count();
        if self.json {
            files::print_json(out, &lines.0)?;
        } else {
            lines.0.iter().try_for_each(|line| line.print(out))?;
        }
        if failed > 0 { Err(CliError::NotServable(failed)) } else { Ok(()) }
    }
}

impl Line {
    fn print(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let stand = match self.stand {
            Stand::Ok => "ok  ",
            Stand::Warn => "warn",
            Stand::Fail => "fail",
        };
        writeln!(out, "{stand}  {:<12} {}", self.what, self.said)?;
        if !self.next.is_empty() {
            writeln!(out, "      {:<12} next: {}", "", self.next)?;
        }
        Ok(())
    }
}
