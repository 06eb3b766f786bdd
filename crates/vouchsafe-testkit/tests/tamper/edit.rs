//! One edit of a copy of the base folder, drawn at random.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use vouchsafe::ledger::{CHECKPOINT_PATH, TILE_WIDTH, TilePath};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{copy_folder, database, notice};

use super::base::{Base, Outsider, act};

/// The kinds of edits that the promise names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    BitFlip,
    LeafSwap,
    Truncation,
    TileReplaced,
    CheckpointRolledBack,
    Fork,
    PayloadSwapped,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::BitFlip,
        Self::LeafSwap,
        Self::Truncation,
        Self::TileReplaced,
        Self::CheckpointRolledBack,
        Self::Fork,
        Self::PayloadSwapped,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BitFlip => "bit flip",
            Self::LeafSwap => "leaf swap",
            Self::Truncation => "truncation",
            Self::TileReplaced => "tile replaced",
            Self::CheckpointRolledBack => "checkpoint rolled back",
            Self::Fork => "fork",
            Self::PayloadSwapped => "payload swapped",
        }
    }
}

/// What of the folder was edited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    EntryRow,
    SealedPayload,
    /// A sealed payload that says what was destroyed.
    DestructionEvidence,
    PublicPayload,
    Tile,
    Bundle,
    Checkpoint,
    /// The copy of the checkpoint that is kept outside.
    Outside,
    CheckpointAndOutside,
    Folder,
    FolderButOutside,
}

impl What {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EntryRow => "entry rows",
            Self::SealedPayload => "sealed payload",
            Self::DestructionEvidence => "evidence of destruction",
            Self::PublicPayload => "public payload",
            Self::Tile => "tile",
            Self::Bundle => "bundle",
            Self::Checkpoint => "checkpoint",
            Self::Outside => "outside copy",
            Self::CheckpointAndOutside => "and outside copy",
            Self::Folder => "whole folder",
            Self::FolderButOutside => "all but outside",
        }
    }

    /// Whether it is an edit of both organisations at once.
    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::Folder | Self::FolderButOutside)
    }
}

/// Makes the folder `work` with one edit in it; gives which organisation was hit, and where.
pub(crate) fn edit(kind: Kind, base: &Base, work: &Path, draws: &mut Draws) -> (usize, What) {
    let place = usize::from(draws.chance(50));
    if kind == Kind::Fork {
        return (place, fork(base, place, work, draws));
    }
    let target = Target { base, work, place, own: &base.organisations()[place] };
    if kind == Kind::CheckpointRolledBack {
        return (place, target.roll_back(draws));
    }
    copy_folder(base.folder(), work).unwrap();
    let what = match kind {
        Kind::BitFlip => target.flip(draws),
        Kind::LeafSwap => target.swap_leaves(draws),
        Kind::Truncation => target.truncate(draws),
        Kind::TileReplaced => target.replace_tile(draws),
        _ => target.swap_payloads(draws),
    };
    (place, what)
}

struct Target<'a> {
    base: &'a Base,
    work: &'a Path,
    place: usize,
    own: &'a Outsider,
}

impl Target<'_> {
    fn flip(&self, draws: &mut Draws) -> What {
        match draws.below(7) {
            0 => {
                let entry = draws.below(self.size());
                self.edit_column("entry", "number", "bytes", entry, |bytes| flip_bit(bytes, draws));
                What::EntryRow
            }
            1 => {
                let entry = self.any("payload", draws);
                let column = if draws.chance(10) { "id" } else { "sealed" };
                self.edit_column("payload", "entry", column, entry, |bytes| flip_bit(bytes, draws));
                What::SealedPayload
            }
            2 => {
                let entry = self.any("public_payload", draws);
                self.edit_column("public_payload", "entry", "bytes", entry, |bytes| flip_bit(bytes, draws));
                What::PublicPayload
            }
            3 => self.edit_file(&self.needed(false, draws), What::Tile, |bytes| flip_bit(bytes, draws)),
            4 => self.edit_file(&self.needed(true, draws), What::Bundle, |bytes| flip_bit(bytes, draws)),
            5 => self.edit_file(&self.checkpoint(), What::Checkpoint, |bytes| flip_bit(bytes, draws)),
            _ => self.edit_file(&self.outside(), What::Outside, |bytes| flip_bit(bytes, draws)),
        }
    }

    fn swap_leaves(&self, draws: &mut Draws) -> What {
        match draws.below(3) {
            0 => {
                let (one, other) = two(self.size(), draws);
                swap_column(&self.file(), "entry", ("number", "bytes"), self.own.id, one, other);
                What::EntryRow
            }
            1 => {
                // Every leaf has 55 bytes and a length of two.
                let path = self.needed(true, draws);
                self.edit_file(&path, What::Bundle, |bytes| swap_chunks(bytes, 57, draws))
            }
            _ => {
                let path = self.needed(false, draws);
                let several = fs::read(&path).unwrap().len() > 32;
                let path =
                    if several { path } else { self.tile(TilePath::hashes(0, 0, TILE_WIDTH).unwrap()) };
                self.edit_file(&path, What::Tile, |bytes| swap_chunks(bytes, 32, draws))
            }
        }
    }

    fn truncate(&self, draws: &mut Draws) -> What {
        let cut = |bytes: &mut Vec<u8>, draws: &mut Draws| {
            let length = draws.below(bytes.len() as u64);
            bytes.truncate(usize::try_from(length).unwrap());
        };
        match draws.below(8) {
            0 => {
                let file = self.file();
                let left = self.size() - 1 - draws.below(20);
                for (table, column) in
                    [("payload", "entry"), ("public_payload", "entry"), ("entry", "number")]
                {
                    let sql = format!("DELETE FROM {table} WHERE organisation = ?1 AND {column} >= ?2");
                    file.execute(&sql, params![self.own.id, left]).unwrap();
                }
                What::EntryRow
            }
            1 => {
                let entry = self.any("payload", draws);
                if draws.chance(50) {
                    self.edit_column("payload", "entry", "sealed", entry, |bytes| cut(bytes, draws));
                } else {
                    self.delete("payload", entry);
                }
                What::SealedPayload
            }
            2 => {
                let entry = self.any("public_payload", draws);
                if draws.chance(50) {
                    self.edit_column("public_payload", "entry", "bytes", entry, |bytes| cut(bytes, draws));
                } else {
                    self.delete("public_payload", entry);
                }
                What::PublicPayload
            }
            3 => self.edit_file(&self.needed(false, draws), What::Tile, |bytes| cut(bytes, draws)),
            4 => self.edit_file(&self.needed(true, draws), What::Bundle, |bytes| cut(bytes, draws)),
            5 => self.edit_file(&self.checkpoint(), What::Checkpoint, |bytes| cut(bytes, draws)),
            6 => {
                let entry = *draws.pick(&self.evidence()).unwrap();
                self.delete("payload", entry);
                What::DestructionEvidence
            }
            _ => self.edit_file(&self.outside(), What::Outside, |bytes| cut(bytes, draws)),
        }
    }

    /// By noise, by nothing, by another tile of the log, or by the same one of another log.
    fn replace_tile(&self, draws: &mut Draws) -> What {
        let bundle = draws.chance(50);
        let path = self.needed(bundle, draws);
        let before = fs::read(&path).unwrap();
        loop {
            let put = match draws.below(4) {
                0 => Some((0..before.len()).map(|_| draws.next_u64().to_le_bytes()[0]).collect()),
                1 => None,
                2 => Some(fs::read(self.needed(draws.chance(50), draws)).unwrap()),
                _ => {
                    let other = &self.base.organisations()[1 - self.place];
                    let within = path.strip_prefix(self.log_of(self.own)).unwrap();
                    fs::read(self.log_of(other).join(within)).ok()
                }
            };
            match put {
                Some(bytes) if bytes == before => continue,
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            return if bundle { What::Bundle } else { What::Tile };
        }
    }

    /// To one that was signed and published earlier.
    fn roll_back(&self, draws: &mut Draws) -> What {
        let older = self.base.older();
        let step = usize::try_from(draws.below(older.len() as u64)).unwrap();
        let whole = draws.chance(40);
        if whole {
            copy_folder(&older[step], self.work).unwrap();
            if draws.chance(50) {
                return What::Folder;
            }
            put_outside(self.base, self.work);
            return What::FolderButOutside;
        }
        copy_folder(self.base.folder(), self.work).unwrap();
        let note = self.own.heads[step].note();
        fs::write(self.checkpoint(), note).unwrap();
        if draws.chance(50) {
            return What::Checkpoint;
        }
        fs::write(self.outside(), note).unwrap();
        What::CheckpointAndOutside
    }

    fn swap_payloads(&self, draws: &mut Draws) -> What {
        let file = self.file();
        match draws.below(3) {
            0 => {
                let entries = self.entries_of("payload");
                let (one, other) = pair(&entries, draws);
                for column in ["leaf", "id", "sealed", "key_version"] {
                    swap_column(&file, "payload", ("entry", column), self.own.id, one, other);
                }
                What::SealedPayload
            }
            1 => {
                let entries = self.entries_of("public_payload");
                let (one, other) = pair(&entries, draws);
                swap_column(&file, "public_payload", ("entry", "bytes"), self.own.id, one, other);
                What::PublicPayload
            }
            _ => {
                // That of another tenant, under this one's leaf.
                let other = &self.base.organisations()[1 - self.place];
                let entry = self.any("payload", draws);
                let sql = "UPDATE payload SET (id, sealed) = (SELECT id, sealed FROM payload
                           WHERE organisation = ?3 ORDER BY abs(entry - ?2) LIMIT 1)
                           WHERE organisation = ?1 AND entry = ?2";
                assert_eq!(file.execute(sql, params![self.own.id, entry, other.id]).unwrap(), 1);
                What::SealedPayload
            }
        }
    }

    fn size(&self) -> u64 {
        self.own.remembered.size()
    }

    fn log_of(&self, outsider: &Outsider) -> PathBuf {
        self.work.join("log").join(outsider.log())
    }

    fn checkpoint(&self) -> PathBuf {
        self.log_of(self.own).join(CHECKPOINT_PATH)
    }

    fn outside(&self) -> PathBuf {
        outside(self.work, self.own)
    }

    fn tile(&self, tile: TilePath) -> PathBuf {
        self.log_of(self.own).join(tile.to_string())
    }

    /// One of the tiles or bundles that the published checkpoint needs.
    fn needed(&self, bundle: bool, draws: &mut Draws) -> PathBuf {
        let mut needed = Vec::new();
        for level in 0..if bundle { 1 } else { 8 } {
            let hashes = self.size() >> (8 * level);
            for index in 0..hashes.div_ceil(TILE_WIDTH) {
                let width = (hashes - index * TILE_WIDTH).min(TILE_WIDTH);
                let path = if bundle {
                    TilePath::entries(index, width)
                } else {
                    TilePath::hashes(u8::try_from(level).unwrap(), index, width)
                };
                needed.push(path.unwrap());
            }
        }
        self.tile(*draws.pick(&needed).unwrap())
    }

    /// Changes a file, until it differs.
    fn edit_file(&self, path: &Path, what: What, mut change: impl FnMut(&mut Vec<u8>)) -> What {
        let before = fs::read(path).unwrap();
        let mut bytes = before.clone();
        while bytes == before {
            change(&mut bytes);
        }
        fs::write(path, bytes).unwrap();
        what
    }

    fn file(&self) -> Connection {
        let file = Connection::open(database(self.work)).unwrap();
        file.pragma_update(None, "foreign_keys", "OFF").unwrap();
        file.pragma_update(None, "synchronous", "OFF").unwrap();
        file
    }

    fn entries_of(&self, table: &str) -> Vec<u64> {
        let file = self.file();
        let sql = format!("SELECT entry FROM {table} WHERE organisation = ?1 ORDER BY entry");
        let mut statement = file.prepare(&sql).unwrap();
        let entries = statement.query_map([self.own.id], |row| row.get(0)).unwrap();
        entries.collect::<Result<_, _>>().unwrap()
    }

    /// The entries of destructions, which account for payloads that are gone.
    fn evidence(&self) -> Vec<u64> {
        let file = self.file();
        let sql =
            "SELECT number FROM entry WHERE organisation = ?1 AND substr(bytes, 2, 2) IN (x'0404', x'0501')";
        let mut statement = file.prepare(sql).unwrap();
        let entries = statement.query_map([self.own.id], |row| row.get(0)).unwrap();
        entries.collect::<Result<_, _>>().unwrap()
    }

    fn any(&self, table: &str, draws: &mut Draws) -> u64 {
        *draws.pick(&self.entries_of(table)).unwrap()
    }

    fn edit_column(
        &self,
        table: &str,
        key: &str,
        column: &str,
        entry: u64,
        mut change: impl FnMut(&mut Vec<u8>),
    ) {
        let file = self.file();
        let sql = format!("SELECT {column} FROM {table} WHERE organisation = ?1 AND {key} = ?2");
        let mut bytes: Vec<u8> = file.query_row(&sql, params![self.own.id, entry], |row| row.get(0)).unwrap();
        change(&mut bytes);
        let sql = format!("UPDATE {table} SET {column} = ?3 WHERE organisation = ?1 AND {key} = ?2");
        assert_eq!(file.execute(&sql, params![self.own.id, entry, bytes]).unwrap(), 1);
    }

    fn delete(&self, table: &str, entry: u64) {
        let sql = format!("DELETE FROM {table} WHERE organisation = ?1 AND entry = ?2");
        assert_eq!(self.file().execute(&sql, params![self.own.id, entry]).unwrap(), 1);
    }
}

/// An older state of the folder goes on by itself, and its log is signed with the log's own key.
fn fork(base: &Base, place: usize, work: &Path, draws: &mut Draws) -> What {
    // The newest of the older states is a few entries back: its forks are shorter, as long, and longer.
    let newest = draws.chance(60);
    let step = if newest {
        base.older().len() - 1
    } else {
        usize::try_from(draws.below(base.older().len() as u64)).unwrap()
    };
    copy_folder(&base.older()[step], work).unwrap();
    let vouchsafe = base.open(work);
    let organisation = vouchsafe.organisation(base.organisations()[place].id).unwrap();
    let notice = notice(&organisation).unwrap();
    for _ in 0..=draws.below(if newest { 12 } else { 3 }) {
        act(&organisation, &notice, draws);
    }
    drop(organisation.publish_log().unwrap());
    drop(vouchsafe);
    if draws.chance(50) {
        return What::Folder;
    }
    put_outside(base, work);
    What::FolderButOutside
}

fn outside(folder: &Path, outsider: &Outsider) -> PathBuf {
    folder.join("outside").join("checkpoints").join(outsider.log()).join(CHECKPOINT_PATH)
}

/// Where the newest checkpoints are kept outside, an older state does not reach them.
fn put_outside(base: &Base, work: &Path) {
    for outsider in base.organisations() {
        fs::copy(outside(base.folder(), outsider), outside(work, outsider)).unwrap();
    }
}

fn flip_bit(bytes: &mut [u8], draws: &mut Draws) {
    let bit = usize::try_from(draws.below(bytes.len() as u64 * 8)).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn swap_chunks(bytes: &mut [u8], length: usize, draws: &mut Draws) {
    let (one, other) = two((bytes.len() / length) as u64, draws);
    for at in 0..length {
        bytes
            .swap(usize::try_from(one).unwrap() * length + at, usize::try_from(other).unwrap() * length + at);
    }
}

fn swap_column(file: &Connection, table: &str, (key, column): (&str, &str), id: &str, one: u64, other: u64) {
    let get = format!("SELECT {column} FROM {table} WHERE organisation = ?1 AND {key} = ?2");
    let put = format!("UPDATE {table} SET {column} = ?3 WHERE organisation = ?1 AND {key} = ?2");
    let [first, second] = [one, other].map(|row| {
        file.query_row(&get, params![id, row], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
    });
    for (row, value) in [(one, second), (other, first)] {
        assert_eq!(file.execute(&put, params![id, row, value]).unwrap(), 1);
    }
}

/// Two different numbers below a bound.
fn two(bound: u64, draws: &mut Draws) -> (u64, u64) {
    let one = draws.below(bound);
    (one, (one + 1 + draws.below(bound - 1)) % bound)
}

fn pair(entries: &[u64], draws: &mut Draws) -> (u64, u64) {
    let (one, other) = two(entries.len() as u64, draws);
    (entries[usize::try_from(one).unwrap()], entries[usize::try_from(other).unwrap()])
}
