//! Pictures and recordings of real people: each is named, with where it comes from.

use crate::{Result, workspace::Workspace};

const FOLDER: &str = "examples/data/";
const KINDS: [&str; 10] = ["jpg", "jpeg", "png", "webp", "bmp", "wav", "flac", "ogg", "mp4", "webm"];

/// Checks that every media file of the examples is named in their `SOURCE.md`.
pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let sources = workspace.read("examples/data/SOURCE.md").unwrap_or_default();
    Ok(workspace
        .files()?
        .into_iter()
        .filter(|file| file.starts_with(FOLDER) && is_media(file))
        .filter(|file| !sources.contains(file.trim_start_matches(FOLDER)))
        .map(|file| format!("{file}: is not named in {FOLDER}SOURCE.md"))
        .collect())
}

fn is_media(file: &str) -> bool {
    let kind = file.rsplit('.').next().unwrap_or_default();
    KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind))
}
