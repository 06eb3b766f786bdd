//! The direction of dependencies between the crates, and what each crate declares about itself.

use toml::{Table, Value};

use crate::{Result, workspace::Workspace};

/// Which of its siblings each published crate may depend on. Arrows point inward; a new edge is a decision.
const EDGES: [(&str, &[&str]); 19] = [
    ("vouchsafe-types", &[]),
    ("vouchsafe-consent", &["types"]),
    ("vouchsafe-embed", &["types", "consent", "models-face"]),
    ("vouchsafe-liveness", &["types", "embed"]),
    ("vouchsafe-template", &["types", "consent", "embed"]),
    ("vouchsafe-envelope", &["types", "pages"]),
    ("vouchsafe-ledger", &["types"]),
    ("vouchsafe-retention", &["types"]),
    ("vouchsafe-eval", &[]),
    ("vouchsafe-alloc", &[]),
    ("vouchsafe-pages", &[]),
    ("vouchsafe-models-face", &[]),
    ("vouchsafe-store", &["types", "ledger"]),
    ("vouchsafe-keys", &["types", "envelope"]),
    ("vouchsafe-objects", &["types", "ledger", "envelope"]),
    ("vouchsafe-witness", &["types", "ledger"]),
    ("vouchsafe", FACADE),
    ("vouchsafe-cli", &["", "alloc", "eval", "keys", "objects", "pages", "witness"]),
    // Not published, so free to depend on all.
    ("vouchsafe-testkit", &["*"]),
];

const FACADE: &[&str] = &[
    "types",
    "consent",
    "embed",
    "liveness",
    "template",
    "envelope",
    "ledger",
    "retention",
    "store",
    "keys",
    "pages",
];

/// Crates that speak to the engine or to raw memory: `unsafe` is denied, and expected by name where it stands.
const UNSAFE_DENIED: [&str; 3] = ["vouchsafe-alloc", "vouchsafe-embed", "vouchsafe-pages"];

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for folder in workspace.packages()?.iter().filter(|folder| *folder != "fuzz") {
        let manifest: Table = workspace.read(&format!("{folder}/Cargo.toml"))?.parse()?;
        let name =
            manifest.get("package").and_then(|package| package.get("name")?.as_str()).unwrap_or_default();
        if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
            problems.push(format!("{folder}: the manifest lacks `lints.workspace = true`"));
        }
        if !folder.starts_with("crates/") && !folder.starts_with("models/") || name == "xtask" {
            continue;
        }
        problems.extend(foreign_edges(name, &siblings(&manifest)));
        problems.extend(unsafe_door(workspace, folder, name)?);
    }
    Ok(problems)
}

/// The edges of `name` that the table does not have.
fn foreign_edges(name: &str, siblings: &[String]) -> Vec<String> {
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name}: no row in the table of edges")];
    };
    siblings
        .iter()
        .filter(|sibling| {
            let short = sibling.strip_prefix("vouchsafe").unwrap_or_default().trim_start_matches('-');
            !allowed.contains(&"*") && !allowed.contains(&short)
        })
        .map(|sibling| format!("{name}: may not depend on {sibling}"))
        .collect()
}

/// The siblings among `[dependencies]`, `[build-dependencies]` and their forms for one target.
fn siblings(manifest: &Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let places = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table).chain([manifest]);
    let mut siblings: Vec<String> = places
        .flat_map(|place| [place.get("dependencies"), place.get("build-dependencies")])
        .flatten()
        .filter_map(Value::as_table)
        .flatten()
        .map(|(name, value)| value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned())
        .filter(|name| name.starts_with("vouchsafe"))
        .collect();
    siblings.sort();
    siblings
}

/// Whether the crate shuts the door to `unsafe` in its first file.
fn unsafe_door(workspace: &Workspace, folder: &str, name: &str) -> Result<Option<String>> {
    let level = if UNSAFE_DENIED.contains(&name) { "deny" } else { "forbid" };
    let door = format!("#![{level}(unsafe_code)]");
    let root = ["lib.rs", "main.rs"]
        .into_iter()
        .map(|file| format!("{folder}/src/{file}"))
        .find(|file| workspace.join(file).is_file())
        .ok_or(format!("{folder}: neither src/lib.rs nor src/main.rs"))?;
    let shut = workspace.read(&root)?.lines().any(|line| line.trim() == door);
    Ok((!shut).then(|| format!("{root}: lacks `{door}`")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_of_a_dependency_is_seen() {
        let manifest = "[dependencies]\nvouchsafe-types.workspace = true\nring = \"1\"\n\
                        v = { package = \"vouchsafe-store\", version = \"1\" }\n\
                        [dev-dependencies]\nvouchsafe-eval = \"1\"\n\
                        [target.'cfg(unix)'.dependencies]\nvouchsafe-keys = \"1\"\n";
        let found = siblings(&manifest.parse().unwrap());
        assert_eq!(found, ["vouchsafe-keys", "vouchsafe-store", "vouchsafe-types"]);
    }

    #[test]
    fn an_edge_outside_the_table_is_named() {
        let edges = |name, sibling: &str| foreign_edges(name, &[sibling.to_owned()]);
        assert!(edges("vouchsafe-consent", "vouchsafe-types").is_empty());
        assert!(edges("vouchsafe-cli", "vouchsafe").is_empty());
        assert_eq!(edges("vouchsafe-consent", "vouchsafe-ledger").len(), 1);
        assert_eq!(edges("vouchsafe-types", "vouchsafe").len(), 1);
        assert_eq!(edges("vouchsafe-new", "vouchsafe-types").len(), 1);
    }

    /// What a crate of the workspace is built from, by the manifests.
    fn built_from(workspace: &Workspace, name: &str) -> BTreeSet<String> {
        let (mut found, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(name) = open.pop() {
            let folder =
                if name == "vouchsafe-models-face" { "models/face" } else { &format!("crates/{name}") };
            let manifest = workspace.read(&format!("{folder}/Cargo.toml")).unwrap().parse().unwrap();
            open.extend(siblings(&manifest).into_iter().filter(|sibling| found.insert(sibling.clone())));
        }
        found
    }

    /// What compares faces and judges liveness cannot see a request by right: the crate that has them is not among what
    /// it is built from, nor is any store.
    ///
    /// Promise: WB-5-nondiscrimination
    #[test]
    fn nothing_that_compares_or_judges_is_built_from_requests() {
        let workspace = Workspace::find().unwrap();
        for judging in ["vouchsafe-embed", "vouchsafe-liveness", "vouchsafe-template"] {
            let parts = built_from(&workspace, judging);
            assert!(parts.contains("vouchsafe-consent"), "the walk follows edges");
            for blind in ["vouchsafe-retention", "vouchsafe-store", "vouchsafe"] {
                assert!(!parts.contains(blind), "{judging} is built from {blind}");
            }
        }
        assert!(built_from(&workspace, "vouchsafe").contains("vouchsafe-retention"));
    }
}
