//! Acts that may be asked for twice: whoever lost the answer asks again, and nothing happens twice.

use std::fmt;

use serde::{Deserialize, Serialize};
use vouchsafe_consent::{Act as ConsentAct, Consented, Permit};
use vouchsafe_embed::{FaceEmbedding, LiveFace};
use vouchsafe_types::{
    DataClass, Entropy, LeafIndex, Outcome, RecordId, Scope, SubjectPseudonym, TicketId, Timestamp,
};

use crate::act::Act;
use crate::close::{EVIDENCE, End};
use crate::digest::sha256;
use crate::enrol;
use crate::receipt::Receipt;
use crate::sealed::{Beside, Kind};
use crate::{ConsentEnded, ConsentReceipt, EnrolmentReceipt, Error, Subject};

/// For how many days an [`IdempotencyKey`] is known after the act that it named.
pub const KEYS_KEPT_DAYS: i64 = 7;

/// Names one request of a caller: 16 random bytes, such as a UUID of version 4 (RFC 9562), made before the first try.
///
/// What a service takes from the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) goes here. It
/// is no free text, so that nothing about anybody is stored with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey([u8; 16]);

impl IdempotencyKey {
    /// Wraps 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads 32 hexadecimal digits, bare or with the hyphens of a UUID, in either case.
    ///
    /// # Errors
    /// [`Error::Format`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const HYPHENS: [usize; 4] = [8, 13, 18, 23];
        let hyphened = text.len() == 36 && text.match_indices('-').map(|(at, _)| at).eq(HYPHENS);
        let bare = if hyphened { text.replace('-', "") } else { text.to_owned() };
        TicketId::parse(&bare.to_ascii_lowercase())
            .map(|id| Self(*id.as_bytes()))
            .map_err(|_| Error::Format("idempotency key"))
    }
}

impl fmt::Display for IdempotencyKey {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TicketId::from_bytes(self.0).fmt(f)
    }
}

/// The acts of a person that a caller may repeat under one key, from [`Subject::once`].
///
/// The first call acts, and its transaction keeps the key with what was asked and what came of it. Another call with
/// the same key, in any process, changes nothing and answers what the first one did, for [`KEYS_KEPT_DAYS`] days or
/// until the evidence of the act is destroyed. A refusal changes nothing and is not kept: asked again, the gate
/// decides again.
#[derive(Debug)]
pub struct Once<'a> {
    subject: &'a Subject<'a>,
    key: IdempotencyKey,
}

impl<'a> Subject<'a> {
    /// What follows is done once under this key, however often it is asked for.
    pub const fn once(&'a self, key: IdempotencyKey) -> Once<'a> {
        Once { subject: self, key }
    }
}

/// What a key was used for; its name is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Enrol,
    GiveConsent,
    RefuseConsent,
    Withdraw,
}

/// What is kept of a request, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    v: u8,
    request: Request,
    /// SHA-256 of what was asked for, beyond the kind of request.
    detail: String,
    /// The leaf that the act condemned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    condemned: Option<u64>,
}

/// What an earlier call with the same key did.
struct Earlier {
    receipt: Receipt,
    condemned: Option<LeafIndex>,
}

impl Once<'_> {
    /// As [`Subject::give_consent`].
    ///
    /// # Errors
    /// As there; [`Error::KeyReused`].
    pub fn give_consent(
        &self,
        ticket: TicketId,
        consent: ConsentAct,
    ) -> Result<Outcome<ConsentReceipt>, Error> {
        let asked = (Request::GiveConsent, &ticket.as_bytes()[..]);
        self.subject.act(&[DataClass::ConsentEvidence], |act| {
            if let Some(earlier) = self.earlier(act, asked)? {
                return Ok(Outcome::Done(ConsentReceipt(earlier.receipt)));
            }
            let given = self.subject.give_in(act, ticket, consent)?;
            if let Outcome::Done(receipt) = &given {
                self.keep(act, asked, receipt.receipt().entry(), None)?;
            }
            Ok(given)
        })
    }

    /// As [`Subject::refuse_consent`].
    ///
    /// # Errors
    /// As there; [`Error::KeyReused`].
    pub fn refuse_consent(&self, ticket: TicketId, refusal: ConsentAct) -> Result<ConsentReceipt, Error> {
        let asked = (Request::RefuseConsent, &ticket.as_bytes()[..]);
        self.subject.act(&[DataClass::ConsentEvidence], |act| {
            if let Some(earlier) = self.earlier(act, asked)? {
                return Ok(ConsentReceipt(earlier.receipt));
            }
            let receipt = self.subject.refuse_in(act, ticket, refusal)?;
            self.keep(act, asked, receipt.receipt().entry(), None)?;
            Ok(receipt)
        })
    }

    /// As [`Subject::withdraw`]. A consent that was given since by another act stays as it is.
    ///
    /// # Errors
    /// As there; [`Error::KeyReused`].
    pub fn withdraw(&self, scope: Scope) -> Result<ConsentEnded, Error> {
        let code = scope.code();
        let asked = (Request::Withdraw, &code[..]);
        let (receipt, condemned) = self.subject.act(&EVIDENCE, |act| {
            if let Some(earlier) = self.earlier(act, asked)? {
                return Ok((ConsentReceipt(earlier.receipt), earlier.condemned));
            }
            let (receipt, condemned) = self.subject.end_in(act, scope, End::WITHDRAWN)?;
            self.keep(act, asked, receipt.receipt().entry(), condemned)?;
            Ok((receipt, condemned))
        })?;
        Ok(self.subject.ended(receipt, condemned))
    }

    /// As [`Subject::enrol`]; when an earlier call enrolled, its receipt, and this face is wiped unseen.
    ///
    /// # Errors
    /// As there; [`Error::KeyReused`].
    pub fn enrol(
        &self,
        permit: &Permit<Consented>,
        face: LiveFace<Consented>,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        let code = permit.binding().scope().code();
        // Before the face is looked at: the permit of a repeated call may be another one.
        let earlier = self.subject.act(&[], |act| self.earlier(act, (Request::Enrol, &code)))?;
        if let Some(earlier) = earlier {
            return Ok(Outcome::Done(EnrolmentReceipt(earlier.receipt)));
        }
        self.subject.enrol_by(permit, face, |embedding| self.enrol_embedding(permit, embedding))
    }

    /// As [`Subject::enrol_embedding`].
    ///
    /// # Errors
    /// As there; [`Error::KeyReused`].
    pub fn enrol_embedding(
        &self,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        self.subject.check_binding(permit, &embedding)?;
        let code = permit.binding().scope().code();
        let asked = (Request::Enrol, &code[..]);
        self.subject.act(&enrol::CLASSES, |act| {
            if let Some(earlier) = self.earlier(act, asked)? {
                return Ok(Outcome::Done(EnrolmentReceipt(earlier.receipt)));
            }
            let enrolled = self.subject.enrol_in(act, permit, embedding)?;
            if let Outcome::Done(receipt) = &enrolled {
                self.keep(act, asked, receipt.receipt().entry(), None)?;
            }
            Ok(enrolled)
        })
    }

    /// What an earlier call did under this key, if there was one and its evidence is still held.
    fn earlier(
        &self,
        act: &mut Act<'_>,
        (request, detail): (Request, &[u8]),
    ) -> Result<Option<Earlier>, Error> {
        let id = document_id(self.subject.pseudonym, self.key);
        let known = act.document(self.subject.pseudonym, Kind::Once, id)?;
        let Some(opened) = known.filter(|known| known.row.next_at.is_some_and(|over| over > act.now)) else {
            // Its time is over, or its evidence is being destroyed: it makes room for another of the same key.
            act.rows.remove_document(act.organisation, id)?;
            return Ok(None);
        };
        let kept: Kept = serde_json::from_slice(&opened.plain).map_err(|_| MALFORMED)?;
        if kept.request != request || kept.detail != sha256(detail).to_string() {
            return Err(Error::KeyReused);
        }
        let recorded = act.recorded(opened.row.entry)?.ok_or(MALFORMED)?;
        let condemned = kept.condemned.map(|leaf| LeafIndex::new(leaf).map_err(|_| MALFORMED)).transpose()?;
        Ok(Some(Earlier { receipt: Receipt::new(recorded), condemned }))
    }

    /// Keeps the key beside the evidence of the act: it lies under the same leaf and dies with it.
    fn keep(
        &self,
        act: &mut Act<'_>,
        (request, detail): (Request, &[u8]),
        entry: u64,
        condemned: Option<LeafIndex>,
    ) -> Result<(), Error> {
        let class = DataClass::ConsentEvidence;
        let kept = Kept {
            v: 1,
            request,
            detail: sha256(detail).to_string(),
            condemned: condemned.map(LeafIndex::get),
        };
        let plain = serde_json::to_vec(&kept).map_err(|_| MALFORMED)?;
        let leaf = act.daily_holding(class, self.subject.pseudonym)?;
        let id = document_id(self.subject.pseudonym, self.key);
        let beside = Beside { next_at: Some(end_of(act.now)?), ..Beside::default() };
        act.put_document((id, leaf, class), Kind::Once, entry, &plain, beside)
    }
}

const MALFORMED: Error = Error::Format("idempotency key");

/// Two people's equal keys are two documents.
fn document_id(subject: SubjectPseudonym, key: IdempotencyKey) -> RecordId {
    let bytes = [b"vouchsafe idempotency key\x01".as_slice(), subject.as_bytes(), &key.0].concat();
    let mut id = [0; 16];
    id.iter_mut().zip(sha256(&bytes).as_bytes()).for_each(|(id, byte)| *id = *byte);
    RecordId::from_bytes(id)
}

fn end_of(now: Timestamp) -> Result<Timestamp, Error> {
    now.checked_add(jiff::SignedDuration::from_hours(KEYS_KEPT_DAYS * 24))
        .map_err(|_| Error::Format("instant"))
}
