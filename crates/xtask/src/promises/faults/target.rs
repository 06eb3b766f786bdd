use std::{fmt, path::Path};

use super::Tag;
use crate::{Result, process::Run, workspace::Workspace};

/// Where cargo finds a test.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    package: String,
    selector: Vec<String>,
    test: String,
}

/// What a test said to a fault.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The fault could not be tried.
    Broken(String),
    /// The tests did not notice.
    Green,
    /// The test noticed.
    Red(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(reason) => write!(f, "BROKEN ({reason})"),
            Self::Green => f.write_str("GREEN"),
            Self::Red(test) => write!(f, "red ({test})"),
        }
    }
}

/// The target that holds `test`.
pub(super) fn target_of(workspace: &Workspace, test: &Tag) -> Result<Target> {
    let name = test.test.clone().ok_or("the tag stands on no test")?;
    let folder = workspace
        .packages()?
        .into_iter()
        .filter(|folder| test.file.starts_with(&format!("{folder}/")))
        .max_by_key(String::len)
        .ok_or(format!("{}: in no package", test.file))?;
    let manifest: toml::Table = workspace.read(&format!("{folder}/Cargo.toml"))?.parse()?;
    let package = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    let package = package.ok_or(format!("{folder}: the package has no name"))?.to_owned();
    let inner = test.file.strip_prefix(&format!("{folder}/")).unwrap_or_default();
    let has_library = workspace.join(&format!("{folder}/src/lib.rs")).is_file();
    Ok(Target { package, selector: selector(inner, has_library), test: name })
}

/// The option of `cargo test` for a file of a package: `tests/NAME.rs` and `tests/NAME/…` are integration tests.
fn selector(inner: &str, has_library: bool) -> Vec<String> {
    let mut parts = inner.split('/');
    let words: Vec<&str> = match (parts.next(), parts.next()) {
        (Some("tests"), Some(name)) => vec!["--test", name.trim_end_matches(".rs")],
        _ if has_library => vec!["--lib"],
        _ => vec!["--bins"],
    };
    words.into_iter().map(str::to_owned).collect()
}

impl Target {
    /// Runs the test in the tree at `root`.
    pub(super) fn verdict(&self, root: &Path, build: &Path) -> Result<Verdict> {
        if !self.cargo(root, build, &["--no-run"]).aloud()?.ok {
            return Ok(Verdict::Broken("the patched tree does not build".to_owned()));
        }
        let said = self.cargo(root, build, &[&self.test]).quietly()?;
        let ran = said.stdout.lines().filter(|line| self.is_verdict(line)).collect::<Vec<_>>();
        if !said.ok && ran.iter().any(|line| line.ends_with("FAILED")) {
            return Ok(Verdict::Red(self.test.clone()));
        }
        if ran.is_empty() {
            return Ok(Verdict::Broken(format!("test {} did not run", self.test)));
        }
        Ok(Verdict::Green)
    }

    fn cargo(&self, root: &Path, build: &Path, last: &[&str]) -> Run {
        let selector = self.selector.iter().map(String::as_str);
        let words = ["test", "--locked", "--package", &self.package];
        let words: Vec<&str> = words.into_iter().chain(selector).chain(last.iter().copied()).collect();
        Run::new("cargo", &words).with("CARGO_TARGET_DIR", &build.to_string_lossy()).within(root)
    }

    /// Whether `line` is the test runner's verdict on this very test: `test path::name ... ok`.
    fn is_verdict(&self, line: &str) -> bool {
        let path = line.strip_prefix("test ").and_then(|line| line.split_once(" ... "));
        path.is_some_and(|(path, _)| path.rsplit("::").next() == Some(&self.test))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_map_to_targets() {
        for (inner, has_library, expected) in [
            ("src/gate.rs", true, "--lib"),
            ("src/main.rs", false, "--bins"),
            ("tests/it/main.rs", true, "--test it"),
            ("tests/memory.rs", true, "--test memory"),
        ] {
            assert_eq!(selector(inner, has_library).join(" "), expected);
        }
    }

    #[test]
    fn only_the_very_test_counts() {
        let target = Target { package: "p".into(), selector: Vec::new(), test: "opens".into() };
        assert!(target.is_verdict("test gate::tests::opens ... FAILED"));
        assert!(target.is_verdict("test opens ... ok"));
        assert!(!target.is_verdict("test gate::tests::opens_not ... ok"));
        assert!(!target.is_verdict("running 1 test"));
    }
}
