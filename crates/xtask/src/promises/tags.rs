use crate::{Result, workspace::Workspace};

/// Where tests live.
const FOLDERS: [&str; 3] = ["crates/", "models/", "examples/"];

/// A doc comment that names a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) file: String,
    /// The test that carries the tag; none when it stands on something else, which proves nothing.
    pub(super) test: Option<String>,
}

/// The tags of every Rust file, by file and line.
pub(super) fn collect(workspace: &Workspace) -> Result<Vec<Tag>> {
    let mut tags = Vec::new();
    for file in workspace.files()? {
        if file.ends_with(".rs") && FOLDERS.iter().any(|folder| file.starts_with(folder)) {
            tags.extend(scan(&file, &workspace.read(&file)?));
        }
    }
    Ok(tags)
}

/// The tags of one file. A tag belongs to the item right below its doc comment.
fn scan(file: &str, text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut pending = Pending::default();
    for line in text.lines().map(str::trim) {
        if pending.take(line) {
            continue;
        }
        let name = if pending.is_test { function(line) } else { None };
        tags.extend(pending.ids.drain(..).map(|id| Tag {
            id,
            file: file.to_owned(),
            test: name.map(str::to_owned),
        }));
        pending = Pending::default();
    }
    tags
}

/// What stands above an item: its tags and whether it is a test.
#[derive(Debug, Default)]
struct Pending {
    ids: Vec<String>,
    is_test: bool,
    /// The list of ids goes on in the next line.
    open_list: bool,
    /// Square brackets of an attribute that runs over several lines.
    open_brackets: usize,
}

impl Pending {
    /// Takes a line that stands above an item; false when the line is the item.
    fn take(&mut self, line: &str) -> bool {
        if self.open_brackets > 0 || line.starts_with("#[") {
            self.is_test |= line.starts_with("#[test]");
            let count = |bracket| line.chars().filter(|&c| c == bracket).count();
            self.open_brackets = (self.open_brackets + count('[')).saturating_sub(count(']'));
            return true;
        }
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            return line.is_empty() || line.starts_with("//");
        };
        let doc = doc.trim();
        let ids = if self.open_list { Some(doc) } else { doc.strip_prefix("Promise:") };
        self.open_list = false;
        if let Some(ids) = ids {
            self.open_list = ids.ends_with(',');
            let ids = ids.trim_end_matches('.').split(',').map(str::trim).filter(|id| !id.is_empty());
            self.ids.extend(ids.map(str::to_owned));
        }
        true
    }
}

/// The name of the function that `line` begins.
fn function(line: &str) -> Option<&str> {
    let (_, name) = line.split_once("fn ").filter(|(before, _)| {
        before
            .split_whitespace()
            .all(|word| ["pub", "pub(crate)", "async", "const", "unsafe"].contains(&word))
    })?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, Option<&str>)]) {
        let found = scan("f.rs", text);
        let found: Vec<_> = found.iter().map(|tag| (tag.id.as_str(), tag.test.as_deref())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_tag_belongs_to_the_test_below_it() {
        check("/// Promise: A\n#[test]\nfn one() {}", &[("A", Some("one"))]);
        check(
            "/// Words.\n///\n/// Promise: A, B.\n    #[test]\n    fn two() {",
            &[("A", Some("two")), ("B", Some("two"))],
        );
        check("/// Promise: A,\n/// B\n#[test]\nfn x() {", &[("A", Some("x")), ("B", Some("x"))]);
        check("#[test]\n/// Promise: A\n// note\n#[cfg(\n  any(unix)\n)]\nfn x() {", &[("A", Some("x"))]);
    }

    #[test]
    fn a_tag_elsewhere_proves_nothing() {
        check("/// Promise: A.\npub struct S;\n#[test]\nfn x() {}", &[("A", None)]);
        check("/// Promise: A\nfn helper() {}", &[("A", None)]);
        check("//! Promise: A\nuse x;\n/// Promised: B\n#[test]\nfn y() {}", &[("A", None)]);
        check("let text = \"Promise: A\";\n#[test]\nfn y() {}", &[]);
    }
}
