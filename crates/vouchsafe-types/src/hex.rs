use crate::TypeError;

/// Reads `2 * N` lower-case hexadecimal digits.
pub(crate) fn read<const N: usize>(text: &str) -> Result<[u8; N], TypeError> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Ok(b - b'0'),
        b'a'..=b'f' => Ok(b - b'a' + 10),
        _ => Err(TypeError::Identifier),
    };
    if text.len() != 2 * N {
        return Err(TypeError::Identifier);
    }
    let mut bytes = [0u8; N];
    for (out, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        if let &[high, low] = pair {
            *out = digit(high)? << 4 | digit(low)?;
        }
    }
    Ok(bytes)
}
