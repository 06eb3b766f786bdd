//! Known-answer vectors, one named case each: Wycheproof, and NIST CAVP where `VOUCHSAFE_CAVP_DIR` names its folder.
//!
//! The folder is `cryptography_vectors/ciphers/AES/GCM` of the Python package `cryptography-vectors`. Without it that
//! part is skipped; that is an error where `VOUCHSAFE_REQUIRE_SERVICES` is set.
#![expect(clippy::unwrap_used, reason = "a vector file that cannot be read is a failed test")]

mod cavp;
mod wycheproof;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use vouchsafe_envelope::test_util::{gcm_open, gcm_seal};

/// What a vector wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Valid,
    Invalid,
    /// Key, nonce or tag has a size that our types cannot hold.
    NotApplicable,
}

impl Wanted {
    const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// One vector of AES-GCM, in whatever sizes.
struct Aead {
    key: Vec<u8>,
    nonce: Vec<u8>,
    aad: Vec<u8>,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Aead {
    /// Key, nonce and tag in the sizes of our types; none where they do not fit.
    fn sized(&self) -> Option<([u8; 32], [u8; 12], [u8; 16])> {
        let key = self.key.as_slice().try_into().ok()?;
        Some((key, self.nonce.as_slice().try_into().ok()?, self.tag.as_slice().try_into().ok()?))
    }

    /// Opens, and seals again what opened.
    fn check(&self, wanted: Wanted) -> Result<(), Failed> {
        let Some((key, nonce, tag)) = self.sized() else {
            return must(wanted == Wanted::NotApplicable, "the sizes do not fit our types");
        };
        let mut buffer = self.ciphertext.clone();
        let opened = gcm_open(&key, &nonce, &self.aad, &mut buffer, &tag).is_ok();
        must(opened == (wanted == Wanted::Valid), "opened or refused against the vector")?;
        if !opened {
            return must(buffer == self.ciphertext, "a refused ciphertext was decrypted");
        }
        must(buffer == self.plaintext, "another plaintext")?;
        let sealed = gcm_seal(&key, &nonce, &self.aad, &mut buffer)?;
        must(buffer == self.ciphertext && sealed == tag, "sealing gives other bytes")
    }
}

/// Fails with these words unless the condition holds.
fn must(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// The cases of one source, and how many of them want what.
#[derive(Default)]
struct Cases {
    trials: Vec<Trial>,
    counts: [usize; 3],
}

impl Cases {
    /// Adds one vector as a test of its own.
    fn add(
        &mut self,
        name: String,
        wanted: Wanted,
        run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
    ) {
        self.add_block(name, wanted, 1, run);
    }

    /// Adds several vectors as one test.
    fn add_block(
        &mut self,
        name: String,
        wanted: Wanted,
        vectors: usize,
        run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
    ) {
        self.trials.push(Trial::test(name, run));
        *self.counts.get_mut(wanted as usize).unwrap() += vectors;
    }

    /// Prints the totals and gives the tests on.
    fn counted(self, source: &str, expected: [usize; 3]) -> Vec<Trial> {
        let [valid, invalid, other] = self.counts;
        eprintln!("{source}: {valid} valid, {invalid} must fail, {other} not applicable");
        assert_eq!(self.counts, expected, "{source}: another number of vectors than expected");
        self.trials
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = wycheproof::trials();
    match cavp::trials() {
        Ok(found) => trials.extend(found),
        Err(reason) if ["VOUCHSAFE_CAVP_DIR", "VOUCHSAFE_REQUIRE_SERVICES"].into_iter().any(is_set) => {
            eprintln!("FAILED: {reason}");
            return ExitCode::FAILURE;
        }
        Err(reason) => eprintln!("SKIPPED: {reason}"),
    }
    eprintln!("vectors: {} named cases", trials.len());
    libtest_mimic::run(&arguments, trials).exit_code()
}
