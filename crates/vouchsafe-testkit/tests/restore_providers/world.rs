//! Everything that a restore can put back, and the processes that live in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use vouchsafe_testkit::scene::copy_folder;

use crate::service::Service;
use crate::stage::{self, Size};

/// What stands in the folder of a deployment.
const PARTS: [&str; 4] = ["data", "keys", "log", "outside"];
/// The copy of the key service in a saved world.
const SERVICE: &str = "key service";

pub(crate) struct World {
    home: PathBuf,
    service: Service,
    size: Size,
}

/// What a stage found.
pub(crate) struct Said(String);

impl World {
    pub(crate) fn new(home: &Path, service: Service, size: Size) -> Self {
        Self { home: home.to_owned(), service, size }
    }

    pub(crate) fn provider(&self) -> &'static str {
        self.service.name()
    }

    /// Runs one stage in a process of its own.
    pub(crate) fn stage(&self, name: &str) -> Said {
        let mut program = self.service.program();
        stage::tell(&mut program, name, &self.home, &self.service, self.size);
        let output = program.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{} {name}: {said}\n{}",
            self.provider(),
            String::from_utf8_lossy(&output.stderr)
        );
        let line =
            said.lines().find_map(|line| line.split_once(stage::MARK)).map(|(_, line)| line.to_owned());
        Said(line.unwrap_or_else(|| panic!("{name} said nothing: {said}")))
    }

    /// Copies all of it aside.
    pub(crate) fn save(&mut self, name: &str) {
        let world = self.home.join(name);
        copy_folder(&self.live(), &world).unwrap();
        self.service.snapshot_to(&world.join(SERVICE));
    }

    /// Puts parts of the deployment's folder back as they were.
    pub(crate) fn restore(&self, from: &str, parts: &[&str]) {
        for part in parts {
            let (saved, live) = (self.home.join(from).join(part), self.live().join(part));
            fs::remove_dir_all(&live).unwrap();
            copy_folder(&saved, &live).unwrap();
        }
    }

    /// Puts the key service's own state back as it was.
    pub(crate) fn restore_service(&mut self, from: &str) {
        self.service.restore_from(&self.home.join(from).join(SERVICE));
    }

    pub(crate) fn restore_all(&mut self, from: &str) {
        self.restore(from, &PARTS);
        self.restore_service(from);
    }

    fn live(&self) -> PathBuf {
        stage::live(&self.home)
    }
}

impl Said {
    /// The figure of a key.
    pub(crate) fn of(&self, key: &str) -> String {
        let figure = |word: &str| word.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
        let figure = self.0.split_whitespace().find_map(figure);
        figure.unwrap_or_else(|| panic!("no {key} in {}", self.0))
    }
}
