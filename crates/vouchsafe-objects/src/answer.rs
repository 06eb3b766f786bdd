//! What an answer means.
use std::io::ErrorKind;

use ureq::http::Response;
use ureq::http::header::{CONTENT_LENGTH, ETAG, TRANSFER_ENCODING};
use ureq::{Body, Error};

use crate::client::{Call, SUM, checksum};
use crate::{Condition, Conditional, ObjectsError};

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Reads an answer, which must say how long it is and be as long as it says.
pub(crate) fn read(mut response: Response<Body>, most: u64) -> Result<Reply, ObjectsError> {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let status = response.status().as_u16();
    let (etag, sum) = (header(ETAG.as_str()), header(SUM));
    let length = header(CONTENT_LENGTH.as_str());
    let ends =
        length.is_some() || header(TRANSFER_ENCODING.as_str()).is_some() || matches!(status, 204 | 304);
    let body = response.body_mut().with_config().limit(most).read_to_vec();
    let body = body.map_err(|error| from_transport(&error))?;
    // The length that a 304 names is that of the object.
    if !ends || status != 304 && length.is_some_and(|length| length.parse() != Ok(body.len())) {
        return Err(ObjectsError::Unavailable(ErrorKind::UnexpectedEof));
    }
    if status == 200 && sum.is_some_and(|sum| sum != checksum(&body)) {
        return Err(ObjectsError::Unavailable(ErrorKind::InvalidData));
    }
    Ok(Reply { status, etag, body })
}

/// What a request met before there was an answer.
pub(crate) fn from_transport(error: &Error) -> ObjectsError {
    match error {
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => ObjectsError::Identity,
        Error::Rustls(_) | Error::Tls(_) => ObjectsError::Identity,
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) | Error::Protocol(_) => {
            ObjectsError::Answer
        }
        Error::Timeout(_) => ObjectsError::Unavailable(ErrorKind::TimedOut),
        Error::Io(error) => ObjectsError::Unavailable(error.kind()),
        Error::HostNotFound => ObjectsError::Unavailable(ErrorKind::HostUnreachable),
        _ => ObjectsError::Unavailable(ErrorKind::Other),
    }
}

/// Leaves the answers that the caller tells apart: done, refused by a condition, no such object.
pub(crate) fn judge(call: Call<'_>, reply: Reply) -> Result<Reply, ObjectsError> {
    let code = code(&reply.body);
    let conditional = match call {
        Call::Put(_, _, Condition::IfAbsent) => Some(Conditional::IfAbsent),
        Call::Put(_, _, Condition::IfMatch(_)) => Some(Conditional::IfMatch),
        _ => None,
    };
    match (reply.status, code) {
        (200 | 204, _) => Ok(reply),
        (304, _) if matches!(call, Call::GetOther(..)) => Ok(reply),
        // An answer to a write that asked for nothing of that kind is no answer of S3.
        (412, _) if conditional.is_some() => Ok(Reply { status: 412, ..reply }),
        // The object that a write expects is gone, or that is read is not there.
        (404, "NoSuchKey") if conditional == Some(Conditional::IfMatch) => Ok(Reply { status: 412, ..reply }),
        (404, "NoSuchKey") if matches!(call, Call::Get(_) | Call::GetOther(..) | Call::Delete(_)) => {
            Ok(reply)
        }
        (404, "NoSuchBucket") => Err(ObjectsError::BucketMissing),
        (501, _) if conditional.is_some() => {
            Err(conditional.map_or(ObjectsError::Answer, ObjectsError::ConditionIgnored))
        }
        (501, _) if matches!(call, Call::Versioning) => Ok(reply),
        (403, "RequestTimeTooSkewed") => Err(ObjectsError::ClockSkewed),
        (400, "ExpiredToken" | "InvalidToken") | (401 | 403, _) => Err(ObjectsError::Denied),
        (301 | 302 | 307 | 308, _) => Err(ObjectsError::Region),
        (
            400,
            "AuthorizationHeaderMalformed"
            | "AuthorizationQueryParametersError"
            | "IllegalLocationConstraintException",
        ) => Err(ObjectsError::Region),
        (400, "RequestTimeout") => Err(ObjectsError::Unavailable(ErrorKind::TimedOut)),
        (
            400,
            "BadDigest" | "IncompleteBody" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch",
        ) => Err(ObjectsError::Unavailable(ErrorKind::InvalidData)),
        (400 | 413, "EntityTooLarge") => Err(ObjectsError::TooLarge),
        // Another write to the same object is under way.
        (409, "ConditionalRequestConflict" | "OperationAborted") => {
            Err(ObjectsError::Unavailable(ErrorKind::ResourceBusy))
        }
        (507, _) => Err(ObjectsError::Unavailable(ErrorKind::StorageFull)),
        (429 | 503, _) => Err(ObjectsError::Unavailable(ErrorKind::ResourceBusy)),
        (408 | 504, _) => Err(ObjectsError::Unavailable(ErrorKind::TimedOut)),
        (500..=599, _) => Err(ObjectsError::Unavailable(ErrorKind::Other)),
        _ => Err(ObjectsError::Answer),
    }
}

/// The code of an error document; empty when there is none.
fn code(body: &[u8]) -> &str {
    element(body, "Code").unwrap_or_default()
}

/// The text of the first element of that name, when it is no more than a word.
pub(crate) fn element<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(body.get(..body.len().min(MOST_ERROR))?).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (word, _) = rest.split_once("</")?;
    word.bytes().all(|b| b.is_ascii_alphanumeric()).then_some(word)
}

/// The longest error document that is looked into, in bytes.
const MOST_ERROR: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Condition;

    #[test]
    fn statuses_mean_what_the_protocol_says() {
        let get = Call::Get("a");
        let (always, absent) = (Condition::Always, Condition::IfAbsent);
        let (put, put_absent) = (Call::Put("a", b"", &always), Call::Put("a", b"", &absent));
        let busy = Some(ObjectsError::Unavailable(ErrorKind::ResourceBusy));
        for (call, status, code, expected) in [
            (get, 200, "", None),
            (get, 404, "NoSuchKey", None),
            // A proxy's page is not the absence of an object.
            (get, 404, "", Some(ObjectsError::Answer)),
            (get, 404, "NoSuchBucket", Some(ObjectsError::BucketMissing)),
            (put, 404, "NoSuchKey", Some(ObjectsError::Answer)),
            (put, 412, "PreconditionFailed", Some(ObjectsError::Answer)),
            (put_absent, 412, "PreconditionFailed", None),
            (put_absent, 501, "NotImplemented", Some(ObjectsError::ConditionIgnored(Conditional::IfAbsent))),
            (put_absent, 409, "ConditionalRequestConflict", busy),
            (get, 503, "SlowDown", busy),
            (get, 403, "SignatureDoesNotMatch", Some(ObjectsError::Denied)),
            (get, 403, "RequestTimeTooSkewed", Some(ObjectsError::ClockSkewed)),
            (get, 307, "TemporaryRedirect", Some(ObjectsError::Region)),
            (get, 206, "", Some(ObjectsError::Answer)),
            (get, 418, "", Some(ObjectsError::Answer)),
        ] {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>").into_bytes();
            let judged = judge(call, Reply { status, etag: None, body });
            assert_eq!(judged.err(), expected, "{status} {code}");
        }
    }

    #[test]
    fn no_document_makes_the_reader_stumble() {
        for body in [
            &b""[..],
            b"<Code>",
            b"<Code></Code>",
            b"</Code><Code>",
            b"\xff<Code>A</Code>",
            b"<Code><b></Code>",
        ] {
            assert_eq!(code(body), "");
        }
        let long = [b"<Error>".to_vec(), vec![b' '; MOST_ERROR], b"<Code>A</Code>".to_vec()].concat();
        assert_eq!(code(&long), "");
        assert_eq!(code(b"<Error><Code>NoSuchKey</Code><Message>a</Message></Error>"), "NoSuchKey");
    }
}
