//! NIST CAVP, GCM test vectors (`gcmtestvectors.zip`), keys of 256 bits: encryption and decryption.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
};

use libtest_mimic::{Failed, Trial};

use crate::{Aead, Cases, Wanted, must};

/// The tests of both files; an error says what is missing.
pub(crate) fn trials() -> Result<Vec<Trial>, String> {
    let folder = std::env::var_os("VOUCHSAFE_CAVP_DIR").map(PathBuf::from).ok_or(
        "VOUCHSAFE_CAVP_DIR is not set, so the GCM vectors of NIST CAVP did not run \
         (Python package cryptography-vectors, folder ciphers/AES/GCM)",
    )?;
    let mut trials = Vec::new();
    for (file, expected) in [("gcmEncryptExtIV256", [375, 0, 7500]), ("gcmDecrypt256", [184, 191, 7500])] {
        let path = folder.join(file).with_extension("rsp");
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}.rsp: {error}"))?;
        trials.extend(cases(file, &text)?.counted(&format!("cavp {file}"), expected));
    }
    Ok(trials)
}

/// One test for each vector in our sizes, and one for each other combination of sizes.
fn cases(file: &str, text: &str) -> Result<Cases, String> {
    let mut cases = Cases::default();
    let mut others: BTreeMap<String, Vec<Aead>> = BTreeMap::new();
    for record in records(text) {
        let (aead, wanted) = record.vector().ok_or(format!("{file}: a record lacks a field"))?;
        let size = |name| record.sizes.get(name).copied().unwrap_or_default();
        let [key, iv, tag] = ["Keylen", "IVlen", "Taglen"].map(size);
        if (key, iv, tag) != ("256", "96", "128") {
            others.entry(format!("keylen{key}_iv{iv}_tag{tag}")).or_default().push(aead);
            continue;
        }
        let outcome = if wanted == Wanted::Valid { "pass" } else { "fail" };
        let [pt, aad] = ["PTlen", "AADlen"].map(size);
        let name = format!(
            "cavp::{file}::keylen{key}_iv{iv}_pt{pt}_aad{aad}_tag{tag}_count{}_{outcome}",
            record.field("Count").unwrap_or_default()
        );
        cases.add(name, wanted, move || aead.check(wanted));
    }
    for (sizes, vectors) in others {
        let name = format!("cavp::{file}::{sizes}_{}_vectors_not_applicable", vectors.len());
        cases.add_block(name, Wanted::NotApplicable, vectors.len(), move || none_fits(&vectors));
    }
    Ok(cases)
}

fn none_fits(vectors: &[Aead]) -> Result<(), Failed> {
    must(vectors.iter().all(|vector| vector.sized().is_none()), "a vector fits our types and must run")
}

/// The lines of one vector, under the sizes that were stated last.
struct Record<'t> {
    sizes: HashMap<&'t str, &'t str>,
    fields: HashMap<&'t str, &'t str>,
}

/// The records of a file: `[name = size]` lines, then paragraphs of `name = value` lines and a bare `FAIL`.
fn records(text: &str) -> Vec<Record<'_>> {
    let mut sizes = HashMap::new();
    let mut records: Vec<Record<'_>> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let bare = line.trim_start_matches('[').trim_end_matches(']');
        let (name, value) = bare.split_once('=').unwrap_or((bare, ""));
        let (name, value) = (name.trim(), value.trim());
        if line.starts_with('[') {
            sizes.insert(name, value);
        } else if name == "Count" {
            records.push(Record { sizes: sizes.clone(), fields: HashMap::from([(name, value)]) });
        } else if let (false, Some(record)) = (name.is_empty(), records.last_mut()) {
            record.fields.insert(name, value);
        }
    }
    records
}

impl Record<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).copied()
    }

    fn vector(&self) -> Option<(Aead, Wanted)> {
        let bytes = |name| hex(self.field(name)?);
        let fails = self.field("FAIL").is_some();
        let aead = Aead {
            key: bytes("Key")?,
            nonce: bytes("IV")?,
            aad: bytes("AAD")?,
            plaintext: if fails { Vec::new() } else { bytes("PT")? },
            ciphertext: bytes("CT")?,
            tag: bytes("Tag")?,
        };
        Some((aead, if fails { Wanted::Invalid } else { Wanted::Valid }))
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.as_bytes().chunks(2).map(byte).collect()
}
