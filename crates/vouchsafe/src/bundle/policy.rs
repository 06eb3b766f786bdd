//! The packs of a policy as they were loaded: whoever has them recomputes its digest and finds its rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use vouchsafe_retention::Policy;
use vouchsafe_types::Digest;

use super::folder::Bundle;
use super::list::{Files, PolicyPart, policy_part, policy_path};
use crate::Error;

/// The files of a policy.
pub(super) fn policy_files(policy: &Policy) -> impl Iterator<Item = (String, &[u8])> {
    let digest = policy.digest();
    let packs = (0..).zip(policy.texts());
    let packs =
        packs.map(move |(place, text)| (policy_path(&digest, PolicyPart::Pack(place)), text.as_bytes()));
    packs.chain([(policy_path(&digest, PolicyPart::Zone), policy.zone_name().as_bytes())])
}

/// The policies whose packs are in a bundle.
#[derive(Debug, Default)]
pub(super) struct Policies(BTreeMap<Digest, Policy>);

impl Policies {
    /// Reads them, with the paths that they lie at and the digests of those that are not what they are named after.
    pub(super) fn read(bundle: &Bundle) -> Result<(Self, Vec<String>, Vec<Digest>), Error> {
        let mut parts = BTreeMap::<Digest, BTreeSet<String>>::new();
        for path in bundle.list.iter().flat_map(Files::paths) {
            if let Some((digest, _)) = path.strip_prefix("policy/").and_then(policy_part) {
                parts.entry(digest).or_default().insert(path.to_owned());
            }
        }
        let (mut policies, mut wrong) = (BTreeMap::new(), Vec::new());
        for (digest, paths) in &parts {
            match read(bundle, digest, paths)? {
                Some(policy) => drop(policies.insert(*digest, policy)),
                None => wrong.push(*digest),
            }
        }
        Ok((Self(policies), parts.into_values().flatten().collect(), wrong))
    }

    /// The policy with this digest.
    pub(super) fn get(&self, digest: &Digest) -> Option<&Policy> {
        self.0.get(digest)
    }
}

/// The policy that these files are; `None` when they are not the one of the digest.
fn read(bundle: &Bundle, digest: &Digest, paths: &BTreeSet<String>) -> Result<Option<Policy>, Error> {
    let mut texts = Vec::new();
    for place in 0..paths.len().saturating_sub(1) as u64 {
        let Some(text) = text(bundle, digest, PolicyPart::Pack(place))? else { return Ok(None) };
        texts.push(text);
    }
    let Some(zone) = text(bundle, digest, PolicyPart::Zone)? else { return Ok(None) };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    // Rules are looked up and nothing is counted: the calendar itself does not matter.
    let policy = Policy::from_packs(&texts).and_then(|policy| policy.in_zone(&zone, TimeZone::UTC));
    Ok(policy.ok().filter(|policy| policy.digest() == *digest))
}

fn text(bundle: &Bundle, digest: &Digest, part: PolicyPart) -> Result<Option<String>, Error> {
    let bytes = bundle.read(&policy_path(digest, part))?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}
