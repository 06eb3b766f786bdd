//! What runs over every key service: the conformance suite and the restore drill; and the scan of memory.

use super::{super::lines, vectors::ENVIRONMENT};
use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// Features of the key services; that of the TPM links system libraries.
const SERVICES: &str = "pkcs11,openbao";
const SERVICES_AND_TPM: &str = "pkcs11,openbao,tpm";

/// What the suite's tests are called.
const SUITE: [&str; 2] = ["conform", "every_key_service_must"];

/// The tests of every adapter, against the real services.
pub(super) fn adapters(workspace: &Workspace) -> Result<Said> {
    conformance(workspace, &[])
}

/// The suite alone, over each service.
pub(super) fn suite(workspace: &Workspace) -> Result<Said> {
    conformance(workspace, &[&["--"], &SUITE[..]].concat())
}

fn conformance(workspace: &Workspace, filter: &[&str]) -> Result<Said> {
    let features = features();
    let arguments = ["test", "--locked", "-p", "vouchsafe-keys", "--features", features];
    let mut said = with_services(workspace, &[&arguments[..], filter].concat(), &[])?;
    let conforming = said.stdout.lines().filter(|line| is_conforming(line)).count();
    let totals = lines::totals(&said);
    said.stdout.push_str(&format!("\n{totals} conforming={conforming} services=key_file,{features}\n"));
    if features == SERVICES {
        said.stdout.push_str("SKIPPED tpm: the TSS 2 libraries are not installed\n");
    }
    Ok(said)
}

/// `test openbao::openbao_conforms ... ok`
fn is_conforming(line: &str) -> bool {
    let name = line.strip_suffix(" ... ok").unwrap_or_default();
    name.ends_with("_conforms") || name.ends_with("_every_key_service_must")
}

/// The drill over a thousand people of whom 37 are destroyed.
pub(super) fn restore_thousand(workspace: &Workspace) -> Result<Said> {
    restore(workspace, "1000")
}

/// The drill over a hundred people of whom four are destroyed.
pub(super) fn restore_hundred(workspace: &Workspace) -> Result<Said> {
    restore(workspace, "100")
}

fn restore(workspace: &Workspace, subjects: &str) -> Result<Said> {
    let features = features();
    let test = ["test", "--locked", "-p", "vouchsafe-testkit", "--features", features];
    let drill = ["--test", "restore_providers", "--", "--nocapture"];
    let variables = [("VOUCHSAFE_DRILL_SUBJECTS", subjects)];
    let mut said = with_services(workspace, &[&test[..], &drill].concat(), &variables)?;
    let table = Table::read(&said.stdout);
    let skipped = said.stdout.lines().chain(said.stderr.lines()).filter(|line| lines::is_skip(line)).count();
    said.stdout.push_str(&format!("\nsubjects={subjects} skipped={skipped} {}\n", table.summary()));
    for line in lines::with(&said.stdout, "provider") {
        eprintln!("{line}");
    }
    Ok(said)
}

/// One row for each provider of the drill.
struct Table<'t>(Vec<&'t str>);

impl<'t> Table<'t> {
    fn read(text: &'t str) -> Self {
        Self(lines::with(text, "provider"))
    }

    /// The sum over the providers of the first number of `found/all`; a row without it counts as one.
    fn found(&self, key: &str) -> u64 {
        let found =
            |line: &&str| lines::value(line, key).and_then(lines::fraction).map_or(1, |(found, _)| found);
        self.0.iter().map(found).sum()
    }

    /// How many are missing from `found/all`.
    fn lost(&self, key: &str) -> u64 {
        let lost = |line: &&str| {
            let fraction = lines::value(line, key).and_then(lines::fraction);
            fraction.filter(|(_, all)| *all > 0).map_or(1, |(found, all)| all.saturating_sub(found))
        };
        self.0.iter().map(lost).sum()
    }

    /// Providers whose gate let anything through, or did not say.
    fn not_refused(&self) -> usize {
        let open = |line: &&&str| {
            lines::value(line, "b_gate")
                .is_none_or(|gate| gate.is_empty() || gate.split(',').any(|word| word == "none"))
        };
        self.0.iter().filter(open).count()
    }

    fn summary(&self) -> String {
        let row = |line: &&str| {
            let of = |key| lines::value(line, key).unwrap_or("?");
            format!("{}:{}:{}", of("provider"), of("strength"), of("b_ungated"))
        };
        let ungated: Vec<String> = self.0.iter().map(row).collect();
        format!(
            "providers={} a_destroyed_opened={} a_survivors_lost={} b_not_refused={} b_after_opened={} \
             b_after_survivors_lost={} ungated={}",
            self.0.len(),
            self.found("a_destroyed"),
            self.lost("a_survivors"),
            self.not_refused(),
            self.found("b_after"),
            self.lost("b_after_survivors"),
            ungated.join(",")
        )
    }
}

/// Scans a process's memory at each stage of a key's life.
pub(super) fn memory(workspace: &Workspace) -> Result<Said> {
    let arguments =
        ["test", "--locked", "-p", "vouchsafe-testkit", "--test", "key_memory", "--", "--nocapture"];
    let mut said = Run::new("cargo", &arguments).within(workspace.root()).aloud()?;
    let figures = scanned(&said.stdout);
    said.stdout.push_str(&figures);
    Ok(said)
}

/// Sums the lines `stage=NAME found=0 control=1/1`. A stage without its count, or without a control, fails.
fn scanned(text: &str) -> String {
    let stages = lines::with(text, "stage");
    let found =
        |line: &&str| lines::value(line, "found").and_then(|found| found.parse::<u64>().ok()).unwrap_or(1);
    let control = |line: &&str| lines::value(line, "control").unwrap_or("0").to_owned();
    let controls: Vec<String> = stages.iter().map(control).collect();
    let missed = |control: &&String| match lines::fraction(control) {
        Some((found, all)) => found < all || all == 0,
        None => !control.parse::<u64>().is_ok_and(|found| found > 0),
    };
    format!(
        "\nstages={} keys_found={} controls_missed={} controls={}\n",
        stages.len(),
        stages.iter().map(found).sum::<u64>(),
        controls.iter().filter(missed).count(),
        controls.join(",")
    )
}

/// Which features can be built here.
fn features() -> &'static str {
    let probe = Run::new("pkg-config", &["--exists", "tss2-esys"]).quietly();
    if probe.is_ok_and(|said| said.ok) { SERVICES_AND_TPM } else { SERVICES }
}

/// Runs cargo where the tests find the server of OpenBao.
fn with_services(workspace: &Workspace, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Said> {
    let mut run = Run::new("cargo", arguments);
    match ENVIRONMENT.python(workspace) {
        Ok(_) => run = run.with("VOUCHSAFE_BAO", &ENVIRONMENT.program(workspace, "bao").to_string_lossy()),
        Err(error) => eprintln!("WARNING: the server of OpenBao could not be installed: {error}"),
    }
    variables.iter().fold(run, |run, (name, value)| run.with(name, value)).within(workspace.root()).aloud()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "provider=key_file strength=host_only a_destroyed=0/37 a_survivors=963/963 \
                       b_gate=KeyServiceRolledBack b_ungated=37/37 b_after=0/37 b_after_survivors=963/963";

    #[test]
    fn a_table_is_summed() {
        let second = ROW.replace("key_file", "softhsm2").replace("KeyServiceRolledBack", "none,Refused");
        let text = format!("noise\ntest a ... {ROW}\n{second}\n{}\n", ROW.replace("0/37", "1/37"));
        assert_eq!(
            Table::read(&text).summary(),
            "providers=3 a_destroyed_opened=1 a_survivors_lost=0 b_not_refused=1 b_after_opened=1 \
             b_after_survivors_lost=0 \
             ungated=key_file:host_only:37/37,softhsm2:host_only:37/37,key_file:host_only:37/37"
        );
    }

    #[test]
    fn a_row_without_a_figure_is_no_pass() {
        let table = Table::read("provider=x\n");
        assert_eq!((table.found("b_after"), table.lost("a_survivors"), table.not_refused()), (1, 1, 1));
    }

    #[test]
    fn conforming_services_are_told_from_other_tests() {
        assert!(is_conforming("test tpm::it_does_what_every_key_service_must ... ok"));
        assert!(!is_conforming("test openbao::openbao_conforms ... FAILED"));
        assert!(!is_conforming("test key_services::a_service_that_lies_does_not_conform ... ok"));
    }

    #[test]
    fn a_scan_without_control_is_no_pass() {
        let text =
            "stage=expiry found=0 control=1\nstage=drop found=2 control=0/1\nstage=puncture control=3/3\n";
        assert_eq!(scanned(text), "\nstages=3 keys_found=3 controls_missed=1 controls=1,0/1,3/3\n");
    }
}
