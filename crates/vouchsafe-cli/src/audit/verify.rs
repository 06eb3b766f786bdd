use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::ledger::read_handovers;
use vouchsafe::store::FolderTiles;
use vouchsafe::{BundleCounts, BundleReport, Timestamp, verify_bundle};

use super::named;
use crate::CliError;
use crate::log::trust::TrustArgs;

#[derive(Args)]
pub(crate) struct Verify {
    /// The folder of the bundle
    folder: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// A signed checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let known = self.trust.read()?;
        let handovers = read_handovers(&FolderTiles::at(self.folder.join("log"))).unwrap_or_default();
        let kept = |file: &PathBuf| known.remembered_along(file, known.origin(), &handovers);
        let kept = self.checkpoint.as_ref().map(kept).transpose()?;
        let trust = known.trust();
        let trust = kept.as_ref().map_or(trust, |signed| trust.remembering(signed.checkpoint()));
        print(out, &verify_bundle(&self.folder, &trust).map_err(named)?, Timestamp::now())
    }
}

fn print(out: &mut dyn Write, report: &BundleReport, now: Timestamp) -> Result<(), CliError> {
    if let Some(head) = report.checkpoint() {
        writeln!(out, "origin        {}", head.origin())?;
        writeln!(out, "size          {}", head.size())?;
        writeln!(out, "root          {}", head.to_string().lines().nth(2).unwrap_or_default())?;
    }
    if let Some(key) = report.key() {
        writeln!(out, "key           {key}")?;
    }
    let counts = report.counts();
    writeln!(out, "files         {}", report.files())?;
    writeln!(out, "checked       {} entries", counts.entries)?;
    if let Some(newest) = report.newest() {
        writeln!(out, "until         {newest}, as its entries say")?;
    }
    writeln!(out, "public        {} payload(s), {} lost by a recovery", counts.public, counts.public_lost)?;
    writeln!(out, "notices       {}", counts.notices)?;
    match report.policy() {
        Some((digest, true)) => writeln!(out, "policy        {digest}, its packs are here")?,
        Some((digest, false)) => writeln!(out, "policy        {digest}, its packs are not here")?,
        None => writeln!(out, "policy        the log names none")?,
    }
    lives(out, counts)?;
    for finding in report.findings() {
        writeln!(out, "finding       {finding}")?;
    }
    let ahead = report.is_dated_ahead_of(now);
    if ahead {
        writeln!(out, "finding       the log is dated ahead of this machine's clock")?;
    }
    writeln!(out, "counts        {counts}")?;
    if report.is_sound() && !ahead {
        return Ok(writeln!(out, "sound")?);
    }
    let findings = report.findings().len() as u64 + report.omitted() + u64::from(ahead);
    Err(CliError::BundleNotSound(findings.max(1)))
}

/// What became of the enrolments, and of what was destroyed.
fn lives(out: &mut dyn Write, counts: &BundleCounts) -> Result<(), CliError> {
    let BundleCounts { enrolled, destroyed, held, enrolments_lost, .. } = counts;
    write!(out, "enrolled      {enrolled}: {destroyed} destroyed with a certificate, {held} held")?;
    writeln!(out, ", {enrolments_lost} lost by a recovery")?;
    writeln!(out, "certificates  {}", counts.certificates)?;
    let tallies = [
        ("class", &counts.classes),
        ("cause", &counts.causes),
        ("strength", &counts.strengths),
        ("not reached", &counts.not_reached),
    ];
    for (what, tally) in tallies.into_iter().filter(|(_, tally)| !tally.is_empty()) {
        writeln!(out, "  {what:<11} {}", words(tally))?;
    }
    let (expired, early) = (counts.expired, counts.early);
    writeln!(out, "without one   {expired} after seven years, {early} before, {} lost", counts.lost)?;
    let (absent, retired) = (counts.policy_absent, counts.rule_retired);
    write!(out, "rules         {absent} of a policy that is not here, {retired} of an earlier one")?;
    writeln!(out, ", {} of one that was not in force", counts.policy_not_in_force)?;
    Ok(())
}

fn words(tally: &BTreeMap<String, u64>) -> String {
    tally.iter().map(|(word, number)| format!("{word} {number}")).collect::<Vec<_>>().join(", ")
}
