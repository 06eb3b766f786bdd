use std::fmt;
use std::sync::{Arc, OnceLock};

use rusty_s3::actions::ListObjectsV2;

use crate::client::{Call, Client, pause};
use crate::config::is_key;
use crate::probe;
use crate::{BucketConfig, BucketReport, Conditional, ObjectsError, Versioning};

/// Objects of one bucket below one prefix, with conditional writes.
///
/// Every call is bounded in time and in what it reads, follows no redirect and uses no proxy. Reads, listings,
/// removals and unconditional writes are sent again when the server is busy or the connection breaks; conditional
/// writes are not, because the second one would be refused by the first. Threads may share it; clones share
/// its connections.
#[derive(Clone)]
pub struct Bucket {
    client: Arc<Client>,
    prefix: String,
    /// What was found about the server, once for all clones.
    honoured: Arc<OnceLock<()>>,
}

/// A stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain answer")]
pub struct Object {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Names its content for conditional writes.
    pub etag: ETag,
}

/// Names the content of an object; opaque, and of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: Option<String>) -> Result<Self, ObjectsError> {
        let text = text.filter(|text| {
            // A weak one does not say that the bytes are the same.
            (1..=256).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_graphic())
                && !text.starts_with("W/")
        });
        text.map(Self).ok_or(ObjectsError::Answer)
    }
}

/// What a reader finds who knows some content.
pub(crate) enum Read {
    Missing,
    Other(Object),
    Same,
}

/// When a write takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these three")]
pub enum Condition {
    /// Whatever is stored.
    Always,
    /// When nothing is stored.
    IfAbsent,
    /// When the object with this content is stored.
    IfMatch(ETag),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a refused write changed nothing"]
#[expect(clippy::exhaustive_enums, reason = "a write took place or not")]
pub enum Put {
    /// It took place, and this is the content's name.
    Done(ETag),
    /// The condition did not hold, and nothing changed.
    Refused,
}

impl Bucket {
    /// A client. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`ObjectsError`] when a setting cannot be used.
    pub fn new(config: BucketConfig) -> Result<Self, ObjectsError> {
        let config = config.checked()?;
        let client = Arc::new(Client::new(&config)?);
        Ok(Self { client, prefix: config.prefix, honoured: Arc::default() })
    }

    /// The same bucket, below a further prefix.
    ///
    /// # Errors
    /// [`ObjectsError::Key`] for a prefix that is no key.
    pub fn within(&self, prefix: &str) -> Result<Self, ObjectsError> {
        let prefix = self.key(prefix)?;
        Ok(Self { prefix, ..self.clone() })
    }

    /// Reads an object.
    ///
    /// Returns: the object, or `None` when there is none of that key.
    ///
    /// # Errors
    /// [`ObjectsError`]; [`ObjectsError::Answer`] for one that is larger than the limit.
    pub fn get(&self, key: &str) -> Result<Option<Object>, ObjectsError> {
        let reply = self.client.send(Call::Get(&self.key(key)?))?;
        if reply.status == 404 {
            return Ok(None);
        }
        Ok(Some(Object { etag: ETag::read(reply.etag)?, bytes: reply.body }))
    }

    /// Reads an object, unless it still has the content that the caller knows.
    pub(crate) fn get_other(&self, key: &str, known: &ETag) -> Result<Read, ObjectsError> {
        let reply = self.client.send(Call::GetOther(&self.key(key)?, known))?;
        Ok(match reply.status {
            304 => Read::Same,
            404 => Read::Missing,
            _ => Read::Other(Object { etag: ETag::read(reply.etag)?, bytes: reply.body }),
        })
    }

    /// Writes an object whole, or not at all.
    ///
    /// # Errors
    /// [`ObjectsError`]. After [`ObjectsError::Unavailable`] the write may have taken place, or may yet.
    pub fn put(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<Put, ObjectsError> {
        if bytes.len() as u64 > self.client.most_bytes() {
            return Err(ObjectsError::TooLarge);
        }
        let reply = self.client.send(Call::Put(&self.key(key)?, bytes, condition))?;
        if reply.status == 412 { Ok(Put::Refused) } else { Ok(Put::Done(ETag::read(reply.etag)?)) }
    }

    /// The keys that begin with a prefix, itself a key; in no order that is promised.
    ///
    /// # Errors
    /// [`ObjectsError`]; [`ObjectsError::Answer`] for more than a million.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectsError> {
        let (prefix, own) = (format!("{}/", self.key(prefix)?), self.own_len());
        let (mut keys, mut next) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let reply = self.client.send(Call::List(&prefix, next.as_deref()))?;
            let text = String::from_utf8(reply.body).map_err(|_| ObjectsError::Answer)?;
            let page = ListObjectsV2::parse_response(&text).map_err(|_| ObjectsError::Answer)?;
            for object in page.contents {
                // A server that ignores the prefix is not believed.
                let inside = object.key.starts_with(&prefix).then(|| object.key.get(own..)).flatten();
                keys.push(inside.ok_or(ObjectsError::Answer)?.to_owned());
            }
            match page.next_continuation_token {
                None => return Ok(keys),
                token => next = token,
            }
        }
        Err(ObjectsError::Answer)
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// [`ObjectsError`]. Where the bucket keeps versions, the former content stays.
    pub fn delete(&self, key: &str) -> Result<(), ObjectsError> {
        self.client.send(Call::Delete(&self.key(key)?)).map(drop)
    }

    /// Whether the bucket keeps old versions of its objects.
    ///
    /// # Errors
    /// [`ObjectsError`]; [`ObjectsError::Denied`] where these credentials may not ask.
    pub fn versioning(&self) -> Result<Versioning, ObjectsError> {
        let reply = self.client.send(Call::Versioning)?;
        Versioning::read(reply.status, &reply.body)
    }

    /// Tries on the real server which conditions it honours, alone and when several write at once, and whether
    /// what was written is read. It writes below `.probe`, and removes what it wrote.
    ///
    /// # Errors
    /// [`ObjectsError`] when the server does not answer or refuses.
    pub fn check(&self) -> Result<BucketReport, ObjectsError> {
        probe::check(self, probe::ROUNDS)
    }

    /// As [`Self::check`], in fewer rounds, once for each client, and without the report.
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`] with the first condition that the server does not honour; otherwise as
    /// [`Self::check`].
    pub fn require_conditions(&self) -> Result<(), ObjectsError> {
        if self.honoured.get().is_some() {
            return Ok(());
        }
        let report = probe::check(self, probe::FEW_ROUNDS)?;
        if let Some(broken) = Conditional::ALL.into_iter().find(|one| !report.verdict(*one).is_honoured()) {
            return Err(ObjectsError::ConditionIgnored(broken));
        }
        let _ = self.honoured.set(());
        Ok(())
    }

    /// A write whose lost answer is looked up: what is then stored with these bytes is what was written.
    ///
    /// Of bytes that others write too, only the first attempt tells who wrote them.
    pub(crate) fn settle(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<Put, ObjectsError> {
        let mut failed = None;
        for attempt in 1..=self.client.attempts() {
            match self.put(key, bytes, condition) {
                Ok(Put::Refused) if failed.is_none() => return Ok(Put::Refused),
                Ok(Put::Refused) => return Ok(self.holding(key, bytes)?.map_or(Put::Refused, Put::Done)),
                Err(error) if error.is_retryable() => failed = Some(error),
                answer => return answer,
            }
            pause(attempt);
        }
        let failed = failed.unwrap_or(ObjectsError::Answer);
        self.holding(key, bytes).ok().flatten().map(Put::Done).ok_or(failed)
    }

    /// Puts an object in the place of another, in order: a write that is late never replaces one that came after.
    pub(crate) fn replace(
        &self,
        key: &str,
        bytes: &[u8],
        accept: impl Fn(Option<&[u8]>) -> Result<(), ObjectsError>,
    ) -> Result<ETag, ObjectsError> {
        for attempt in 1..=MOST_ROUNDS {
            let stored = self.get(key)?;
            accept(stored.as_ref().map(|object| object.bytes.as_slice()))?;
            let condition = stored.map_or(Condition::IfAbsent, |object| Condition::IfMatch(object.etag));
            match self.settle(key, bytes, &condition)? {
                Put::Done(etag) => return Ok(etag),
                Put::Refused => pause(attempt),
            }
        }
        Err(ObjectsError::Unavailable(std::io::ErrorKind::ResourceBusy))
    }

    fn holding(&self, key: &str, bytes: &[u8]) -> Result<Option<ETag>, ObjectsError> {
        let stored = self.get(key)?.filter(|object| object.bytes == bytes);
        Ok(stored.map(|object| object.etag))
    }

    fn key(&self, key: &str) -> Result<String, ObjectsError> {
        let full = if self.prefix.is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        if is_key(key) && is_key(&full) { Ok(full) } else { Err(ObjectsError::Key) }
    }

    const fn own_len(&self) -> usize {
        if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("timeout", &self.client.timeout()).finish_non_exhaustive()
    }
}

/// Pages of a thousand keys.
const MOST_PAGES: usize = 1000;
/// How often a replacement begins again because somebody else was faster.
const MOST_ROUNDS: u32 = 8;
