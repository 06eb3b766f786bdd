//! The child process: `memory-subject`, step by step.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running `memory-subject` that stands still.
pub(crate) struct Process {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it and waits until it has verified; it holds its key state then.
    pub(crate) fn start(folder: &Path, pictures: &Path, mode: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_memory-subject"))
            .args([folder.as_os_str(), pictures.as_os_str(), mode.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, said };
        process.expect("held");
        process
    }

    /// Lets it wipe its key state.
    pub(crate) fn wipe_keys(&mut self) {
        self.send(b"\n");
        self.expect("verified");
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it publish the log.
    pub(crate) fn publish(&mut self) {
        self.send(b"\n");
        self.expect("published");
    }

    /// Lets it keep copies of these blocks.
    pub(crate) fn plant<'b>(&mut self, blocks: impl Iterator<Item = &'b [u8]>) {
        self.send(b"\n");
        for block in blocks {
            self.send(&(block.len() as u64).to_le_bytes());
            self.send(block);
        }
        self.send(&0_u64.to_le_bytes());
        self.expect("planted");
    }

    /// Lets it end.
    pub(crate) fn end(mut self) {
        self.send(b"\n");
        assert!(self.child.wait().unwrap().success());
    }

    fn send(&mut self, bytes: &[u8]) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn expect(&mut self, line: &str) {
        let mut said = String::new();
        self.said.read_line(&mut said).unwrap();
        assert_eq!(said.trim_end(), line, "the child ended early");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After a failed assertion it would wait for ever.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
