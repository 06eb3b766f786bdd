//! The pictures below a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::CliError;

/// One picture file.
pub(super) struct Picture {
    pub(super) path: PathBuf,
    /// Relative to the folder, with `/`.
    pub(super) name: String,
    /// The folder that directly holds it, relative, `.` for the folder itself.
    pub(super) person: String,
}

const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Every picture below the folder, by person, then by name. Links to folders are not followed.
pub(super) fn find(root: &Path) -> Result<Vec<Picture>, CliError> {
    const WHAT: &str = "the folder of people";
    let fail = |error: io::Error| CliError::file(WHAT, &error);
    let mut pictures = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let path = entry.path();
            if entry.file_type().map_err(fail)?.is_dir() {
                folders.push(path);
            } else if has_ending(&path) && !is_other_than_file(&path) {
                let (person, name) = (relative(root, &folder), relative(root, &path));
                pictures.push(Picture { path, name, person });
            }
        }
    }
    if pictures.is_empty() {
        return Err(CliError::NoPictures);
    }
    pictures.sort_by(|a, b| (&a.person, &a.name).cmp(&(&b.person, &b.name)));
    Ok(pictures)
}

/// Refuses what has no impostor or no genuine comparison; takes the person of each picture.
pub(super) fn check_people<'a>(people: impl Iterator<Item = &'a str>) -> Result<(), CliError> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    people.for_each(|person| *counts.entry(person).or_default() += 1);
    match counts.len() {
        0 => Err(CliError::NoneUsable),
        1 => Err(CliError::OnePerson),
        _ if counts.values().all(|count| *count < 2) => Err(CliError::NoGenuine),
        _ => Ok(()),
    }
}

fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// A folder behind a link, a pipe, a device. What is broken stays, and is counted as unreadable.
fn is_other_than_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

fn relative(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_a_folder_that_directly_holds_pictures() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.JPG", "b/1.png", "b/notes.txt", "b/inner/3.webp", "a/x.jpeg", "top.jpg"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        fs::create_dir(folder.path().join("b/folder.jpg")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        let found = find(folder.path()).unwrap();
        let found: Vec<_> = found.iter().map(|p| (p.person.as_str(), p.name.as_str())).collect();
        let expected = [
            (".", "top.jpg"),
            ("a", "a/x.jpeg"),
            ("b", "b/1.png"),
            ("b", "b/2.JPG"),
            ("b/inner", "b/inner/3.webp"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cannot_be_compared_is_said_beforehand() {
        let check = |people: &[&'static str]| check_people(people.iter().copied());
        assert!(check(&["a", "a", "b"]).is_ok());
        assert!(matches!(check(&["a", "a"]), Err(CliError::OnePerson)));
        assert!(matches!(check(&["a", "b"]), Err(CliError::NoGenuine)));
        assert!(matches!(check(&[]), Err(CliError::NoneUsable)));
    }
}
