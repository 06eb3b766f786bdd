use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use vouchsafe::consent::receipt::{Iso27560, ReceiptEvent, ReceiptFacts, html};
use vouchsafe::consent::{ConsentStatus, ExpressionKind};
use vouchsafe::ledger::EntryKind;
use vouchsafe::{ConsentReceipt, Error, Notice, OrganisationId, Scope, Timestamp};

use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct Show {
    /// The receipt of an act of consent, as JSON
    #[arg(value_name = "RECEIPT.json")]
    file: PathBuf,
    /// For whom
    #[arg(long)]
    format: Format,
    /// The organisation
    #[arg(long, value_name = "ID")]
    org: String,
    /// The exact bytes of the notice: in an export, `notices/SHA256`
    #[arg(long, value_name = "FILE")]
    notice: PathBuf,
    /// The terms of the notice: in an export, `notices/SHA256.json`
    #[arg(long, value_name = "FILE")]
    terms: PathBuf,
    /// How the person withdraws, in words or as an https address
    #[arg(long, value_name = "HOW")]
    withdraw: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A page for people
    Html,
    /// A record for machines
    Iso27560,
}

/// What the page needs of the payload; the rest is for `receipt verify`.
#[derive(Deserialize)]
struct Act {
    at: String,
    scope: String,
    notice: Option<Label>,
    expression: Option<String>,
    expires: Option<String>,
}

#[derive(Deserialize)]
struct Label {
    sha256: String,
}

const WHAT: &str = "the terms file";
const PAYLOAD: &str = "the receipt's payload";
const VERIFY: &str = "Verify the receipt file itself, with the public key of this log: \
    `vouchsafe receipt verify`, or any C2SP tlog-proof verifier.";

impl Show {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let organisation = OrganisationId::parse(&self.org)?;
        let receipt = ConsentReceipt::from_json(&files::read_text(&self.file, "the receipt file")?)?;
        let receipt = receipt.receipt();
        let notice = Notice::from_json(&files::read_text(&self.terms, WHAT)?);
        let notice = notice.map_err(|_| CliError::Malformed(WHAT))?;
        let shown = files::read(&self.notice, "the notice file")?;
        let act = serde_json::from_slice::<Act>(receipt.payload());
        let act = act.map_err(|_| CliError::Malformed(PAYLOAD))?;
        let answered = act.notice.is_some_and(|label| label.sha256 == notice.digest().to_string());
        if !answered || !notice.matches(&shown) {
            return Err(CliError::OtherNotice);
        }
        let instant = |text: &String| text.parse::<Timestamp>().map_err(|_| CliError::Malformed(PAYLOAD));
        let named = |name: &String| ExpressionKind::ALL.into_iter().find(|kind| kind.name() == name);
        let event = ReceiptEvent {
            status: status(receipt.kind()?),
            at: instant(&act.at)?,
            entry: receipt.entry(),
            method: act.expression.as_ref().and_then(named),
            expires: act.expires.as_ref().map(instant).transpose()?,
        };
        let facts = ReceiptFacts {
            organisation: &organisation,
            controller: None,
            log_origin: &receipt.origin()?,
            scope: Scope::parse(&act.scope)?,
            notice: &notice,
            events: &[event],
            withdraw: &self.withdraw,
            verify: VERIFY,
        };
        let text = match self.format {
            Format::Html => html(&facts, &shown).map_err(Error::Consent)?,
            Format::Iso27560 => Iso27560::new(&facts).map_err(Error::Consent)?.to_json(),
        };
        Ok(writeln!(out, "{}", text.trim_end())?)
    }
}

/// Where an act left the line; `ConsentReceipt` holds no entry of another kind.
const fn status(kind: EntryKind) -> ConsentStatus {
    match kind {
        EntryKind::ConsentExpired => ConsentStatus::Expired,
        EntryKind::ConsentGiven => ConsentStatus::Given,
        EntryKind::ConsentRefused => ConsentStatus::Refused,
        EntryKind::ConsentRenewed => ConsentStatus::Renewed,
        EntryKind::ConsentRevoked => ConsentStatus::Revoked,
        EntryKind::ConsentWithdrawn => ConsentStatus::Withdrawn,
        _ => ConsentStatus::Invalidated,
    }
}
