use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use vouchsafe_types::Digest;

/// Base 64 as in RFC 4648 section 4, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads the one valid encoding: padded, without stray bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads a hash of 32 bytes.
pub(crate) fn decode_digest(text: &str) -> Option<Digest> {
    decode(text)?.try_into().ok().map(Digest::from_bytes)
}

/// Reads an ASCII decimal without sign and leading zeroes.
pub(crate) fn decode_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_have_one_spelling() {
        assert_eq!(decode_decimal("0"), Some(0));
        assert_eq!(decode_decimal("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "18446744073709551616", "१"] {
            assert_eq!(decode_decimal(bad), None, "{bad}");
        }
        assert_eq!(decode("AA=="), Some(vec![0]));
        for bad in ["AA", "AB==", "AA==\n", " AA==", "AA=", "_w=="] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
