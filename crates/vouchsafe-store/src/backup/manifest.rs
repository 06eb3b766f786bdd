//! What a backup holds: its table of contents, bound by a digest of its own.
use jiff::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};
use vouchsafe_ledger::{Checkpoint, Note};
use vouchsafe_types::{Digest, OrganisationId};

use super::BackupError;
use super::tables::{SCHEMA, TABLES};

/// The name of its file.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The longest manifest: a thousand bytes for each of a hundred thousand organisations.
pub(crate) const MOST: u64 = 100 << 20;

const FORMAT: u32 = 1;
const DAMAGED: BackupError = BackupError::Damaged(MANIFEST);

/// What no backup holds, so that what was destroyed after it stays destroyed when it is restored.
const EXCLUDED: [&str; 5] =
    ["key states", "keys of the key service", "fence journals", "log tiles", "checkpoints kept outside"];

/// The contents of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub(crate) engine: String,
    pub(crate) at: Timestamp,
    pub(crate) organisations: Vec<Copied>,
    pub(crate) tables: Vec<TableFile>,
}

/// One organisation in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub(crate) id: OrganisationId,
    pub(crate) entries: u64,
    pub(crate) head: Option<Head>,
}

/// A checkpoint as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: String,
}

/// The file of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableFile {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
}

impl Manifest {
    /// The engine whose rows were copied.
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// When the copy was begun.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The version of the logical schema.
    pub const fn schema(&self) -> u32 {
        SCHEMA
    }

    /// The organisations, in the order of their ids.
    pub fn organisations(&self) -> &[Copied] {
        &self.organisations
    }

    /// The tables with their rows.
    pub fn tables(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TABLES.iter().zip(&self.tables).map(|(table, file)| (table.name, file.rows))
    }

    /// How many bytes the files of the tables hold together.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }

    /// Whether the rows of this organisation are in it.
    pub(crate) fn has(&self, organisation: &str) -> bool {
        self.organisations.binary_search_by(|one| one.id.as_str().cmp(organisation)).is_ok()
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, BackupError> {
        let mut wire = Wire::of(self);
        wire.digest = digest_of(&wire.to_bytes()?).to_string();
        wire.to_bytes()
    }

    /// Reads a manifest; there is one spelling.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BackupError> {
        let Version { format } = serde_json::from_slice(bytes).map_err(|_| DAMAGED)?;
        if format > FORMAT {
            return Err(BackupError::Newer);
        }
        let Versions { schema } = serde_json::from_slice(bytes).map_err(|_| DAMAGED)?;
        let wire: Result<Wire, _> = serde_json::from_slice(bytes);
        match schema.cmp(&SCHEMA) {
            std::cmp::Ordering::Greater => return Err(BackupError::Newer),
            std::cmp::Ordering::Less => return Err(BackupError::Older),
            std::cmp::Ordering::Equal => {}
        }
        let manifest = wire.ok().and_then(Wire::read).ok_or(DAMAGED)?;
        if manifest.to_bytes()? == bytes { Ok(manifest) } else { Err(DAMAGED) }
    }

    /// What stands for this backup and no other.
    pub(crate) fn digest(&self) -> Result<Digest, BackupError> {
        Ok(digest_of(&self.to_bytes()?))
    }
}

impl Copied {
    /// Which organisation.
    pub const fn id(&self) -> &OrganisationId {
        &self.id
    }

    /// How many log entries.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The newest checkpoint that was published before the rows were read; all its entries are among them.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.head.as_ref().map(|head| &head.checkpoint)
    }

    /// The signed note of that checkpoint, as it was published.
    pub fn note(&self) -> Option<&str> {
        self.head.as_ref().map(|head| head.note.as_str())
    }
}

impl Head {
    /// A note as it was published; its signatures are checked by who knows the key.
    pub(crate) fn of(note: String) -> Option<Self> {
        Note::parse(&note).ok()?;
        let (body, _) = note.split_once("\n\n")?;
        let checkpoint = Checkpoint::parse(&format!("{body}\n")).ok()?;
        Some(Self { checkpoint, note })
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Deserialize)]
struct Versions {
    schema: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: u32,
    schema: u32,
    engine: String,
    at: String,
    excluded: Vec<String>,
    organisations: Vec<WireOrganisation>,
    tables: Vec<WireTable>,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOrganisation {
    id: String,
    entries: u64,
    checkpoint: Option<WireCheckpoint>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCheckpoint {
    size: u64,
    note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTable {
    table: String,
    rows: u64,
    bytes: u64,
    sha256: String,
}

impl Wire {
    fn of(manifest: &Manifest) -> Self {
        let organisation = |copied: &Copied| WireOrganisation {
            id: copied.id.to_string(),
            entries: copied.entries,
            checkpoint: copied
                .head
                .as_ref()
                .map(|head| WireCheckpoint { size: head.checkpoint.size(), note: head.note.clone() }),
        };
        let tables = TABLES.iter().zip(&manifest.tables).map(|(table, file)| WireTable {
            table: table.name.to_owned(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.digest.to_string(),
        });
        Self {
            format: FORMAT,
            schema: SCHEMA,
            engine: manifest.engine.clone(),
            at: manifest.at.to_string(),
            excluded: EXCLUDED.map(str::to_owned).to_vec(),
            organisations: manifest.organisations.iter().map(organisation).collect(),
            tables: tables.collect(),
            digest: String::new(),
        }
    }

    fn read(self) -> Option<Manifest> {
        let organisation = |wire: WireOrganisation| {
            let head = match wire.checkpoint {
                Some(head) => Some(Head::of(head.note)?),
                None => None,
            };
            Some(Copied { id: OrganisationId::parse(&wire.id).ok()?, entries: wire.entries, head })
        };
        let organisations: Vec<_> =
            self.organisations.into_iter().map(organisation).collect::<Option<_>>()?;
        if !organisations.iter().map(|copied| &copied.id).is_sorted_by(|a, b| a.as_str() < b.as_str())
            || self.tables.len() != TABLES.len()
        {
            return None;
        }
        let table = |wire: WireTable| {
            Some(TableFile { rows: wire.rows, bytes: wire.bytes, digest: Digest::parse(&wire.sha256).ok()? })
        };
        Some(Manifest {
            engine: self.engine,
            at: self.at.parse().ok()?,
            organisations,
            tables: self.tables.into_iter().map(table).collect::<Option<_>>()?,
        })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, BackupError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|_| DAMAGED)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(bytes);
    finished(context)
}

pub(crate) fn finished(context: digest::Context) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Digest::from_bytes(bytes)
}
