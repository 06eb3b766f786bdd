//! Many holdings at once, for benches and tests of size.

use std::io::Cursor;
use std::pin::pin;

use futures_util::SinkExt;
use tokio_postgres::Client;
use vouchsafe_types::{OrganisationId, Scope, Timestamp};

use super::{Admin, error};
use crate::sql::LIVE;
use crate::{Holding, RecordRow, StoreError};

const SUBJECT: &str = "subject (organisation, pseudonym, last_interaction, last_act)";
const HOLDING: &str =
    "holding (organisation, leaf, class, subject, scope, state, created_at, created_entry, review_at)";
const RECORD: &str = "record (organisation, id, leaf, model, dimension, sealed, key_version)";
/// How many rows one command copies.
const BATCH: usize = 5_000;

/// Rows in the binary form of `COPY`.
struct Copied {
    into: &'static str,
    bytes: Vec<u8>,
}

impl Admin {
    /// Adds live holdings, each with a person and a record of its own; it checks no reference and keeps no tally.
    pub(crate) fn load_holdings(
        &self,
        organisation: &OrganisationId,
        holdings: impl IntoIterator<Item = (Holding, RecordRow)>,
    ) -> Result<u64, StoreError> {
        self.run("SET session_replication_role = replica; SET synchronous_commit = off")?;
        let (mut holdings, mut loaded) = (holdings.into_iter().peekable(), 0);
        while holdings.peek().is_some() {
            let mut tables = [SUBJECT, HOLDING, RECORD].map(Copied::into);
            for (held, sealed) in holdings.by_ref().take(BATCH) {
                tables = write(tables, organisation, &held, &sealed);
                loaded += 1;
            }
            self.link.driver.wait(self.server.bounds.answer() * 10, async {
                for table in tables {
                    table.copy(&self.link.client).await?;
                }
                Ok(())
            })?;
        }
        Ok(loaded)
    }
}

fn write(tables: [Copied; 3], of: &OrganisationId, held: &Holding, sealed: &RecordRow) -> [Copied; 3] {
    let [subject, holding, record] = tables;
    let (of, created_at) = (Some(of.as_str().as_bytes()), held.created_at.as_microsecond());
    let scope = held.scope.map(Scope::code);
    let leaf = held.leaf.get().cast_signed();
    [
        subject.row(4).field(of).field(Some(held.subject.as_bytes())).int(created_at).int(0),
        holding
            .row(9)
            .field(of)
            .int(leaf)
            .int(held.class.code().into())
            .field(Some(held.subject.as_bytes()))
            .field(scope.as_ref().map(<[u8; 3]>::as_slice))
            .int(LIVE)
            .int(created_at)
            .maybe(held.created_entry.map(u64::cast_signed))
            .maybe(held.review_at.map(Timestamp::as_microsecond)),
        record
            .row(7)
            .field(of)
            .field(Some(sealed.id.as_bytes()))
            .int(leaf)
            .field(Some(sealed.model.as_bytes()))
            .int(sealed.dimension.into())
            .field(Some(&sealed.sealed))
            .int(sealed.key_version.into()),
    ]
}

impl Copied {
    fn into(into: &'static str) -> Self {
        // Signature, flags, and the length of an extension: none.
        Self { into, bytes: [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0; 8]].concat() }
    }

    fn row(mut self, fields: i16) -> Self {
        self.bytes.extend(fields.to_be_bytes());
        self
    }

    fn field(mut self, bytes: Option<&[u8]>) -> Self {
        let length = bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(bytes.unwrap_or_default());
        self
    }

    fn int(self, value: i64) -> Self {
        self.field(Some(&value.to_be_bytes()))
    }

    fn maybe(self, value: Option<i64>) -> Self {
        let bytes = value.map(i64::to_be_bytes);
        self.field(bytes.as_ref().map(<[u8; 8]>::as_slice))
    }

    async fn copy(self, client: &Client) -> Result<(), StoreError> {
        let Self { into, bytes } = self.row(-1);
        let sink = client.copy_in(&format!("COPY {into} FROM STDIN (FORMAT binary)")).await;
        let mut sink = pin!(sink.map_err(error::statement)?);
        sink.send(Cursor::new(bytes)).await.map_err(error::statement)?;
        sink.finish().await.map(drop).map_err(error::statement)
    }
}
