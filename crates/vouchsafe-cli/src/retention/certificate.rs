//! Certificates of destruction: issued for the operator, checked by anybody.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::ledger::{Receipt as Proof, Trust, VerifierKey};
use vouchsafe::types::LeafIndex;
use vouchsafe::{DestructionCertificate, EnrolmentReceipt, Receipt};

use crate::folder::Place;
use crate::log::parse_key;
use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct Certify {
    #[command(flatten)]
    place: Place,
    /// The leaf of the holding: the id of its item in the plan
    #[arg(long, value_name = "N")]
    leaf: u64,
    /// Where the certificate is written instead of to the output; never over an existing file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The certificate
    file: PathBuf,
    /// The log's verifier key, obtained from somewhere else than the certificate
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// The receipt of the enrolment that the person kept
    #[arg(long, value_name = "enrolment.json")]
    receipt: Option<PathBuf>,
    /// The proof (`log prove`) that the receipt's entry is in the log where the receipt says
    #[arg(long, value_name = "PROOF")]
    proof: Option<PathBuf>,
}

impl Certify {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let leaf = LeafIndex::new(self.leaf)?;
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let mut certificate = organisation.certificate(leaf)?;
        organisation.prove_certificate(&mut certificate)?;
        match &self.out {
            Some(path) => {
                files::write_new(path, "the certificate file", certificate.to_text().as_bytes())?;
                line(out, &certificate)
            }
            None => Ok(write!(out, "{}", certificate.to_text())?),
        }
    }
}

impl Check {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let key = parse_key(&self.key)?;
        if self.proof.is_some() && self.receipt.is_none() {
            return Err(CliError::ProofAlone);
        }
        let note = files::read_text(&self.file, "the certificate file")?;
        let certificate = DestructionCertificate::verify(&note, &key)?;
        line(out, &certificate)?;
        if certificate.has_proof() {
            let head = certificate.verify_inclusion(&Trust::new(&key, key.name()))?;
            writeln!(out, "its destruction is in the log of {} entries", head.size())?;
        }
        writeln!(out, "signature valid; a signed claim with evidence, never a proof of absence")?;
        if let Some(path) = &self.receipt {
            let text = files::read_text(path, "the receipt file")?;
            let about =
                EnrolmentReceipt::from_json(&text).is_ok_and(|receipt| certificate.is_about(&receipt));
            self.compare(out, about, &Receipt::from_json(&text)?, &key)?;
        }
        Ok(())
    }

    fn compare(
        &self,
        out: &mut dyn Write,
        about: bool,
        receipt: &Receipt,
        key: &VerifierKey,
    ) -> Result<(), CliError> {
        if !about {
            return Err(CliError::NotAbout);
        }
        let entry = receipt.entry();
        let Some(path) = &self.proof else {
            writeln!(out, "about entry {entry}; --proof checks that the log holds it")?;
            return Ok(());
        };
        let proof = Proof::parse(&files::read_text(path, "the proof file")?)?;
        let head = proof.verify(receipt.leaf(), key, key.name())?;
        if proof.index() != entry {
            return Err(CliError::NotAbout);
        }
        writeln!(out, "about entry {entry}, which is in the log of {} entries", head.size())?;
        Ok(())
    }
}

/// One line for a certificate.
pub(crate) fn line(out: &mut dyn Write, certificate: &DestructionCertificate) -> Result<(), CliError> {
    let enrolment =
        certificate.enrolment_entry().map_or_else(String::new, |entry| format!(" of entry {entry}"));
    writeln!(
        out,
        "{}{enrolment} destroyed: entry {}, cause {}, erasure strength {}",
        certificate.class().name(),
        certificate.destruction_entry(),
        certificate.cause(),
        certificate.strength()
    )?;
    Ok(())
}
