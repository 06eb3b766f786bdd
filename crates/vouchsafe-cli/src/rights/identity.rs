//! How the asker was shown to be the person.

use std::io::Write;

use clap::{Args, ValueEnum};
use vouchsafe::retention::Reference;
use vouchsafe::retention::rights::IdentityProof;

use super::Step;
use crate::{CliError, words};

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    step: Step,
    /// How
    #[arg(long)]
    proof: Proof,
    /// Who looked at documents, by an opaque name
    #[arg(long, value_name = "ID", value_parser = words::reference, required_if_eq("proof", "documents"))]
    checked_by: Option<Reference>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Proof {
    Biometric,
    Documents,
    Session,
    SignedIn,
}

impl Verify {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let proof = match (self.proof, &self.checked_by) {
            (Proof::Biometric, None) => IdentityProof::Biometric,
            (Proof::Documents, Some(checked_by)) => {
                IdentityProof::Documents { checked_by: checked_by.clone() }
            }
            (Proof::Session, None) => IdentityProof::Session,
            (Proof::SignedIn, None) => IdentityProof::SignedIn,
            _ => return Err(CliError::CheckedBy),
        };
        self.step.advance(out, |request, at| request.verify(proof, at))
    }
}
