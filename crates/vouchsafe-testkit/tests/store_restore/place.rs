//! Where the rows of a drill lie.
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use vouchsafe::{Clock, Ports, Timestamp, Vouchsafe};
use vouchsafe_keys::KeyFile;
use vouchsafe_store::test_util::{Database, Postgres};
use vouchsafe_store::{Backup, PostgresStore, SqliteStore, Store};
use vouchsafe_testkit::scene::{Scene, copy_folder};

const NOON: &str = "2026-06-01T12:00:00Z";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

/// A folder, with its rows in it or on a server.
pub(crate) struct Place {
    scene: Scene,
    folder: PathBuf,
    /// Those that were lost stay until the end.
    databases: Option<Mutex<Vec<Arc<Database<'static>>>>>,
}

impl Place {
    /// A new folder; `None`, loudly, without a server.
    pub(crate) fn settle(engine: Engine, folder: &Path) -> Option<Self> {
        if engine == Engine::Sqlite {
            return Some(Self::at(folder, None));
        }
        let database = Arc::new(Postgres::shared().unwrap()?.database().unwrap());
        Some(Self::at(folder, Some(database)))
    }

    fn at(folder: &Path, database: Option<Arc<Database<'static>>>) -> Self {
        let scene = Scene::new(folder, NOON.parse().unwrap());
        Self {
            scene,
            folder: folder.to_owned(),
            databases: database.map(|database| Mutex::new(vec![database])),
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        if self.databases.is_some() { "postgres" } else { "sqlite" }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn open(&self) -> Vouchsafe {
        if self.databases.is_none() {
            return self.scene.open().unwrap();
        }
        let file = self.folder.join("keys/service.keys");
        if !file.exists() {
            let mut builder = fs::DirBuilder::new();
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(self.folder.join("keys")).unwrap();
            drop(KeyFile::create_new(&file).unwrap());
        }
        let keys = Arc::new(KeyFile::open(&file).unwrap());
        let ports = Ports::in_folder_on(&self.folder, keys, self.store()).unwrap();
        Vouchsafe::open_with(ports.with_clock(Arc::new(self.now())))
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self.database() {
            None => Arc::new(SqliteStore::open(&self.scene.database()).unwrap()),
            Some(database) => {
                let opened = PostgresStore::open(&database.service().unwrap(), Timestamp::now());
                Arc::new(opened.unwrap())
            }
        }
    }

    /// The same folder elsewhere, before its database is lost.
    pub(crate) fn copied_to(&self, folder: &Path) -> Self {
        copy_folder(&self.folder, folder).unwrap();
        Self::at(folder, self.database())
    }

    /// Removes the database, and restores a backup into an empty one.
    pub(crate) fn lose_and_restore(&self, backup: &Backup) {
        let at = self.now().now();
        let Some(databases) = &self.databases else {
            fs::remove_dir_all(self.folder.join("data")).unwrap();
            fs::create_dir(self.folder.join("data")).unwrap();
            return SqliteStore::restore(&self.scene.database(), backup, at).unwrap();
        };
        let database = Postgres::shared().unwrap().unwrap().database().unwrap();
        PostgresStore::restore(&database.owner().unwrap(), backup, at).unwrap();
        databases.lock().unwrap().push(Arc::new(database));
    }

    fn database(&self) -> Option<Arc<Database<'static>>> {
        self.databases.as_ref().map(|databases| databases.lock().unwrap().last().unwrap().clone())
    }

    fn now(&self) -> vouchsafe::VirtualClock {
        vouchsafe::VirtualClock::starting_at(self.scene.clock().now())
    }
}
