use std::fs;

use toml::{Table, Value};

use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// What the targets of the keys' parsers begin with.
const PARSERS: [&str; 9] = [
    "fence",
    "key_file",
    "openbao",
    "pkcs11",
    "record_open",
    "shard",
    "state_",
    "template_reference",
    "tree_decode",
];
const SECONDS: u32 = 10;

/// Looks whether each target has seeds and a row in the table of what it asserts.
pub(super) fn list(workspace: &Workspace) -> Result<Said> {
    let targets = targets(workspace)?;
    let (seedless, rowless) = wanting(workspace, &targets)?;
    let stdout = format!(
        "fuzz_targets={} without_seed={seedless} without_row={rowless} crashes=0 runs=none_in_--quick\n\
         targets={}\n",
        targets.len(),
        targets.join(",")
    );
    let command = "fuzz/Cargo.toml, fuzz/seeds and the table in fuzz/README.md".to_owned();
    Ok(Said { command, ok: true, seconds: 0.0, stdout, stderr: String::new() })
}

/// Runs each target for ten seconds, as `.ci/run` does.
pub(super) fn run(workspace: &Workspace) -> Result<Said> {
    let targets = targets(workspace)?;
    let (seedless, rowless) = wanting(workspace, &targets)?;
    let mut all = Said {
        command: format!("cargo fuzz run TARGET -- -max_total_time={SECONDS}, for each target"),
        ok: true,
        seconds: 0.0,
        stdout: String::new(),
        stderr: String::new(),
    };
    let (mut runs, mut crashes) = (0, 0);
    for target in &targets {
        let said = attack(workspace, target)?;
        let done = executed(&said.stderr);
        runs += done;
        crashes += u32::from(!said.ok);
        all.seconds += said.seconds;
        all.stdout.push_str(&format!("target={target} target_runs={done} ended_well={}\n", said.ok));
        all.stderr.push_str(&said.tail());
    }
    all.stdout.push_str(&format!(
        "fuzz_targets={} without_seed={seedless} without_row={rowless} crashes={crashes} runs={runs}\n",
        targets.len()
    ));
    Ok(all)
}

fn attack(workspace: &Workspace, target: &str) -> Result<Said> {
    let corpus = workspace.target().join("fuzz/corpus").join(target);
    let crashes = corpus.with_extension("crashes");
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&crashes)?;
    let (corpus, seeds) = (corpus.to_string_lossy().into_owned(), format!("fuzz/seeds/{target}"));
    let artifacts = format!("-artifact_prefix={}/", crashes.to_string_lossy());
    let time = format!("-max_total_time={SECONDS}");
    let mut arguments = vec!["fuzz", "run", target, &corpus];
    if workspace.join(&seeds).is_dir() {
        arguments.push(&seeds);
    }
    arguments.extend(["--", &time, "-verbosity=0", "-print_final_stats=1", &artifacts]);
    let nightly = Run::new("rustup", &["run", "nightly", "rustc", "--version"]).quietly();
    let run = if nightly.is_ok_and(|said| said.ok) {
        Run::new("rustup", &[&["run", "nightly", "cargo"], &arguments[..]].concat())
    } else {
        Run::new("cargo", &arguments).with("RUSTC_BOOTSTRAP", "1")
    };
    run.within(workspace.root()).aloud()
}

/// `stat::number_of_executed_units: 123456`
fn executed(report: &str) -> u64 {
    let counts =
        report.lines().filter_map(|line| line.trim().strip_prefix("stat::number_of_executed_units:"));
    counts.filter_map(|count| count.trim().parse::<u64>().ok()).sum()
}

/// The targets of the keys' parsers; every kind of parser must have one.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let manifest: Table = workspace.read("fuzz/Cargo.toml")?.parse()?;
    let programs = manifest.get("bin").and_then(Value::as_array).into_iter().flatten();
    let names = programs.filter_map(|program| program.get("name")?.as_str());
    let mut targets: Vec<String> =
        names.filter(|name| PARSERS.iter().any(|begin| name.starts_with(begin))).map(str::to_owned).collect();
    targets.sort();
    match PARSERS.iter().find(|begin| !targets.iter().any(|target| target.starts_with(*begin))) {
        Some(missing) => Err(format!("no fuzz target begins with `{missing}`").into()),
        None => Ok(targets),
    }
}

/// How many targets lack a seed, and how many lack a row in the table.
fn wanting(workspace: &Workspace, targets: &[String]) -> Result<(usize, usize)> {
    let table = workspace.read("fuzz/README.md")?;
    let has_seed = |target: &str| {
        fs::read_dir(workspace.join(&format!("fuzz/seeds/{target}")))
            .is_ok_and(|mut seeds| seeds.next().is_some())
    };
    let has_row = |target: &str| table.lines().any(|line| line.starts_with(&format!("| `{target}`")));
    let without = |has: &dyn Fn(&str) -> bool| targets.iter().filter(|target| !has(target)).count();
    Ok((without(&has_seed), without(&has_row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read() {
        assert_eq!(executed("Done\nstat::number_of_executed_units: 12\nstat::peak_rss_mb: 5\n"), 12);
    }
}
