use std::fmt;

use crate::key::NamedKey;
use crate::note::Signature;
use crate::{LedgerError, Note, SignedCheckpoint};

/// The public key of a witness, with its name ([C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature)).
///
/// The text form is `name+hex8+base64(0x04 || public key)`. DIFFERENCE: of the two kinds in the standard this crate
/// knows `cosignature/v1` (Ed25519) only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WitnessKey(NamedKey);

impl WitnessKey {
    /// Reads the text form; it has one spelling.
    ///
    /// # Errors
    /// [`LedgerError::KeyMalformed`] for any other text, also when the key id is not that of the key.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        NamedKey::parse(ALGORITHM, text).map(Self)
    }

    /// The key name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key id: the first four bytes of SHA-256(name || 0x0A || 0x04 || public key).
    pub const fn id(&self) -> u32 {
        self.0.id
    }

    /// The 32 bytes of the public key (RFC 8032 section 5.1.5).
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.0.public
    }

    /// The time of a cosignature by this key; `None` for a line by another key.
    fn check(&self, line: &Signature, body: &str) -> Option<Result<u64, LedgerError>> {
        line.is_by(&self.0).then(|| {
            let (time, signature) = line.bytes().split_first_chunk().ok_or(LedgerError::SignatureInvalid)?;
            let time = u64::from_be_bytes(*time);
            if time > MAX_TIME {
                return Err(LedgerError::SignatureInvalid);
            }
            self.0.verify(message(time, body).as_bytes(), signature).map(|()| time)
        })
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text(ALGORITHM))
    }
}

/// The statement of a witness that, at a time, a checkpoint was the largest one it knew of the log, and continued
/// all before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cosignature {
    witness: WitnessKey,
    time: u64,
}

impl Cosignature {
    /// Who cosigned.
    pub const fn witness(&self) -> &WitnessKey {
        &self.witness
    }

    /// When, by the clock of the witness: whole seconds since 1970-01-01T00:00Z, 0 to 2^63 − 1.
    pub const fn time(&self) -> u64 {
        self.time
    }
}

impl SignedCheckpoint {
    /// Which of these witnesses cosigned the checkpoint and when, in their order; where one did so more than once,
    /// the latest time. Signatures by others are ignored.
    ///
    /// # Errors
    /// [`LedgerError::SignatureInvalid`] when a cosignature by one of them does not verify.
    pub fn cosignatures(&self, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, LedgerError> {
        let note = Note::parse(self.note())?;
        let mut found = Vec::new();
        for witness in witnesses {
            let times = note.signatures().iter().filter_map(|line| witness.check(line, note.text()));
            let latest = times.collect::<Result<Vec<_>, _>>()?.into_iter().max();
            found.extend(latest.map(|time| Cosignature { witness: witness.clone(), time }));
        }
        Ok(found)
    }

    /// The same checkpoint with the cosignatures of these witnesses out of the signature lines of an answer.
    ///
    /// What was there stays in its place; new lines follow in the order of the answer. One line a witness is kept,
    /// the one with the latest time. Lines by others are left out.
    ///
    /// # Errors
    /// [`LedgerError::WitnessMalformed`] when the lines do not parse, or would be too many;
    /// [`LedgerError::SignatureInvalid`] when a cosignature by one of the witnesses does not verify.
    pub fn with_signature_lines(&self, lines: &str, witnesses: &[WitnessKey]) -> Result<Self, LedgerError> {
        let note = Note::parse(self.note())?;
        let answer = parse_lines(lines)?;
        let mut kept: Vec<(Signature, Option<Cosignature>)> = Vec::new();
        for (line, fresh) in
            note.signatures().iter().map(|line| (line, false)).chain(answer.iter().map(|line| (line, true)))
        {
            let cosignature = identify(line, note.text(), witnesses)?;
            let same = kept.iter_mut().find(|(_, of)| {
                of.as_ref().zip(cosignature.as_ref()).is_some_and(|(of, new)| of.witness == new.witness)
            });
            match (same, &cosignature) {
                (Some(place), Some(new)) if place.1.as_ref().is_some_and(|old| old.time < new.time) => {
                    *place = (line.clone(), cosignature);
                }
                (Some(_), _) => {}
                (None, None) if fresh => {}
                (None, _) => kept.push((line.clone(), cosignature)),
            }
        }
        let lines: String = kept.iter().map(|(line, _)| format!("{line}\n")).collect();
        let note = format!("{}\n{lines}", note.text());
        Note::parse(&note).map_err(|_| LedgerError::WitnessMalformed)?;
        Ok(self.with_note(note))
    }
}

/// Makes cosignatures, for tests; a log has no use for it, and the seed is not wiped from everywhere.
#[cfg(any(test, feature = "test-util"))]
#[derive(Debug)]
pub struct Cosigner {
    seed: vouchsafe_types::Secret<32>,
    key: WitnessKey,
}

#[cfg(any(test, feature = "test-util"))]
impl Cosigner {
    /// The cosigner with this key name and the seed of RFC 8032 section 5.1.5.
    ///
    /// # Errors
    /// [`LedgerError::Name`] when the name is empty, or holds a space, a plus or a control character.
    pub fn from_seed(name: &str, seed: &vouchsafe_types::Secret<32>) -> Result<Self, LedgerError> {
        crate::key::check_name(name)?;
        let key = WitnessKey(NamedKey::new(ALGORITHM, name, crate::note::public_key(seed)?));
        let seed = vouchsafe_types::Secret::init_with(|own| own.copy_from_slice(seed.expose_secret()));
        Ok(Self { seed, key })
    }

    /// The key that verifies what this one makes.
    pub const fn key(&self) -> &WitnessKey {
        &self.key
    }

    /// The signature line, with its newline, over a note's text as of a time in seconds since 1970.
    ///
    /// # Errors
    /// [`LedgerError::KeyMalformed`] when the seed makes no key.
    pub fn cosign(&self, text: &str, time: u64) -> Result<String, LedgerError> {
        let signature = crate::note::raw_signature(&self.seed, message(time, text).as_bytes())?;
        let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
        Ok(format!("{}\n", crate::note::signature_line(&self.key.0, &bytes)))
    }
}

fn identify(
    line: &Signature,
    body: &str,
    witnesses: &[WitnessKey],
) -> Result<Option<Cosignature>, LedgerError> {
    let checked = witnesses.iter().find_map(|witness| Some((witness, witness.check(line, body)?)));
    let Some((witness, time)) = checked else { return Ok(None) };
    Ok(Some(Cosignature { witness: witness.clone(), time: time? }))
}

fn parse_lines(lines: &str) -> Result<Vec<Signature>, LedgerError> {
    let lines = lines.strip_suffix('\n').ok_or(LedgerError::WitnessMalformed)?;
    if lines.len() > crate::witness::MAX_ANSWER {
        return Err(LedgerError::WitnessMalformed);
    }
    let lines = lines.split('\n').map(Signature::parse).collect::<Option<Vec<_>>>();
    lines.filter(|lines| lines.len() <= Note::MAX_SIGNATURES).ok_or(LedgerError::WitnessMalformed)
}

/// What is signed: two lines, then the text of the note.
fn message(time: u64, body: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{body}")
}

/// The signature type of cosignature/v1.
const ALGORITHM: u8 = 0x04;
/// The latest time that a cosignature may say.
const MAX_TIME: u64 = (1 << 63) - 1;

#[cfg(test)]
mod tests;
