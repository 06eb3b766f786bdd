/// The IEEE 754 binary16 nearest to `value`, ties to even, as its bits.
///
/// Too large a value becomes infinity; a NaN stays a (quiet) NaN.
pub const fn half_from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let exponent = ((bits >> 23) & 0xFF) as i32;
    let fraction = bits & 0x007F_FFFF;
    if exponent == 0xFF {
        return sign | 0x7C00 | if fraction == 0 { 0 } else { 0x0200 };
    }
    // The exponent under the bias of binary16, 15 instead of 127.
    let rebased = exponent - 112;
    if rebased >= 0x1F {
        return sign | 0x7C00;
    }
    if rebased >= 1 {
        // A carry out of the fraction moves on into the exponent, up to infinity: just what rounding asks for.
        return sign | round((rebased as u32) << 23 | fraction, 13);
    }
    // Subnormal: the hidden one becomes visible, and the fraction moves right by what the exponent lacks.
    if rebased < -10 {
        return sign;
    }
    sign | round(fraction | 0x0080_0000, (14 - rebased) as u32)
}

/// `bits` without the lowest `drop` bits (13 to 24), rounded to nearest, ties to even.
#[expect(clippy::cast_possible_truncation, reason = "at most 15 bits remain")]
const fn round(bits: u32, drop: u32) -> u16 {
    let kept = bits >> drop;
    let rest = bits & ((1 << drop) - 1);
    let tie = 1 << (drop - 1);
    let up = rest > tie || (rest == tie && kept & 1 == 1);
    (kept + up as u32) as u16
}
