//! The folder: who may reach it, how much space is left, and what shares a disk.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::Lines;
use crate::parts::{Database, Logs, Site};

/// Less than this, in bytes, is soon nothing; less than that cannot be served from.
const SCARCE: u64 = 1 << 30;
const NONE: u64 = 64 << 20;

pub(super) fn look(site: &Site, database: &Database, lines: &mut Lines) {
    let dir = &site.dir;
    for (what, name) in [("keys", "keys"), ("outside", "outside")] {
        match fs::metadata(dir.join(name)) {
            Ok(found) => {
                let mode = found.permissions().mode() & 0o777;
                lines.must(
                    mode & 0o077 == 0,
                    what,
                    format!("{name}/ has mode {mode:o}"),
                    "chmod 0700 it: nobody else reads it",
                );
            }
            Err(error) => {
                lines.fail(
                    what,
                    format!("{name}/ cannot be read: {}", error.kind()),
                    "mount it, or bring it back",
                );
            }
        }
    }
    if let Database::Sqlite(path) = database
        && let Some(data) = path.parent()
    {
        space("disk", data, lines);
        writable(data, lines);
        match fs::metadata(path).map(|found| found.permissions().mode() & 0o777) {
            Ok(mode) => lines.must(
                mode & 0o077 == 0,
                "database",
                format!("mode {mode:o}"),
                "chmod 0600 it: nobody else reads it",
            ),
            Err(_) => lines.fail(
                "database",
                "there is none",
                "make one with `vouchsafe store migrate --create`, or restore a backup",
            ),
        }
        apart(
            "outside",
            dir,
            data,
            "outside/",
            "mount another disk there: it must survive the loss of the database",
            lines,
        );
        let keys = "keep data/ and keys/ apart: one backup of both brings back what was destroyed";
        apart("keys", &dir.join("keys"), data, "keys/", keys, lines);
    }
    if let Ok(true) = same_device(&dir.join("keys"), &dir.join("outside")) {
        lines.warn(
            "states",
            "both places of the key state are on one disk",
            "mount another disk at outside/",
        );
    } else {
        lines.ok("states", "the two places of the key state are on two disks");
    }
    space("disk", &dir.join("keys"), lines);
}

fn apart(what: &'static str, path: &Path, data: &Path, name: &str, next: &'static str, lines: &mut Lines) {
    let path = if name == "outside/" { path.join("outside") } else { path.to_owned() };
    match same_device(&path, data) {
        Ok(same) => {
            let said = if same { "on the same disk as" } else { "on another disk than" };
            lines.should(!same, what, format!("{name} is {said} the database"), next);
        }
        Err(_) => lines.fail(what, format!("{name} cannot be compared with the database"), next),
    }
}

fn same_device(one: &Path, other: &Path) -> std::io::Result<bool> {
    let device = |path: &Path| fs::metadata(path).map(|found: Metadata| found.dev());
    Ok(device(one)? == device(other)?)
}

fn space(what: &'static str, folder: &Path, lines: &mut Lines) {
    let Ok(found) = rustix::fs::statvfs(folder) else {
        return lines.warn(what, "the free space is not known", "look at the file system");
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let said = format!("{} MiB are free at {name}/", free >> 20);
    if free < NONE {
        lines.fail(what, said, "free space: nothing can be written soon");
    } else {
        lines.should(free >= SCARCE, what, said, "free space, or enlarge the disk");
    }
}

fn writable(data: &Path, lines: &mut Lines) {
    let probe = data.join(format!(".vouchsafe-{}.probe", std::process::id()));
    let written = fs::write(&probe, b"probe");
    let _ = fs::remove_file(&probe);
    match written {
        Ok(()) => lines.ok("disk", "data/ can be written"),
        Err(error) => {
            lines.fail(
                "disk",
                format!("data/ cannot be written: {}", error.kind()),
                "mount it for writing, and own it",
            );
        }
    }
}

pub(super) fn logs(site: &Site, lines: &mut Lines) {
    let logs = match Logs::read(site.parts.logs.as_deref(), &site.dir) {
        Ok(logs) => logs,
        Err(error) => return lines.fail("logs", error.to_string(), "mend the logs file"),
    };
    if let Some((published, outside)) = logs.folders() {
        lines.should(
            published.is_dir(),
            "logs",
            "published in a folder",
            "publish with `vouchsafe log publish`",
        );
        lines.should(
            outside.is_dir(),
            "logs",
            "the newest checkpoints are kept in a folder outside",
            "publish with `vouchsafe log publish`",
        );
    }
    #[cfg(feature = "objects")]
    if let Logs::Bucket(buckets) = &logs {
        for (part, report) in buckets.check() {
            bucket(part, report, lines);
        }
    }
}

#[cfg(feature = "objects")]
fn bucket(
    part: &'static str,
    report: Result<vouchsafe_objects::BucketReport, vouchsafe_objects::ObjectsError>,
    lines: &mut Lines,
) {
    use vouchsafe_objects::{Conditional, Verdict};
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            return lines.fail(
                "bucket",
                format!("{part}: {error}"),
                "check endpoint, bucket, credentials and certificates",
            );
        }
    };
    for conditional in Conditional::ALL {
        let honoured = report.verdict(conditional) == Verdict::Honoured;
        let said = format!(
            "{part}: {} is {}",
            conditional.name(),
            if honoured { "honoured" } else { "not honoured" }
        );
        lines.must(honoured, "bucket", said, "use a server that honours conditional writes");
    }
    let at_once = report.reads_writes() && report.lists_writes();
    lines.should(
        at_once,
        "bucket",
        format!("{part}: reads see the writes before them"),
        "use a server with consistent reads",
    );
    if part == "states" {
        let forgets = report.versioning().is_some_and(|versioning| versioning.forgets());
        lines.should(
            forgets,
            "bucket",
            "states: old versions are not kept",
            "turn versioning off: old key states open what was destroyed",
        );
    }
}
