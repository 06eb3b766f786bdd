use std::fmt::{self, Write as _};

use super::{
    catalogue::{Catalogue, Promise},
    tags::Tag,
};
use crate::Result;

const HEAD: &str = "\
# Promises and their tests

Rendered by `cargo xtask promises` from `promises.toml` and the tests that carry a promise's id.
`code`: the libraries enforce it; `deploy`: they make it easy and say so.
A dash means that no test proves the promise yet.

| promise | kind | says | tests |
|---|---|---|---|
";

/// Every promise with the tests that carry its id.
#[derive(Debug)]
pub(super) struct Matrix {
    rows: Vec<(Promise, Vec<Tag>)>,
}

impl Matrix {
    /// Joins promises and tags.
    ///
    /// Fails when a tag names a promise that is not in the list.
    pub(super) fn new(catalogue: Catalogue, tags: Vec<Tag>) -> Result<Self> {
        if let Some(tag) = tags.iter().find(|tag| !catalogue.knows(&tag.id)) {
            return Err(format!("{}: there is no promise `{}`", tag.file, tag.id).into());
        }
        let tests =
            |id: &str| tags.iter().filter(|tag| tag.id == id && tag.test.is_some()).cloned().collect();
        let rows = catalogue.promises.into_iter().map(|promise| {
            let tests = tests(&promise.id);
            (promise, tests)
        });
        Ok(Self { rows: rows.collect() })
    }

    /// The tests of one promise; none when there is no such promise.
    pub(super) fn tests(&self, id: &str) -> Option<&[Tag]> {
        self.rows.iter().find(|(promise, _)| promise.id == id).map(|(_, tests)| tests.as_slice())
    }

    /// The page of the docs.
    pub(super) fn to_markdown(&self) -> String {
        let mut page = HEAD.to_owned();
        for (promise, tests) in &self.rows {
            let says = promise.says.replace('|', "\\|");
            let tests: Vec<String> = paths(tests).map(|path| format!("`{path}`")).collect();
            let tests = if tests.is_empty() { "—".to_owned() } else { tests.join("<br>") };
            _ = writeln!(page, "| {} | {} | {says} | {tests} |", promise.id, promise.kind);
        }
        _ = write!(page, "\n{}\n", self.summary());
        page
    }

    fn summary(&self) -> String {
        let tested = self.rows.iter().filter(|(_, tests)| !tests.is_empty()).count();
        format!("promises={} with_tests={tested}", self.rows.len())
    }
}

/// One block a promise, the summary last.
impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (promise, tests) in &self.rows {
            writeln!(f, "{:28} {:6}  {}", promise.id, promise.kind, promise.says)?;
            if tests.is_empty() {
                writeln!(f, "{:38}—", "")?;
            }
            for path in paths(tests) {
                writeln!(f, "{:38}{path}", "")?;
            }
        }
        f.write_str(&self.summary())
    }
}

fn paths(tests: &[Tag]) -> impl Iterator<Item = String> {
    tests.iter().filter_map(|tag| Some(format!("{}::{}", tag.file, tag.test.as_ref()?)))
}
