//! A row as bytes: its length, then its values, each with its type. There is one encoding.
use std::io::{self, Read};

use super::BackupError;
use crate::sql::Value;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Blob,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// The longest row, in bytes, without the 4 of its length.
pub(crate) const MOST: usize = 64 << 20;

const NULL: u8 = 0;
const INT: u8 = 1;
const TEXT: u8 = 2;
const BLOB: u8 = 3;

impl Cell {
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(value) => Value::Int(*value),
            Self::Text(value) => Value::Text(value),
            Self::Blob(value) => Value::Blob(value),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Appends a row; `None` if it is longer than the format allows.
pub(crate) fn encode(row: &[Cell], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.extend([0; 4]);
    for cell in row {
        match cell {
            Cell::Null => out.push(NULL),
            Cell::Int(value) => {
                out.push(INT);
                out.extend(value.to_be_bytes());
            }
            Cell::Text(text) => bytes(TEXT, text.as_bytes(), out)?,
            Cell::Blob(blob) => bytes(BLOB, blob, out)?,
        }
    }
    let length = out.len() - start - 4;
    let length = u32::try_from(length).ok().filter(|_| length <= MOST)?;
    out.get_mut(start..start + 4)?.copy_from_slice(&length.to_be_bytes());
    Some(())
}

fn bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MOST)?;
    out.push(tag);
    out.extend(length.to_be_bytes());
    out.extend(bytes);
    Some(())
}

/// Reads the next row; `None` at the end.
///
/// Memory grows with what is there, never with what a length claims.
pub(crate) fn decode(
    from: &mut dyn Read,
    kinds: &[(&'static str, Kind)],
    file: &'static str,
) -> Result<Option<Vec<Cell>>, BackupError> {
    const DAMAGED: fn(&'static str) -> BackupError = BackupError::Damaged;
    let mut head = Vec::with_capacity(4);
    from.take(4).read_to_end(&mut head).map_err(|error| failed(&error))?;
    if head.is_empty() {
        return Ok(None);
    }
    let head: [u8; 4] = head.try_into().map_err(|_| DAMAGED(file))?;
    let length = u32::from_be_bytes(head);
    if length as usize > MOST {
        return Err(DAMAGED(file));
    }
    let mut body = Vec::new();
    from.take(length.into()).read_to_end(&mut body).map_err(|error| failed(&error))?;
    if body.len() != length as usize {
        return Err(DAMAGED(file));
    }
    cells(&body, kinds).map(Some).ok_or(DAMAGED(file))
}

fn cells(mut body: &[u8], kinds: &[(&'static str, Kind)]) -> Option<Vec<Cell>> {
    let mut row = Vec::with_capacity(kinds.len());
    for (_, kind) in kinds {
        let (tag, rest) = body.split_first()?;
        body = rest;
        let cell = match (*tag, kind) {
            (NULL, _) => Cell::Null,
            (INT, Kind::Int) => Cell::Int(i64::from_be_bytes(*taken(&mut body)?)),
            (TEXT, Kind::Text) => Cell::Text(str::from_utf8(counted(&mut body)?).ok()?.to_owned()),
            (BLOB, Kind::Blob) => Cell::Blob(counted(&mut body)?.to_vec()),
            _ => return None,
        };
        row.push(cell);
    }
    body.is_empty().then_some(row)
}

fn taken<'a, const N: usize>(from: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(taken)
}

fn counted<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(*taken(from)?);
    let (taken, rest) = from.split_at_checked(length as usize)?;
    *from = rest;
    Some(taken)
}

pub(crate) fn failed(error: &io::Error) -> BackupError {
    BackupError::Io(error.kind())
}
