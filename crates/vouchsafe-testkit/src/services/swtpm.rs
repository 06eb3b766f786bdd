//! A software TPM 2.0 (`swtpm`) on 127.0.0.1, with its state in a temporary folder.
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::skip;

/// A running or stopped software TPM; it is killed when this is dropped.
#[derive(Debug)]
pub struct Swtpm {
    state: TempDir,
    port: u16,
    child: Option<Child>,
}

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// How often other ports are tried when somebody took the ones that were free.
const PORTS: usize = 8;
/// `CMD_SHUTDOWN` of the control channel.
const SHUTDOWN: [u8; 4] = [0, 0, 0, 3];

impl Swtpm {
    /// Starts a new TPM, manufactured with fresh seeds; `None`, said aloud, where `swtpm` is not installed.
    ///
    /// # Errors
    /// What kept an installed `swtpm` from starting.
    ///
    /// # Panics
    /// Without `swtpm` where nothing may be skipped, see [`skip`].
    pub fn new() -> io::Result<Option<Self>> {
        if !is_installed() {
            skip("the TPM service", "swtpm (apt: swtpm)");
            return Ok(None);
        }
        let state = tempfile::tempdir()?;
        let mut tpm = Self { state, port: free_ports()?, child: None };
        for _ in 1..PORTS {
            if tpm.start().is_ok() {
                return Ok(Some(tpm));
            }
            tpm.port = free_ports()?;
        }
        tpm.start()?;
        Ok(Some(tpm))
    }

    /// How to reach it.
    pub fn tcti(&self) -> String {
        tcti(self.port)
    }

    /// The port of its commands; control is at the next one.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Starts it again, on the same ports; as after a reset, sessions and transient objects are gone.
    ///
    /// # Errors
    /// When it ends at once or does not listen in time.
    pub fn start(&mut self) -> io::Result<()> {
        let mut child = command(self.state.path(), self.port).spawn()?;
        let begun = Instant::now();
        while !(listens(self.port) && listens(self.port + 1)) {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("swtpm ended: {status}")));
            }
            if begun.elapsed() > PATIENCE {
                end(child);
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(PAUSE);
        }
        self.child = Some(child);
        Ok(())
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// When it does not end in time; it is killed then.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let asked = shut_down(self.port + 1);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && asked.is_ok() {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        end(child);
        asked.and(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            end(child);
        }
    }

    /// Copies its state into a new folder, stopping it meanwhile.
    ///
    /// # Errors
    /// When it cannot be stopped, copied or started again.
    pub fn snapshot_to(&mut self, folder: &Path) -> io::Result<()> {
        self.stop()?;
        copy(self.state.path(), folder)?;
        self.start()
    }

    /// Puts a copy of the state back, stopping it meanwhile.
    ///
    /// # Errors
    /// When it cannot be stopped, copied or started again.
    pub fn restore_from(&mut self, folder: &Path) -> io::Result<()> {
        self.stop()?;
        for file in files(self.state.path())? {
            fs::remove_file(file)?;
        }
        copy(folder, self.state.path())?;
        self.start()
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How to reach a TPM whose commands go to this port.
pub fn tcti(port: u16) -> String {
    format!("swtpm:host=127.0.0.1,port={port}")
}

/// The first of two adjacent free ports.
///
/// # Errors
/// When no port is free.
pub fn free_ports() -> io::Result<u16> {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        let next = port.checked_add(1).map(|next| TcpListener::bind((Ipv4Addr::LOCALHOST, next)));
        if let Some(Ok(_)) = next {
            return Ok(port);
        }
    }
}

fn is_installed() -> bool {
    let mut version = Command::new("swtpm");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn command(state: &Path, port: u16) -> Command {
    let mut command = Command::new("swtpm");
    command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"]);
    command.args(["--seccomp", "action=none", "--tpmstate"]).arg(dir(state));
    command.arg("--server").arg(format!("type=tcp,bindaddr=127.0.0.1,port={port}"));
    command.arg("--ctrl").arg(format!("type=tcp,bindaddr=127.0.0.1,port={}", port + 1));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn dir(state: &Path) -> std::ffi::OsString {
    let mut dir = std::ffi::OsString::from("dir=");
    dir.push(state);
    dir
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn shut_down(port: u16) -> io::Result<()> {
    let mut control = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    control.set_read_timeout(Some(PATIENCE))?;
    control.write_all(&SHUTDOWN)?;
    control.read_exact(&mut [0; 4])
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for file in files(from)? {
        if let Some(name) = file.file_name() {
            fs::copy(&file, to.join(name))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
