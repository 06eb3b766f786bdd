//! Documents about a person that change while they are held: facts, requests, disclosures, deletion orders. Each is
//! sealed under the leaf of its class, like a payload, and dies with it.

use vouchsafe_store::{DocumentRow, Holding, HoldingState, StoreError};
use vouchsafe_types::{DataClass, FactField, LeafIndex, RecordId, SubjectPseudonym, Timestamp};
use zeroize::Zeroizing;

use crate::Error;
use crate::act::{Act, payload_context};

/// What a document is; its number in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Disclosure,
    Fact,
    Once,
    Order,
    Request,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Fact, Self::Request, Self::Disclosure, Self::Order, Self::Once];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Request => "rights_request",
            Self::Disclosure => "disclosure",
            Self::Order => "deletion_order",
            Self::Once => "idempotency_key",
        }
    }

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fact => 1,
            Self::Request => 2,
            Self::Disclosure => 3,
            Self::Order => 4,
            Self::Once => 5,
        }
    }
}

/// What stands beside the sealed bytes, for indices.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside {
    pub(crate) field: Option<FactField>,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) closed_at: Option<Timestamp>,
}

/// A document that was opened.
pub(crate) struct Opened {
    pub(crate) row: DocumentRow,
    pub(crate) plain: Zeroizing<Vec<u8>>,
}

impl Act<'_> {
    /// Seals a new document under a leaf.
    pub(crate) fn put_document(
        &mut self,
        (id, leaf, class): (RecordId, LeafIndex, DataClass),
        kind: Kind,
        entry: u64,
        plain: &[u8],
        beside: Beside,
    ) -> Result<(), Error> {
        let row = self.sealed_row((id, leaf, class), kind, entry, plain, beside)?;
        Ok(self.rows.insert_document(self.organisation, &row)?)
    }

    /// Seals a document again in the place of what it was.
    pub(crate) fn replace_document(
        &mut self,
        old: &DocumentRow,
        class: DataClass,
        kind: Kind,
        entry: u64,
        plain: &[u8],
        beside: Beside,
    ) -> Result<(), Error> {
        let row = self.sealed_row((old.id, old.leaf, class), kind, entry, plain, beside)?;
        Ok(self.rows.replace_document(self.organisation, &row)?)
    }

    fn sealed_row(
        &mut self,
        (id, leaf, class): (RecordId, LeafIndex, DataClass),
        kind: Kind,
        entry: u64,
        plain: &[u8],
        beside: Beside,
    ) -> Result<DocumentRow, Error> {
        let key_version = self.state.key_version();
        let context = payload_context(self.organisation, leaf, class, id, key_version);
        let sealed = self.seal(&context, plain)?;
        let Beside { field, next_at, closed_at } = beside;
        let field = field.map_or(0, FactField::code);
        Ok(DocumentRow { id, leaf, kind: kind.code(), field, sealed, key_version, entry, next_at, closed_at })
    }

    /// Opens one document of a person; `None` when it does not exist or is another's.
    pub(crate) fn document(
        &mut self,
        subject: SubjectPseudonym,
        kind: Kind,
        id: RecordId,
    ) -> Result<Option<Opened>, Error> {
        let Some(row) = self.rows.document(self.organisation, id)?.filter(|row| row.kind == kind.code())
        else {
            return Ok(None);
        };
        let holding = self.rows.holding(self.organisation, row.leaf)?.ok_or(StoreError::Damaged)?;
        if holding.subject != subject || holding.state != HoldingState::Live {
            return Ok(None);
        }
        self.open_document(&holding, row).map(Some)
    }

    /// Opens every document of a kind that is held about a person.
    pub(crate) fn documents(&mut self, subject: SubjectPseudonym, kind: Kind) -> Result<Vec<Opened>, Error> {
        let rows = self.rows.documents(self.organisation, subject, kind.code())?;
        rows.into_iter().map(|row| self.open_row(row)).collect()
    }

    /// Opens a document by its row, whoever it is about.
    pub(crate) fn open_row(&mut self, row: DocumentRow) -> Result<Opened, Error> {
        let holding = self.rows.holding(self.organisation, row.leaf)?.ok_or(StoreError::Damaged)?;
        self.open_document(&holding, row)
    }

    fn open_document(&mut self, holding: &Holding, row: DocumentRow) -> Result<Opened, Error> {
        let context = payload_context(self.organisation, row.leaf, holding.class, row.id, row.key_version);
        let plain = self.state.open(&context, &row.sealed)?;
        Ok(Opened { row, plain: Zeroizing::new(plain.expose_secret().to_vec()) })
    }

    /// The one live leaf of a class that a person's lasting facts lie under; a new one where there is none.
    pub(crate) fn lasting_holding(
        &mut self,
        class: DataClass,
        subject: SubjectPseudonym,
    ) -> Result<LeafIndex, Error> {
        let ever = (Timestamp::MIN, Timestamp::MAX);
        match self.rows.daily_holding(self.organisation, class, subject, ever)? {
            Some(holding) => Ok(holding.leaf),
            None => self.hold(class, subject),
        }
    }
}
