//! Signatures over policy packs: who may say how long data is kept.

use vouchsafe_ledger::{Note, VerifierKey};
use vouchsafe_retention::{PackStatement, PackVerifier};

use crate::{Approver, Error};

/// The keys of those who may sign packs. A signature is a C2SP signed note over the pack's statement.
///
/// ```
/// use vouchsafe::PackSigners;
/// use vouchsafe::retention::{PackStatement, PackVerifier};
///
/// let nobody = PackSigners::new(Vec::new());
/// assert!(!nobody.is_signed(&PackStatement::of("format = 1").to_bytes(), b""));
/// ```
#[derive(Debug, Clone)]
pub struct PackSigners(Vec<VerifierKey>);

impl PackSigners {
    /// Those who hold these keys.
    pub const fn new(keys: Vec<VerifierKey>) -> Self {
        Self(keys)
    }
}

impl PackVerifier for PackSigners {
    fn is_signed(&self, statement: &[u8], signature: &[u8]) -> bool {
        let note = str::from_utf8(signature).ok().and_then(|text| Note::parse(text).ok());
        let keys: Vec<&VerifierKey> = self.0.iter().collect();
        note.is_some_and(|note| note.verify(&keys).is_ok_and(|text| text.as_bytes() == statement))
    }
}

impl Approver {
    /// Signs a pack: a C2SP signed note over its statement, which names the pack by the digest of its bytes.
    ///
    /// # Errors
    /// [`Error::Ledger`] never for a pack of any content.
    pub fn sign_pack(&self, pack: &str) -> Result<String, Error> {
        let statement = PackStatement::of(pack).to_bytes();
        self.sign_text(str::from_utf8(&statement).map_err(|_| Error::Format("pack statement"))?)
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_retention::{Policy, Problem, RetentionError};
    use vouchsafe_types::Secret;

    use super::*;

    const PACK: &str =
        "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n";

    fn signer(name: &str, seed: u8) -> Approver {
        Approver::from_seed(name, &Secret::init_with(|bytes| bytes.fill(seed))).unwrap()
    }

    #[test]
    fn a_pack_is_loaded_by_the_signature_of_a_known_signer_only() {
        let (counsel, stranger) = (signer("counsel.example", 1), signer("counsel.example", 2));
        let signers = PackSigners::new(vec![counsel.key().clone()]);
        let load =
            |pack: &str, signature: &str| Policy::from_signed(&[(pack, signature.as_bytes())], &signers);
        let signature = counsel.sign_pack(PACK).unwrap();
        assert!(load(PACK, &signature).is_ok());
        let wrong = [
            load(&PACK.replace("Acme", "Acne"), &signature),
            load(PACK, &stranger.sign_pack(PACK).unwrap()),
            load(PACK, ""),
            load(PACK, &counsel.sign_text("vouchsafe retention approval v2\nplan 0\n").unwrap()),
            load(PACK, &signature.replace("policy-pack", "policy-sack")),
        ];
        for refused in wrong {
            let Err(RetentionError::Pack(fault)) = refused else { panic!("{refused:?}") };
            assert_eq!(*fault.problem(), Problem::Signature);
        }
    }
}
