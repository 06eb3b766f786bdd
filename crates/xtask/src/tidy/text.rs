//! The text of files: its length, and words that must not stand in it.

use std::fs;

use crate::{Result, workspace::Workspace};

const LONGEST: usize = 800;
const COUNTED: [&str; 5] = [".rs", ".sql", ".py", ".sh", ".md"];
/// Lock files name registries by their nature.
const LOCK_FILES: [&str; 3] = ["Cargo.lock", "package-lock.json", "go.sum"];

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let (places, unfinished) = (places(), unfinished());
    let mut problems = Vec::new();
    // A crate cannot package a file from outside itself, so the page exists twice.
    let [root, own] =
        ["README.md", "crates/vouchsafe/README.md"].map(|file| fs::read_to_string(workspace.join(file)));
    if root? != own? {
        problems.push("README.md: differs from that of the crate `vouchsafe`".to_owned());
    }
    for file in workspace.files()? {
        let Ok(text) = fs::read_to_string(workspace.join(&file)) else { continue };
        let lines = text.lines().count();
        if lines > LONGEST && COUNTED.iter().any(|kind| file.ends_with(kind)) {
            problems.push(format!("{file}: {lines} lines, more than {LONGEST}"));
        }
        if !LOCK_FILES.iter().any(|lock| file.ends_with(lock)) {
            problems.extend(named(&file, &text, &places, "a registry's host or a path of one machine"));
        }
        if file.ends_with(".rs") {
            problems.extend(named(&file, &code(&text), &unfinished, "unfinished or ignored"));
        }
    }
    Ok(problems)
}

/// `text` with its doc comments emptied: an example that must not compile may leave a value out.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| if line.trim_start().starts_with("///") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// One problem for each line that holds one of `words`.
fn named(file: &str, text: &str, words: &[String], what: &str) -> Vec<String> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(number, _)| format!("{file}:{}: {what}", number + 1))
        .collect()
}

/// Hosts of registries and folders of build machines, put together here so that this file does not hold them.
fn places() -> Vec<String> {
    let hosts = [
        ["crates", "io"],
        ["static", "crates"],
        ["pypi", "org"],
        ["files", "pythonhosted"],
        ["registry", "npmjs"],
        ["proxy", "golang"],
    ];
    let folders =
        [&["root"][..], &["work", "main"], &["work", "shared"], &["tmp", "bash_jobs"], &["farm", "in"]];
    let hosts = hosts.iter().map(|host| host.join("."));
    hosts.chain(folders.iter().map(|folder| format!("/{}/", folder.join("/")))).collect()
}

fn unfinished() -> Vec<String> {
    let words = [["to", "do!("], ["unimple", "mented!("], ["#[ig", "nore"], ["FIX", "ME"], ["XX", "X"]];
    words.iter().map(|word| word.concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_with_their_line() {
        let host = ["pypi", "org"].join(".");
        let text = format!("fine\nsee https://{host}/simple\n");
        assert_eq!(named("a.md", &text, &places(), "host"), ["a.md:2: host"]);
        assert!(named("a.md", "../shared/data, /tmp/x, /proc/1/maps", &places(), "host").is_empty());
    }
}
