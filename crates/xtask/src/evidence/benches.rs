use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

const BENCH: [&str; 6] = ["bench", "--locked", "-p", "vouchsafe-benches", "--bench", "*"];

/// Every bench, in the profile that is already built; release figures are better.
pub(super) fn full(workspace: &Workspace) -> Result<Said> {
    run(workspace, &["--profile", "dev"])
}

/// Every bench, briefly.
pub(super) fn quick(workspace: &Workspace) -> Result<Said> {
    run(workspace, &["--profile", "dev", "--", "--quick"])
}

fn run(workspace: &Workspace, last: &[&str]) -> Result<Said> {
    let mut said = Run::new("cargo", &[&BENCH[..], last].concat()).within(workspace.root()).aloud()?;
    let medians = medians(&said.stdout);
    let list: Vec<String> = medians.iter().map(|(stage, median)| format!("{stage}:{median}")).collect();
    said.stdout.push_str(&format!("\nstages={} medians={}\n", medians.len(), list.join(",")));
    Ok(said)
}

/// The medians in criterion's report: `NAME   time:   [low median high]`, the name on a line of its own if long.
fn medians(report: &str) -> Vec<(String, String)> {
    let mut medians = Vec::new();
    let mut before = "";
    for line in report.lines() {
        if let Some((name, rest)) = line.split_once("time:") {
            let name = if name.trim().is_empty() { before } else { name };
            let mut words = rest.trim().trim_matches(['[', ']']).split_whitespace().skip(2);
            if let (Some(value), Some(unit)) = (words.next(), words.next()) {
                medians.push((name.trim().replace(' ', "_"), format!("{value}{unit}")));
            }
        }
        before = line;
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_read() {
        let report = "seal            time:   [1.0 µs 1.5 µs 2.0 µs]\n                thrpt: [1 2 3]\n\
                      a long/name\n                        time:   [10 ms 11 ms 12 ms]\n";
        let expected = [("seal", "1.5µs"), ("a_long/name", "11ms")];
        let found = medians(report);
        assert!(found.iter().map(|(a, b)| (a.as_str(), b.as_str())).eq(expected), "{found:?}");
    }
}
