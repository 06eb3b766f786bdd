//! What packs say once they are loaded, and who signed them.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use vouchsafe::PackSigners;
use vouchsafe::retention::{PackStatement, Policy, Rule};

use super::{load, read};
use crate::log::parse_key;
use crate::retention::read_approver;
use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct Check {
    /// The packs, behind those that ship; none: those that ship alone
    #[arg(value_name = "PACK.toml")]
    packs: Vec<PathBuf>,
    /// Without the packs that ship
    #[arg(long, conflicts_with = "key")]
    alone: bool,
    /// The key of somebody who may sign packs; with one, every pack has to be signed
    #[arg(long, value_name = "VKEY", requires = "packs")]
    key: Vec<String>,
    /// The signatures, in the order of the packs; without, each is the pack's file name with `.signature` behind it
    #[arg(long, value_name = "FILE", requires = "key")]
    signature: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Sign {
    /// The pack
    #[arg(value_name = "PACK.toml")]
    pack: PathBuf,
    /// The signer's secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the signature is written, by default the pack's file name with `.signature` behind it; never over an
    /// existing file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let policy = if self.key.is_empty() { load(&self.packs, self.alone)? } else { self.signed()? };
        writeln!(out, "policy    {}", policy.digest())?;
        writeln!(out, "calendar  {}", policy.zone_name())?;
        writeln!(out, "signed    {}", if self.key.is_empty() { "not asked" } else { "every own pack" })?;
        for source in policy.sources() {
            writeln!(out, "pack      {source}")?;
        }
        policy.rules().iter().try_for_each(|rule| line(out, rule))?;
        for row in policy.honours().iter().filter(|row| !row.is_enabled()) {
            writeln!(out, "disabled  {} ({}): its source is not confirmed", row.id(), row.clause())?;
        }
        for gap in policy.gaps() {
            writeln!(out, "gap       {gap}")?;
        }
        for conflict in policy.conflicts() {
            writeln!(out, "conflict  {}: {}", conflict.kind().name(), conflict.first())?;
            writeln!(out, "  against   {}", conflict.second())?;
            writeln!(out, "  resolved  {}", conflict.resolution())?;
        }
        let enabled = policy.rules().iter().filter(|rule| rule.is_enabled()).count();
        let disabled = policy.rules().len() - enabled;
        let (gaps, conflicts) = (policy.gaps().len(), policy.conflicts().len());
        writeln!(out, "enabled={enabled} disabled={disabled} gaps={gaps} conflicts={conflicts}")?;
        Ok(())
    }

    fn signed(&self) -> Result<Policy, CliError> {
        let keys = self.key.iter().map(|key| parse_key(key)).collect::<Result<Vec<_>, _>>()?;
        let beside: Vec<PathBuf> = self.packs.iter().map(|pack| signature_of(pack)).collect();
        let signatures = if self.signature.is_empty() { &beside } else { &self.signature };
        if signatures.len() != self.packs.len() {
            return Err(CliError::Signatures);
        }
        let signatures = signatures.iter().map(|path| files::read(path, "the pack's signature"));
        let (texts, signatures) = (read(&self.packs)?, signatures.collect::<Result<Vec<_>, _>>()?);
        let signed: Vec<(&str, &[u8])> =
            texts.iter().map(String::as_str).zip(signatures.iter().map(Vec::as_slice)).collect();
        Ok(Policy::from_signed(&signed, &PackSigners::new(keys))?)
    }
}

impl Sign {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let pack = files::read_text(&self.pack, "the pack file")?;
        let signature = read_approver(&self.key)?.sign_pack(&pack)?;
        let path = self.out.clone().unwrap_or_else(|| signature_of(&self.pack));
        files::write_new(&path, "the pack's signature", signature.as_bytes())?;
        writeln!(out, "signed  {}", PackStatement::of(&pack).digest())?;
        Ok(())
    }
}

fn signature_of(pack: &Path) -> PathBuf {
    let mut path = pack.as_os_str().to_owned();
    path.push(".signature");
    path.into()
}

fn line(out: &mut dyn Write, rule: &Rule) -> Result<(), CliError> {
    let bound = bound(rule);
    match (rule.is_enabled(), rule.adoption()) {
        (true, None) => writeln!(out, "enabled   {bound}")?,
        (true, Some(adoption)) => {
            writeln!(out, "enabled   {bound}: adopted by {} on {}", adoption.by(), adoption.on())?;
        }
        (false, _) => writeln!(out, "disabled  {bound}: its source is not confirmed")?,
    }
    Ok(())
}

/// A rule in one line.
pub(crate) fn bound(rule: &Rule) -> String {
    let period = rule.period().map_or_else(|| "not stated".to_owned(), |period| period.to_string());
    let place = rule.jurisdiction().map(|place| format!(" in {}", place.name())).unwrap_or_default();
    let whose = [rule.modality().map(|modality| modality.name()), rule.role().map(|role| role.name())];
    let whose: String = whose.into_iter().flatten().map(|word| format!(" {word}")).collect();
    let (id, class, kind) = (rule.id(), rule.class().name(), rule.kind().name());
    let (trigger, clause) = (rule.trigger().name(), rule.clause());
    format!("{id}: {class}{whose}{place}, {kind}, {period} after {trigger} ({clause})")
}
