//! A signed statement of each destruction, kept in a file and verified at the end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::people::Second;
use crate::{Failure, Result};

/// Holding, when, due, rule; then the signature.
const ROW: usize = 4 + 4 + 4 + 4 + 64;

pub(crate) struct Certificates {
    path: PathBuf,
    file: BufWriter<File>,
    key: Ed25519KeyPair,
    rules: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Certificates {
    pub(crate) fn create(path: PathBuf, seed: [u8; 32]) -> Result<Self> {
        let file = BufWriter::new(File::create(&path)?);
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Failure("no key"))?;
        Ok(Self { path, file, key, rules: Vec::new(), numbers: BTreeMap::new() })
    }

    pub(crate) fn add(&mut self, holding: u32, now: Second, due: Second, rule: &str) -> Result<()> {
        let signature = self.key.sign(statement(holding, now, due, rule).as_bytes());
        let known = self.numbers.get(rule).copied();
        let number = match known {
            Some(number) => number,
            None => self.enter(rule)?,
        };
        for word in [holding, now, due, number] {
            self.file.write_all(&word.to_be_bytes())?;
        }
        Ok(self.file.write_all(signature.as_ref())?)
    }

    fn enter(&mut self, rule: &str) -> Result<u32> {
        let number = u32::try_from(self.rules.len())?;
        self.rules.push(rule.to_owned());
        self.numbers.insert(rule.to_owned(), number);
        Ok(number)
    }

    /// Verifies every signature; how many of the `destroyed` holdings, by their number, have no valid statement
    /// that names the sweep.
    pub(crate) fn missing(mut self, destroyed: &[u32], moment: fn(usize) -> Second) -> Result<u64> {
        self.file.flush()?;
        let key = UnparsedPublicKey::new(&ED25519, self.key.public_key().as_ref());
        let mut certified = vec![false; destroyed.len()];
        let mut file = BufReader::new(File::open(&self.path)?);
        let mut row = [0; ROW];
        while read_row(&mut file, &mut row)? {
            let (words, signature) = row.split_at(16);
            let word = |i: usize| words.get(4 * i..4 * i + 4).and_then(|word| word.try_into().ok());
            let [holding, now, due, rule] = [0, 1, 2, 3].map(|i| word(i).map_or(0, u32::from_be_bytes));
            let rule = self.rules.get(rule as usize).ok_or(Failure("a statement names no rule"))?;
            let sweep = destroyed.get(holding as usize).copied().unwrap_or(u32::MAX);
            let is_valid = key.verify(statement(holding, now, due, rule).as_bytes(), signature).is_ok();
            if is_valid && sweep != u32::MAX && moment(sweep as usize) == now {
                certified[holding as usize] = true;
            }
        }
        fs::remove_file(&self.path)?;
        let missing =
            destroyed.iter().zip(&certified).filter(|(sweep, known)| **sweep != u32::MAX && !**known);
        Ok(missing.count() as u64)
    }
}

fn statement(holding: u32, now: Second, due: Second, rule: &str) -> String {
    format!("simulated destruction 1\nholding {holding}\nat {now}\ndue {due}\nrule {rule}\n")
}

/// Reads a whole row; false at the end.
fn read_row(file: &mut impl Read, row: &mut [u8; ROW]) -> Result<bool> {
    let mut have = 0;
    while have < ROW {
        match file.read(&mut row[have..])? {
            0 if have == 0 => return Ok(false),
            0 => return Err(Failure("a statement is cut off").into()),
            more => have += more,
        }
    }
    Ok(true)
}
