//! Approvals of plans: signatures of keys that the service knows, made anywhere.

use vouchsafe_ledger::{LogSigner, Note, VerifierKey};
use vouchsafe_retention::Plan;
use vouchsafe_types::{Digest, Secret};

use crate::{Error, OffboardingPlan, Organisation};

const APPROVAL: &str = "vouchsafe retention approval v2";
const PLAN: &str = "vouchsafe retention plan v2";

/// Somebody who may approve destruction, where the service knows their key.
pub struct Approver(LogSigner);

impl Approver {
    /// The approver of this name with the seed of an Ed25519 key (RFC 8032 section 5.1.5), 32 random bytes.
    ///
    /// # Errors
    /// [`Error::Ledger`] for a name that is empty or holds a space, a plus or a control character.
    pub fn from_seed(name: &str, seed: &Secret<32>) -> Result<Self, Error> {
        Ok(Self(LogSigner::from_seed(name, seed)?))
    }

    /// The key that the service has to know, for [`Ports::approvers`](crate::Ports::approvers).
    pub const fn key(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Approves one plan: a C2SP signed note over its digest.
    ///
    /// # Errors
    /// [`Error::Retention`] for a plan that cannot be encoded.
    pub fn approve(&self, plan: &Plan) -> Result<String, Error> {
        Ok(self.0.sign(&approval(&plan.digest()?))?)
    }

    /// Approves the end of an organisation.
    ///
    /// # Errors
    /// [`Error::Ledger`] never for a plan of this crate.
    pub fn approve_offboarding(&self, plan: &OffboardingPlan) -> Result<String, Error> {
        Ok(self.0.sign(&approval(&plan.digest()))?)
    }

    pub(crate) fn sign_text(&self, text: &str) -> Result<String, Error> {
        Ok(self.0.sign(text)?)
    }
}

impl std::fmt::Debug for Approver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approver").field("name", &self.key().name()).finish_non_exhaustive()
    }
}

fn approval(digest: &Digest) -> String {
    format!("{APPROVAL}\nplan {digest}\n")
}

impl Organisation<'_> {
    /// Signs a plan with the log's key, so that whoever reviews the file knows that the service made it.
    ///
    /// # Errors
    /// [`Error::Retention`], [`Error::Envelope`].
    pub fn sign_plan(&self, plan: &Plan) -> Result<String, Error> {
        let text = format!("{PLAN}\nplan {}\npolicy {}\n", plan.digest()?, plan.policy());
        self.core.ring.with_state(&self.id, |state| Ok::<_, Error>(self.core.signer(state)?.sign(&text)?))?
    }

    /// The names of the different approvers who signed this plan and whose keys the service knows.
    ///
    /// # Errors
    /// [`Error::NotApproved`] for an approval of another plan, by an unknown key or with a wrong signature.
    pub(crate) fn approvers_of(&self, digest: &Digest, approvals: &[&str]) -> Result<Vec<String>, Error> {
        let expected = approval(digest);
        let mut names = Vec::new();
        for text in approvals {
            let note = Note::parse(text)?;
            let known = self.core.ports.approvers.iter();
            let signer = known.into_iter().find(|key| note.verify(&[key]).is_ok_and(|text| text == expected));
            let name = signer.ok_or(Error::NotApproved)?.name().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }
}
