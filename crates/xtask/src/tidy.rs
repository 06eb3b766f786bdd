//! What the compiler does not check: rings, lints, digests, layout.

mod manifests;
mod media;
mod rings;
mod text;

use crate::{Result, workspace::Workspace};

/// Prints what is untidy and tells whether nothing is.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let problems = problems(workspace)?;
    for problem in &problems {
        println!("{problem}");
    }
    println!("tidy={} problems={}", if problems.is_empty() { "ok" } else { "no" }, problems.len());
    Ok(problems.is_empty())
}

fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = rings::problems(workspace)?;
    problems.extend(manifests::problems(workspace)?);
    problems.extend(media::problems(workspace)?);
    problems.extend(text::problems(workspace)?);
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let workspace = Workspace::find().unwrap();
        assert_eq!(problems(&workspace).unwrap(), Vec::<String>::new());
    }
}
