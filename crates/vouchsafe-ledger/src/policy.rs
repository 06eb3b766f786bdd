use std::collections::{HashMap, HashSet};

use crate::{LedgerError, SignedCheckpoint, VerifierKey, WitnessKey, text};

/// Which logs and which witnesses somebody trusts, and how many of them must agree
/// ([C2SP tlog-policy](https://c2sp.org/tlog-policy)).
///
/// A checkpoint is believed when one of the logs signed it and the witnesses that cosigned it make the quorum.
/// DIFFERENCE: witness keys of another kind than [`WitnessKey`] refuse the whole policy, so that nobody believes
/// that they count.
///
/// ```
/// use vouchsafe_ledger::Policy;
///
/// let policy = Policy::parse(b"# no witness is needed\nquorum none\n")?;
/// assert!(!policy.demands_witnesses());
/// # Ok::<(), vouchsafe_ledger::LedgerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    log_urls: Vec<Option<Vec<u8>>>,
    witnesses: Vec<WitnessKey>,
    witness_urls: Vec<Option<Vec<u8>>>,
    groups: Vec<Group>,
    quorum: Option<Member>,
}

impl Policy {
    /// The longest text, in bytes.
    pub const MAX_LEN: usize = 256 * 1024;
    /// The most logs.
    pub const MAX_LOGS: usize = 64;
    /// The most witnesses.
    pub const MAX_WITNESSES: usize = 64;
    /// The most groups.
    pub const MAX_GROUPS: usize = 64;

    /// Reads the text form.
    ///
    /// # Errors
    /// [`LedgerError::PolicyMalformed`] for any other text, for keys that are duplicate or of a kind that is not
    /// known, and beyond the limits.
    pub fn parse(text: &[u8]) -> Result<Self, LedgerError> {
        Parser::read(text).ok_or(LedgerError::PolicyMalformed)
    }

    /// The logs whose signature is accepted; none when the log is known from elsewhere.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// Where a log is reached, if the policy says so in UTF-8.
    pub fn log_url(&self, log: &VerifierKey) -> Option<&str> {
        url(self.logs.iter().position(|key| key == log), &self.log_urls)
    }

    /// Where a witness is reached (its submission prefix), if the policy says so in UTF-8.
    pub fn witness_url(&self, witness: &WitnessKey) -> Option<&str> {
        url(self.witnesses.iter().position(|key| key == witness), &self.witness_urls)
    }

    /// Whether a checkpoint without any cosignature is refused.
    pub const fn demands_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Reads a signed note as a checkpoint of one of the logs, and checks the quorum.
    ///
    /// # Errors
    /// [`LedgerError::NoteMalformed`], [`LedgerError::SignatureMissing`], [`LedgerError::SignatureInvalid`],
    /// [`LedgerError::CheckpointMalformed`]; [`LedgerError::OriginMismatch`] when the name of no key that signed is
    /// the origin; [`LedgerError::QuorumMissing`].
    pub fn check(&self, note: &str) -> Result<SignedCheckpoint, LedgerError> {
        let keys = self.logs.iter().collect::<Vec<_>>();
        let parsed = crate::Note::parse(note)?;
        let body = parsed.verify(&keys)?;
        let origin = body.split('\n').next().unwrap_or_default();
        let own = parsed.signers(&keys)?.into_iter().filter(|key| key.name() == origin).collect::<Vec<_>>();
        if own.is_empty() {
            crate::Checkpoint::parse(body)?;
            return Err(LedgerError::OriginMismatch);
        }
        let (signed, _) = SignedCheckpoint::open_any(note, &own, origin)?;
        self.check_quorum(&signed)?;
        Ok(signed)
    }

    /// Checks that the witnesses that cosigned make the quorum.
    ///
    /// # Errors
    /// [`LedgerError::QuorumMissing`]; [`LedgerError::SignatureInvalid`] when a cosignature by one of the witnesses
    /// does not verify, even where the others would do.
    pub fn check_quorum(&self, signed: &SignedCheckpoint) -> Result<(), LedgerError> {
        let cosigned = signed.cosignatures(&self.witnesses)?;
        let witnesses: Vec<bool> =
            self.witnesses.iter().map(|key| cosigned.iter().any(|one| one.witness() == key)).collect();
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let have = group.members.iter().filter(|member| member.holds(&witnesses, &groups)).count();
            groups.push(have >= group.threshold);
        }
        match &self.quorum {
            Some(quorum) if !quorum.holds(&witnesses, &groups) => Err(LedgerError::QuorumMissing),
            _ => Ok(()),
        }
    }
}

/// A witness or a group, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Member {
    Group(usize),
    Witness(usize),
}

impl Member {
    fn holds(self, witnesses: &[bool], groups: &[bool]) -> bool {
        let (list, place) = match self {
            Self::Group(place) => (groups, place),
            Self::Witness(place) => (witnesses, place),
        };
        list.get(place).copied().unwrap_or(false)
    }
}

/// Witnesses a checkpoint when at least `threshold` of its members do; members come before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// Reads a policy line by line.
#[derive(Default)]
struct Parser<'a> {
    logs: Vec<VerifierKey>,
    log_urls: Vec<Option<Vec<u8>>>,
    witnesses: Vec<WitnessKey>,
    witness_urls: Vec<Option<Vec<u8>>>,
    groups: Vec<Group>,
    quorum: Option<Option<Member>>,
    names: HashMap<&'a [u8], Member>,
    members: HashSet<Member>,
}

impl<'a> Parser<'a> {
    fn read(text: &'a [u8]) -> Option<Policy> {
        let allowed = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x20..=0x7e | 0x80..=0xff);
        if text.len() > Policy::MAX_LEN || !text.iter().all(allowed) {
            return None;
        }
        let mut parser = Self::default();
        for line in text.strip_suffix(b"\n")?.split(|byte| *byte == b'\n') {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let items = line.split(blank).filter(|item| !item.is_empty()).collect::<Vec<_>>();
            parser.line(&items)?;
        }
        let Self { logs, log_urls, witnesses, witness_urls, groups, quorum, .. } = parser;
        Some(Policy { logs, log_urls, witnesses, witness_urls, groups, quorum: quorum? })
    }

    fn line(&mut self, items: &[&'a [u8]]) -> Option<()> {
        match items {
            [] => Some(()),
            [first, ..] if first.starts_with(b"#") => Some(()),
            [b"log", key, url @ ..] => self.log(key, url),
            [b"witness", name, key, url @ ..] => self.witness(name, key, url),
            [b"group", name, threshold, members @ ..] => self.group(name, threshold, members),
            [b"quorum", name] => self.quorum(name),
            _ => None,
        }
    }

    fn log(&mut self, key: &[u8], url: &[&[u8]]) -> Option<()> {
        let key = VerifierKey::parse(str::from_utf8(key).ok()?).ok()?;
        let duplicate = self.logs.iter().any(|log| log.public_key() == key.public_key());
        self.log_urls.push(at_most_one(url)?);
        self.logs.push(key);
        (!duplicate && self.logs.len() <= Policy::MAX_LOGS).then_some(())
    }

    fn witness(&mut self, name: &'a [u8], key: &[u8], url: &[&[u8]]) -> Option<()> {
        let key = WitnessKey::parse(str::from_utf8(key).ok()?).ok()?;
        let duplicate = self.witnesses.iter().any(|witness| witness.public_key() == key.public_key());
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witness_urls.push(at_most_one(url)?);
        self.witnesses.push(key);
        (!duplicate && self.witnesses.len() <= Policy::MAX_WITNESSES).then_some(())
    }

    fn group(&mut self, name: &'a [u8], threshold: &[u8], members: &[&[u8]]) -> Option<()> {
        let count = members.len();
        let threshold = match threshold {
            b"all" => count,
            b"any" => 1,
            number => usize::try_from(text::decode_decimal(str::from_utf8(number).ok()?)?).ok()?,
        };
        let members = members.iter().map(|name| self.names.get(name).copied()).collect::<Option<Vec<_>>>()?;
        let once = members.iter().all(|member| self.members.insert(*member));
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        let whole = once && (1..=count).contains(&threshold) && self.groups.len() <= Policy::MAX_GROUPS;
        whole.then_some(())
    }

    fn quorum(&mut self, name: &[u8]) -> Option<()> {
        let quorum = if name == NONE { None } else { Some(*self.names.get(name)?) };
        self.quorum.replace(quorum).is_none().then_some(())
    }

    fn define(&mut self, name: &'a [u8], member: Member) -> Option<()> {
        (name != NONE && self.names.insert(name, member).is_none()).then_some(())
    }
}

fn at_most_one(url: &[&[u8]]) -> Option<Option<Vec<u8>>> {
    match url {
        [] => Some(None),
        [url] => Some(Some(url.to_vec())),
        _ => None,
    }
}

fn url(place: Option<usize>, urls: &[Option<Vec<u8>>]) -> Option<&str> {
    str::from_utf8(urls.get(place?)?.as_deref()?).ok()
}

/// The quorum that demands nobody; no witness and no group can have this name.
const NONE: &[u8] = b"none";

#[cfg(test)]
mod tests;
