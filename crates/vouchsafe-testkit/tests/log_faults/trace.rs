//! The process under `strace`, which counts its calls or makes some of them fail.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::appender::{FOLDER, PORT, Report};

const TEST: &str = "nothing_is_acknowledged_that_a_fault_took";
/// The longest that a process under `strace` may take, in seconds.
const PATIENCE: &str = "60";

/// Calls that fail together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Rename,
    Sync,
    Write,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::Rename, Self::Sync, Self::Write];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename, renameat",
            Self::Sync => "fsync, fdatasync",
            Self::Write => "write, pwrite64",
        }
    }

    const fn calls(self) -> &'static str {
        match self {
            Self::Rename => "rename,renameat,renameat2",
            Self::Sync => "fsync,fdatasync",
            Self::Write => "write,pwrite64",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Errno {
    Io,
    NoSpace,
}

impl Errno {
    pub(crate) const ALL: [Self; 2] = [Self::Io, Self::NoSpace];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Io => "EIO",
            Self::NoSpace => "ENOSPC",
        }
    }
}

/// The call of a group with this number, counted from 1 in each thread, fails, and all later ones if it lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) group: Group,
    pub(crate) errno: Errno,
    pub(crate) when: usize,
    pub(crate) lasting: bool,
}

impl Fault {
    pub(crate) const fn row(self) -> (Group, Errno, bool) {
        (self.group, self.errno, self.lasting)
    }
}

/// A run without a fault.
pub(crate) struct Trace {
    pub(crate) report: Report,
    /// The calls of the busiest thread, which is the one that appends, behind those that also fail in others: the
    /// test harness gives up when it cannot write.
    pub(crate) calls: BTreeMap<Group, Range<usize>>,
}

impl Trace {
    /// Runs the process to its end and counts its calls.
    ///
    /// Returns what is missing where `strace` is not installed or may not trace.
    pub(crate) fn count(folder: &Path) -> Result<Self, String> {
        let allowed = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
        match allowed {
            Err(_) => return Err("strace".to_owned()),
            Ok(output) if !output.status.success() => return Err("strace that may trace".to_owned()),
            Ok(_) => {}
        }
        let log = folder.with_extension("trace");
        let all = Group::ALL.map(Group::calls).join(",");
        let report = run(folder, &log, &[format!("trace={all}")]);
        let text = fs::read_to_string(&log).unwrap();
        let count = |group: Group| {
            let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
            for line in text.lines() {
                let Some((thread, call)) = line.split_once(' ') else { continue };
                let name = call.trim_start().split('(').next().unwrap_or_default();
                if group.calls().split(',').any(|own| own == name) {
                    *threads.entry(thread).or_default() += 1;
                }
            }
            let mut counts: Vec<_> = threads.into_values().collect();
            counts.sort_unstable();
            let most = counts.pop().unwrap_or_default();
            counts.pop().unwrap_or_default() + 1..most + 1
        };
        Ok(Self { report, calls: Group::ALL.map(|group| (group, count(group))).into() })
    }

    /// Runs the process with a fault.
    pub(crate) fn inject(folder: &Path, fault: Fault) -> Report {
        let log = folder.with_extension("trace");
        let (calls, on) = (fault.group.calls(), if fault.lasting { "+" } else { "" });
        let inject = format!("inject={calls}:error={}:when={}{on}", fault.errno.name(), fault.when);
        let mut report = run(folder, &log, &[format!("trace={calls}"), inject]);
        report.injected = fs::read_to_string(&log).unwrap().matches("(INJECTED)").count();
        fs::remove_file(log).unwrap();
        report
    }
}

fn run(folder: &Path, log: &Path, expressions: &[String]) -> Report {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut program = Command::new("timeout");
    program.args(["--signal=KILL", PATIENCE, "strace", "-f", "-qq", "-o"]).arg(log);
    for expression in expressions {
        program.args(["-e", expression]);
    }
    program.arg(std::env::current_exe().unwrap()).args(["--exact", "--quiet", "--nocapture", TEST]);
    program.env(FOLDER, folder).env(PORT, listener.local_addr().unwrap().port().to_string());
    let mut child =
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut report = Report::default();
    let stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break Some(stream),
            Err(_) if child.try_wait().unwrap().is_some() => break None,
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    if let Some(stream) = stream {
        stream.set_nonblocking(false).unwrap();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            report.note(&line).unwrap();
        }
    }
    let output = child.wait_with_output().unwrap();
    report.last_words = String::from_utf8_lossy(&output.stderr).into_owned();
    report
}
