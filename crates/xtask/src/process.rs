//! Commands that are run, and what they said.

use std::{
    env, fmt,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use crate::Result;

/// Variables that cargo sets for the program it runs.
const OWN: [&str; 4] = ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_MANIFEST_", "CARGO_PKG_"];

/// A command to run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    program: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    folder: Option<PathBuf>,
}

/// What a command said on both streams, how it ended and how long it took.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) command: String,
    pub(crate) ok: bool,
    pub(crate) seconds: f64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            variables: Vec::new(),
            folder: None,
        }
    }

    /// Sets an environment variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs in `folder`.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Runs without showing anything.
    pub(crate) fn quietly(&self) -> Result<Said> {
        self.run(false)
    }

    /// Runs and shows its error stream, where cargo tells its progress, as it goes.
    pub(crate) fn aloud(&self) -> Result<Said> {
        self.run(true)
    }

    fn run(&self, aloud: bool) -> Result<Said> {
        let started = Instant::now();
        let mut child = self.command().spawn().map_err(|error| format!("`{self}`: {error}"))?;
        let errors = child.stderr.take().ok_or("no error stream")?;
        let listener = thread::spawn(move || listen(errors, aloud));
        let output = child.wait_with_output()?;
        let stderr = listener.join().map_err(|_| "the error stream broke")?;
        Ok(Said {
            command: self.to_string(),
            ok: output.status.success(),
            seconds: started.elapsed().as_secs_f64(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // What `cargo run` told this program about itself would make a build script of another program run again.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| OWN.iter().any(|own| name.starts_with(own))) {
                command.env_remove(name);
            }
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

/// As a person would type it.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            write!(f, "{name}={value} ")?;
        }
        write!(f, "{}", self.program)?;
        for argument in &self.arguments {
            write!(f, " {argument}")?;
        }
        Ok(())
    }
}

impl Said {
    /// Standard output, when the command ended well.
    pub(crate) fn succeeded(&self) -> Result<&str> {
        if self.ok {
            Ok(&self.stdout)
        } else {
            Err(format!("`{}` failed\n{}", self.command, self.tail()).into())
        }
    }

    /// The value of the last word `key=value` on standard output.
    pub(crate) fn figure(&self, key: &str) -> Option<&str> {
        self.stdout.split_whitespace().rev().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The last lines of both streams.
    pub(crate) fn tail(&self) -> String {
        let last = |text: &str| {
            let lines: Vec<&str> = text.lines().collect();
            lines
                .iter()
                .skip(lines.len().saturating_sub(15))
                .map(|line| format!("  {line}\n"))
                .collect::<String>()
        };
        last(&self.stdout) + &last(&self.stderr)
    }
}

fn listen(stream: impl std::io::Read, aloud: bool) -> String {
    let mut heard = String::new();
    for line in BufReader::new(stream).split(b'\n').map_while(std::result::Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if aloud {
            eprintln!("{line}");
        }
        heard.push_str(&line);
        heard.push('\n');
    }
    heard
}
