//! Seeded faults: patches that break a promise on purpose. A promise whose tests stay green under one is not tested.

mod copy;
mod target;

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::{matrix::Matrix, tags::Tag};
use crate::{Result, process::Run, workspace::Workspace};
use copy::Copy;
use target::{Verdict, target_of};

/// Unified diffs, `ID--SLUG.patch`.
const FOLDER: &str = "crates/xtask/faults";

/// One fault.
struct Fault {
    promise: String,
    slug: String,
    patch: PathBuf,
}

/// Applies the faults one by one to a copy of the tree and runs the tests of their promise.
pub(super) fn run(workspace: &Workspace, matrix: &Matrix, only: Option<&str>) -> Result<bool> {
    let faults: Vec<Fault> =
        faults(workspace)?.into_iter().filter(|fault| only.is_none_or(|id| id == fault.promise)).collect();
    if faults.is_empty() {
        return Err(format!("no fault in {FOLDER} matches").into());
    }
    let mut all_red = true;
    for fault in &faults {
        let verdict = tried(workspace, matrix, fault)?;
        println!("fault={} promise={} {verdict}", fault.slug, fault.promise);
        all_red &= matches!(verdict, Verdict::Red(_));
    }
    let promises: BTreeSet<&str> = faults.iter().map(|fault| fault.promise.as_str()).collect();
    println!("faults={} promises={} all_red={all_red}", faults.len(), promises.len());
    Ok(all_red)
}

fn faults(workspace: &Workspace) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for entry in fs::read_dir(workspace.join(FOLDER))? {
        let patch = entry?.path();
        let name = patch.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".patch") else { continue };
        let (promise, slug) = stem.split_once("--").ok_or(format!("{name}: not ID--SLUG.patch"))?;
        faults.push(Fault { promise: promise.to_owned(), slug: slug.to_owned(), patch });
    }
    faults.sort_by(|a, b| a.patch.cmp(&b.patch));
    Ok(faults)
}

fn tried(workspace: &Workspace, matrix: &Matrix, fault: &Fault) -> Result<Verdict> {
    let tests = matrix.tests(&fault.promise).ok_or(format!("there is no promise `{}`", fault.promise))?;
    if tests.is_empty() {
        return Ok(Verdict::Broken("no test carries the promise's id".to_owned()));
    }
    let copy = Copy::fresh(workspace)?;
    let Some(touched) = copy.apply(&fault.patch)? else {
        return Ok(Verdict::Broken("the patch does not apply".to_owned()));
    };
    // A target folder of its own: cargo gives a copy's crates the names of the originals', and would take one for the
    // other.
    let build = workspace.target().join("faults/build");
    let mut verdict = Verdict::Green;
    for test in nearest_first(tests, &touched) {
        let target = target_of(workspace, test)?;
        verdict = target.verdict(copy.root(), &build)?;
        if !matches!(verdict, Verdict::Green) {
            break;
        }
    }
    Ok(verdict)
}

/// Tests in a crate that the patch touches turn red soonest.
fn nearest_first<'t>(tests: &'t [Tag], touched: &[String]) -> Vec<&'t Tag> {
    let package = |file: &str| file.split('/').take(2).collect::<Vec<_>>().join("/");
    let near: BTreeSet<String> = touched.iter().map(|file| package(file)).collect();
    let (mut first, rest): (Vec<&Tag>, Vec<&Tag>) =
        tests.iter().partition(|test| near.contains(&package(&test.file)));
    first.extend(rest);
    first
}

/// Applies patches without the repository that surrounds the copy.
fn git_apply(copy: &Copy, arguments: &[&str]) -> Result<crate::process::Said> {
    Run::new("git", &[&["apply"], arguments].concat())
        .with("GIT_CEILING_DIRECTORIES", &copy.outside().to_string_lossy())
        .within(copy.root())
        .quietly()
}
