//! A runbook that is run command by command.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use crate::scene::{Run, Scene};

pub(crate) struct Drill {
    pub(crate) scene: Scene,
    page: &'static str,
    /// How commands on the folder begin, which are shown without it.
    on_the_folder: &'static [&'static str],
    /// What else commands on the folder are given.
    more: RefCell<Vec<&'static str>>,
    words: RefCell<Vec<(&'static str, String)>>,
    left: RefCell<BTreeSet<&'static str>>,
}

impl Drill {
    pub(crate) fn new(page: &'static str, on_the_folder: &'static [&'static str], scene: Scene) -> Self {
        let left = RefCell::new(commands(page));
        Self { scene, page, on_the_folder, more: RefCell::default(), words: RefCell::default(), left }
    }

    /// Runs a command of the page, with what stands for its words in capitals.
    #[track_caller]
    pub(crate) fn run(&self, command: &str) -> Run {
        assert!(commands(self.page).contains(command), "the runbook has no such command: {command}");
        self.left.borrow_mut().remove(command);
        let (command, into) =
            command.split_once(" > ").map_or((command, None), |(run, into)| (run, Some(into)));
        let word = |word: &str| {
            let words = self.words.borrow();
            words.iter().find(|(name, _)| *name == word).map_or(word.to_owned(), |(_, value)| value.clone())
        };
        let words: Vec<String> = command.split(' ').map(word).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let on_the_folder = self.on_the_folder.iter().any(|start| format!("{command} ").starts_with(start));
        let run = if on_the_folder {
            self.scene.run(&[&words[..], &self.more.borrow()].concat())
        } else {
            self.scene.run_anywhere(&words)
        };
        if let Some(into) = into {
            assert_eq!(run.code(), Some(0), "{}", run.err);
            fs::write(self.scene.path(into), &run.out).unwrap();
        }
        run
    }

    pub(crate) fn set(&self, word: &'static str, value: String) {
        self.words.borrow_mut().retain(|(name, _)| *name != word);
        self.words.borrow_mut().push((word, value));
    }

    /// Gives this to every command on the folder from now on, instead of what was given before.
    pub(crate) fn give(&self, more: &[&'static str]) {
        *self.more.borrow_mut() = more.to_vec();
    }

    /// Fails the test when the page shows a command that nothing ran.
    pub(crate) fn finished(&self) {
        assert_eq!(*self.left.borrow(), BTreeSet::new(), "commands of the runbook that nothing ran");
    }
}

/// Every command of a page, once.
fn commands(page: &'static str) -> BTreeSet<&'static str> {
    page.lines().filter_map(|line| line.trim_start().strip_prefix("vouchsafe ")).collect()
}
