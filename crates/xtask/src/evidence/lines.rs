//! What test programs print: words `key=value` in lines, and the harness's totals.

use crate::process::Said;

/// The value of a word `key=value` in one line; the harness may have written in front of it.
pub(super) fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// The lines that have this key.
pub(super) fn with<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.lines().filter(|line| value(line, key).is_some()).collect()
}

/// The two numbers of `found/all`.
pub(super) fn fraction(text: &str) -> Option<(u64, u64)> {
    let (found, all) = text.split_once('/')?;
    Some((found.parse().ok()?, all.parse().ok()?))
}

/// How many tests passed and failed, and how many times something was skipped aloud.
pub(super) fn totals(said: &Said) -> String {
    let count = |word: &str| -> u64 { said.stdout.lines().filter_map(|line| counted(line, word)).sum() };
    let skipped = said.stdout.lines().chain(said.stderr.lines()).filter(|line| is_skip(line)).count();
    format!("passed={} failed={} skipped={skipped}", count("passed"), count("failed"))
}

/// The number before a word in `test result: ok. 3 passed; 0 failed; …`.
fn counted(line: &str, word: &str) -> Option<u64> {
    let (_, rest) = line.split_once("test result: ")?;
    let part = rest.split(['.', ';']).find_map(|part| part.trim().strip_suffix(word))?;
    part.trim().parse().ok()
}

/// `SKIPPED what: why`, wherever the harness put it.
pub(super) fn is_skip(line: &str) -> bool {
    line.contains("SKIPPED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_behind_the_harness() {
        let line = "test softhsm2 ... provider=softhsm2 a_destroyed=0/37 b_after=";
        assert_eq!(value(line, "provider"), Some("softhsm2"));
        assert_eq!(value(line, "destroyed"), None);
        assert_eq!(value(line, "b_after"), Some(""));
        assert_eq!(value(line, "a_destroyed").and_then(fraction), Some((0, 37)));
    }

    #[test]
    fn totals_of_several_programs_are_summed() {
        let stdout = "test result: ok. 3 passed; 0 failed; 0 ignored\n\
                      test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured\n";
        let stderr = "SKIPPED swtpm: it is not installed\n".to_owned();
        let said = Said { command: "c".into(), ok: true, seconds: 0.0, stdout: stdout.into(), stderr };
        assert_eq!(totals(&said), "passed=13 failed=2 skipped=1");
    }
}
