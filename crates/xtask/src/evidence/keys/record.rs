use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::python::Environment;
use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

const BENCH: [&str; 8] =
    ["bench", "--locked", "-p", "vouchsafe-envelope", "--bench", "record", "--profile", "dev"];

/// The other libraries, with an environment of their own, so that nothing else depends on what they bring.
const PEERS: Environment = Environment {
    folder: "peers-venv",
    probe: "import tink, ironcore_alloy",
    packages: &["tink", "ironcore-alloy"],
};

/// One line of a bench.
#[derive(Deserialize)]
struct Timed {
    name: String,
    operation: String,
    ns_median: f64,
    ns_least: f64,
}

/// The bench of a record, and the same of other libraries in processes of their own.
pub(super) fn measure(workspace: &Workspace) -> Result<Said> {
    let mut said = Run::new("cargo", &BENCH).within(workspace.root()).aloud()?;
    let ours = ours(&timed(&said.stdout))?;
    let peers = peers(workspace);
    let peers = peers.unwrap_or_else(|error| {
        eprintln!("SKIPPED: the other libraries are not measured: {error}");
        String::new()
    });
    let theirs: Vec<String> = timed(&peers).iter().map(Timed::short).collect();
    let theirs = if theirs.is_empty() { "not_installed".to_owned() } else { theirs.join(",") };
    said.stdout.push_str(&format!("\n{peers}\n{ours} peers={theirs}\n"));
    Ok(said)
}

fn peers(workspace: &Workspace) -> Result<String> {
    // Where one of the two does not install, the other is measured.
    let python = PEERS.python(workspace).or_else(|_| one_by_one(workspace))?;
    let said = Run::new(&python, &["benches/peers/peers.py"]).within(workspace.root()).aloud()?;
    said.succeeded().map(str::to_owned)
}

fn one_by_one(workspace: &Workspace) -> Result<String> {
    let python = PEERS.program(workspace, "python").to_string_lossy().into_owned();
    let install = |package: &&&str| {
        let arguments = ["-m", "pip", "install", "--quiet", package];
        let installed = Run::new(&python, &arguments).quietly().is_ok_and(|said| said.ok);
        if !installed {
            eprintln!("SKIPPED: {package} does not install");
        }
        installed
    };
    if PEERS.packages.iter().filter(install).count() == 0 { Err("none installs".into()) } else { Ok(python) }
}

fn timed(text: &str) -> Vec<Timed> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Ratios of the least times: a busy machine adds to both, and never takes away.
fn ours(timed: &[Timed]) -> Result<String> {
    let by_name: BTreeMap<&str, &Timed> =
        timed.iter().map(|timed| (timed.operation.as_str(), timed)).collect();
    let of = |operation: &str| {
        by_name.get(operation).copied().ok_or_else(|| format!("the bench printed no `{operation}`"))
    };
    let (seal, open) = (of("seal 2 KiB")?, of("open 2 KiB")?);
    let bare_seal = of("primitives of a seal of 2 KiB")?;
    let bare_open = of("primitives of an open of 2 KiB")?;
    Ok(format!(
        "seal_ratio={:.3} open_ratio={:.3} warm_us={:.2} seal_us={:.2} open_us={:.2} \
         medians_us=seal:{:.2},open:{:.2}",
        seal.ns_least / bare_seal.ns_least,
        open.ns_least / bare_open.ns_least,
        (seal.ns_least + open.ns_least) / 1e3,
        seal.ns_least / 1e3,
        open.ns_least / 1e3,
        seal.ns_median / 1e3,
        open.ns_median / 1e3,
    ))
}

impl Timed {
    fn short(&self) -> String {
        format!("{}:{}:{:.1}us", self.name, self.operation.replace(' ', "_"), self.ns_median / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_the_least_times() {
        let line = |operation: &str, median: u32, least: u32| {
            format!(
                "{{\"name\": \"v\", \"operation\": \"{operation}\", \"ns_median\": {median}, \
                 \"ns_least\": {least}}}\n"
            )
        };
        let text = line("seal 2 KiB", 5000, 3000)
            + &line("open 2 KiB", 4000, 2000)
            + "seal=1.00x\n"
            + &line("primitives of a seal of 2 KiB", 9000, 2000)
            + &line("primitives of an open of 2 KiB", 9000, 1000);
        let figures = ours(&timed(&text)).unwrap();
        assert!(figures.starts_with("seal_ratio=1.500 open_ratio=2.000 warm_us=5.00"), "{figures}");
        assert!(ours(&timed("nothing")).is_err());
    }
}
