use std::io::Write;

use clap::Args;

use super::{conclude, print};
use crate::CliError;
use crate::folder::Place;

#[derive(Args)]
pub(crate) struct Fsck {
    #[command(flatten)]
    place: Place,
}

impl Fsck {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let key = organisation.verifier_key()?;
        let before = organisation.verify_log()?;
        if before.is_sound() {
            print(out, &key, &before)?;
            writeln!(out, "rebuilt  nothing")?;
            return conclude(out, 0);
        }
        // What is about to be overwritten may be evidence: the operator sees it first.
        for finding in before.findings() {
            writeln!(out, "found    {finding}")?;
        }
        if before.omitted() > 0 {
            writeln!(out, "found    {} more", before.omitted())?;
        }
        writeln!(out, "rebuilt  {} file(s)", organisation.rebuild_log()?)?;
        let findings = print(out, &key, &organisation.verify_log()?)?;
        conclude(out, findings)
    }
}
