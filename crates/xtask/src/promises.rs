//! Promises and the tests that prove them.

mod catalogue;
mod faults;
mod matrix;
mod tags;

use std::fs;

use crate::{Result, workspace::Workspace};
use catalogue::Catalogue;
use matrix::Matrix;

const RENDERED: &str = "crates/vouchsafe/docs/promises.md";

/// Prints the matrix and writes it into the docs.
pub(crate) fn render(workspace: &Workspace) -> Result<bool> {
    let matrix = read(workspace)?;
    fs::write(workspace.join(RENDERED), matrix.to_markdown())?;
    println!("{matrix}");
    Ok(true)
}

/// Prints the matrix and tells whether the docs have it.
pub(crate) fn check(workspace: &Workspace) -> Result<bool> {
    let matrix = read(workspace)?;
    let current = workspace.read(RENDERED).is_ok_and(|text| text == matrix.to_markdown());
    if !current {
        eprintln!("{RENDERED} is out of date: run `cargo xtask promises`");
    }
    println!("{matrix}");
    Ok(current)
}

/// Tries the seeded faults of every promise, or of one, and tells whether the tests noticed all.
pub(crate) fn mutate(workspace: &Workspace, id: Option<&str>) -> Result<bool> {
    faults::run(workspace, &read(workspace)?, id)
}

fn read(workspace: &Workspace) -> Result<Matrix> {
    Matrix::new(Catalogue::read(workspace)?, tags::collect(workspace)?)
}
