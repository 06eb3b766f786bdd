//! What the server's refusals mean to the caller. Nothing of a message is kept: it may quote values.
use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::Severity;

use crate::StoreError;

/// Why a statement failed.
pub(super) fn statement(error: Error) -> StoreError {
    let Some(code) = error.code() else {
        let damaged = error.source().is_some_and(|source| source.is::<tokio_postgres::types::WrongType>());
        return if damaged { StoreError::Damaged } else { StoreError::Io };
    };
    match code.code() {
        "25006" => StoreError::ReadOnly,
        "40001" | "40P01" | "55P03" | "53300" => StoreError::Locked,
        "42501" | "3D000" => StoreError::Denied,
        "42P01" | "42703" | "3F000" | "42P10" => StoreError::SchemaDiffers,
        "53100" => StoreError::Full,
        "XX001" | "XX002" => StoreError::Damaged,
        code => match code.get(..2) {
            Some("22") => StoreError::Damaged,
            Some("23") => StoreError::Conflict,
            Some("28") => StoreError::Denied,
            _ => StoreError::Io,
        },
    }
}

/// Why there is no connection.
pub(super) fn connection(error: Error) -> StoreError {
    if error.code().is_some() {
        return statement(error);
    }
    let said = error.to_string();
    if said.starts_with("authentication error") || said.starts_with("invalid configuration") {
        return StoreError::Denied;
    }
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.to_string() == "server does not support TLS" {
            return StoreError::PlaintextRefused;
        }
        let inner = source.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if source.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return StoreError::UntrustedServer;
        }
        cause = source.source();
    }
    StoreError::Io
}

/// Whether the server itself said that the transaction failed: then it did.
pub(super) fn is_verdict(error: &Error) -> bool {
    error.as_db_error().is_some_and(|said| {
        let fatal = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic) | None);
        let ending = matches!(said.code().code().get(..2), Some("57" | "08" | "58" | "XX"));
        !(fatal || ending)
    })
}

/// Whether to try again to begin a transaction.
pub(super) const fn is_passing(error: StoreError) -> bool {
    matches!(error, StoreError::Io | StoreError::Locked)
}
