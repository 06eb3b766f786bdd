//! What a verifier brings along: a key from elsewhere, an older checkpoint, a policy of witnesses.

use std::path::{Path, PathBuf};

use clap::Args;
use vouchsafe::ledger::{Handover, KeyChain, LedgerError, Policy, SignedCheckpoint, Trust, VerifierKey};

use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct TrustArgs {
    /// The log's verifier key, obtained from somewhere else than what is checked
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// Demand the quorum of witnesses of this policy (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// A key with its log, and the policy.
pub(crate) struct Known {
    pub(crate) key: VerifierKey,
    pub(crate) policy: Option<Policy>,
}

impl TrustArgs {
    pub(crate) fn read(&self) -> Result<Known, CliError> {
        Ok(Known { key: parse_key(&self.key)?, policy: read_policy(self.policy.as_deref())? })
    }
}

impl Known {
    /// The logs of vouchsafe sign under their origin.
    pub(crate) fn origin(&self) -> &str {
        self.key.name()
    }

    pub(crate) fn trust(&self) -> Trust<'_> {
        self.demanding(Trust::new(&self.key, self.origin()))
    }

    /// The keys that the handovers lead to; those before the known key are somebody else's business.
    pub(crate) fn follow(&self, origin: &str, handovers: &[Handover]) -> Result<KeyChain, CliError> {
        let known = handovers.iter().position(|handover| *handover.statement().old() == self.key);
        let rest = known.and_then(|first| handovers.get(first..)).unwrap_or_default();
        Ok(KeyChain::follow(self.key.clone(), origin, rest, self.policy.as_ref())?)
    }

    pub(crate) fn demanding<'a>(&'a self, trust: Trust<'a>) -> Trust<'a> {
        self.policy.as_ref().map_or(trust, |policy| trust.demanding(policy))
    }

    /// Reads a checkpoint that was kept for long: an older key of the log, or a newer one, may have signed it.
    pub(crate) fn remembered_along(
        &self,
        file: &Path,
        origin: &str,
        handovers: &[Handover],
    ) -> Result<SignedCheckpoint, CliError> {
        match self.remembered(file, Trust::new(&self.key, origin)) {
            Err(CliError::Ledger(LedgerError::SignatureMissing)) => {
                let chain = self.follow(origin, handovers)?;
                self.remembered(file, Trust::chained(&chain))
            }
            opened => opened,
        }
    }

    /// Reads a checkpoint that was kept. Nobody had to cosign it, unless its key was stolen later.
    pub(crate) fn remembered(&self, file: &Path, trust: Trust<'_>) -> Result<SignedCheckpoint, CliError> {
        let note = files::read(file, KEPT)?;
        match (trust.open(&note), &self.policy) {
            (Err(LedgerError::QuorumMissing), Some(policy)) => Ok(trust.demanding(policy).open(&note)?),
            (opened, _) => Ok(opened?),
        }
    }
}

/// Reads a verifier key from the command line.
pub(crate) fn parse_key(text: &str) -> Result<VerifierKey, CliError> {
    VerifierKey::parse(text.trim()).map_err(|_| CliError::Malformed("the verifier key"))
}

pub(crate) fn read_policy(file: Option<&Path>) -> Result<Option<Policy>, CliError> {
    const WHAT: &str = "the policy file";
    let Some(file) = file else { return Ok(None) };
    let policy = Policy::parse(&files::read(file, WHAT)?);
    policy.map(Some).map_err(|_| CliError::Malformed(WHAT))
}

const KEPT: &str = "the checkpoint file";
