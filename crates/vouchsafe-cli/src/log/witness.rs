use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use vouchsafe::Ports;
use vouchsafe::ledger::{CosignOutcome, Policy, Witness, WitnessKey};
use vouchsafe_witness::{HttpWitness, WitnessConfig};

use super::monitor::instant;
use super::trust::read_policy;
use crate::folder::{Opened, Place};
use crate::{CliError, files};

/// Who is asked to cosign, and how many must.
#[derive(Args)]
pub(crate) struct WitnessArgs {
    /// A witness, by its key and its submission prefix; repeat it for each
    #[arg(long = "witness", value_name = "VKEY=URL")]
    witnesses: Vec<String>,
    /// The root certificates (PEM) that vouch for the witnesses' servers; no other root is trusted
    #[arg(long, value_name = "FILE")]
    witness_ca: Option<PathBuf>,
    /// The policy (C2SP tlog-policy) whose quorum is demanded; its witnesses with an address are asked too
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Who is asked, and the policy.
pub(crate) struct Witnesses {
    witnesses: Vec<Arc<dyn Witness>>,
    pub(crate) policy: Option<Policy>,
}

impl WitnessArgs {
    pub(crate) fn read(&self) -> Result<Witnesses, CliError> {
        const CERTIFICATES: &str = "the file of root certificates";
        let policy = read_policy(self.policy.as_deref())?;
        let mut named = self.witnesses.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
        for key in policy.iter().flat_map(Policy::witnesses) {
            let url = policy.as_ref().and_then(|policy| policy.witness_url(key));
            if let Some(url) = url.filter(|_| named.iter().all(|(known, _)| known != key)) {
                named.push((key.clone(), url.to_owned()));
            }
        }
        let roots = self.witness_ca.as_ref().map(|file| files::read(file, CERTIFICATES)).transpose()?;
        let roots = roots.unwrap_or_default();
        let mut witnesses: Vec<Arc<dyn Witness>> = Vec::new();
        for (key, url) in named {
            witnesses
                .push(Arc::new(HttpWitness::new(WitnessConfig::new(&url, key).ca_certificates(&roots))?));
        }
        Ok(Witnesses { witnesses, policy })
    }
}

impl Witnesses {
    pub(crate) fn is_empty(&self) -> bool {
        self.witnesses.is_empty()
    }

    pub(crate) fn open(self, place: &Place) -> Result<Opened, CliError> {
        place.open_with(|ports: Ports| {
            let mut ports = ports;
            ports.witnesses = self.witnesses;
            ports.quorum = self.policy;
            ports
        })
    }
}

/// A key may end in `=`, so the address begins at the first one that a scheme follows.
fn parse(text: &str) -> Result<(WitnessKey, String), CliError> {
    let split = ["=https://", "=http://"].iter().filter_map(|scheme| text.find(scheme)).min();
    let (key, url) = split.and_then(|at| text.split_at_checked(at)).ok_or(CliError::WitnessArgument)?;
    let key = WitnessKey::parse(key).map_err(|_| CliError::WitnessArgument)?;
    Ok((key, url.trim_start_matches('=').to_owned()))
}

#[derive(Args)]
pub(crate) struct Cosign {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    witnesses: WitnessArgs,
}

impl Cosign {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let witnesses = self.witnesses.read()?;
        if witnesses.is_empty() {
            return Err(CliError::NoWitness);
        }
        let policy = witnesses.policy.clone();
        let opened = witnesses.open(&self.place)?;
        let report = opened.organisation()?.cosign_log()?;
        let mut failed = 0;
        for (witness, outcome) in report.outcomes() {
            writeln!(out, "{} {}", witness.name(), said(*outcome))?;
            failed += u64::from(!matches!(outcome, CosignOutcome::Already(_) | CosignOutcome::Cosigned(_)));
        }
        write!(out, "\n{}", report.signed().note())?;
        match policy {
            Some(policy) => Ok(policy.check_quorum(report.signed())?),
            None if failed > 0 => Err(CliError::NotCosigned(failed)),
            None => Ok(()),
        }
    }
}

fn said(outcome: CosignOutcome) -> String {
    match outcome {
        CosignOutcome::Ahead(size) => format!("ahead: it cosigned {size} entries"),
        CosignOutcome::Already(time) => format!("cosigned already at {}", instant(time)),
        CosignOutcome::Contradicted(size) => format!("contradicts: it knows another root for {size} entries"),
        CosignOutcome::Cosigned(time) => format!("cosigned at {}", instant(time)),
        CosignOutcome::Failed(error) => format!("failed: {error}"),
        _ => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_a_key_and_an_address() {
        let key = "w1+55a7df3d+BGqWvzeaUa8JoqW7w2sYlEEnnNSG1wUnSOgqQXwPRmpQ";
        let padded = "w1=x+0+AA==";
        for wrong in ["", key, "=https://w.example", "https://w.example", padded, &format!("{key}=w.example")]
        {
            assert!(matches!(parse(wrong), Err(CliError::WitnessArgument)), "{wrong}");
        }
    }
}
