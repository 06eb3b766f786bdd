//! What an answer means.

use ureq::http::Response;
use ureq::http::header::CONTENT_TYPE;
use ureq::{Body, Error};
use vouchsafe_ledger::WitnessError;
use vouchsafe_ledger::witness::{MAX_ANSWER, SIZE_TYPE};

/// The signature lines of an answer, or why there are none.
pub(crate) fn read(mut answer: Response<Body>) -> Result<String, WitnessError> {
    match answer.status().as_u16() {
        200 => body(&mut answer),
        409 if !has_size(&answer) => Err(WitnessError::Malformed),
        409 => Err(WitnessError::from_status(409, &body(&mut answer)?)),
        // A redirect is not followed, and another 2xx is no cosignature: this is no witness today.
        100..=399 => Err(WitnessError::Unavailable),
        status => Err(WitnessError::from_status(status, "")),
    }
}

/// What a call met before there was an answer.
pub(crate) fn from_transport(error: &Error) -> WitnessError {
    match error {
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) | Error::Protocol(_) => {
            WitnessError::Malformed
        }
        _ => WitnessError::Unavailable,
    }
}

fn body(answer: &mut Response<Body>) -> Result<String, WitnessError> {
    let limit = u64::try_from(MAX_ANSWER).unwrap_or(u64::MAX);
    let bytes = answer.body_mut().with_config().limit(limit).read_to_vec();
    let bytes = bytes.map_err(|error| from_transport(&error))?;
    String::from_utf8(bytes).map_err(|_| WitnessError::Malformed)
}

/// Whether the body is a size: parameters of the media type say nothing.
fn has_size(answer: &Response<Body>) -> bool {
    let value = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(SIZE_TYPE))
}
