use crate::PagesError;

/// Turns core dumps of this process off, for programs to call first in `main`.
///
/// On Unix the limit on core files becomes zero, soft and hard, so that it cannot be raised again; child processes
/// inherit it. On Linux and Android the process is also marked as not dumpable, because a core pattern that pipes
/// into a program ignores the limit. The mark has side effects: only root may trace the process, and its files
/// under `/proc/self` belong to root, so an unprivileged process can no longer read its own `/proc/self/mem`. The
/// mark is lost in an `exec`.
///
/// # Errors
/// [`PagesError::CoreDumpsStay`] when the system refuses, and where it is no Unix.
///
/// # Examples
/// ```standalone_crate
/// vouchsafe_pages::disable_core_dumps()?;
/// # #[cfg(target_os = "linux")]
/// # {
/// let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
/// let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
/// assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
/// # }
/// # Ok::<(), vouchsafe_pages::PagesError>(())
/// ```
pub fn disable_core_dumps() -> Result<(), PagesError> {
    limit_core_files()?;
    mark_undumpable()
}

#[cfg(unix)]
fn limit_core_files() -> Result<(), PagesError> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|_| PagesError::CoreDumpsStay)
}

#[cfg(not(unix))]
fn limit_core_files() -> Result<(), PagesError> {
    Err(PagesError::CoreDumpsStay)
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn mark_undumpable() -> Result<(), PagesError> {
    use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|_| PagesError::CoreDumpsStay)?;
    match dumpable_behavior() {
        Ok(DumpableBehavior::NotDumpable) => Ok(()),
        _ => Err(PagesError::CoreDumpsStay),
    }
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn mark_undumpable() -> Result<(), PagesError> {
    Ok(())
}
