//! Records that nobody may open, made in the same ways and the same order as by `record.py`.

use vouchsafe_envelope::cobblestone::{self, CHUNK_LEN, TAG_LEN};
use vouchsafe_types::{Entropy, EntropyUnavailable, Secret};

use crate::case::{Case, Stream};

const SEALED_CHUNK: usize = CHUNK_LEN + TAG_LEN;
/// Records below this length are spoiled at every bit, length, version and bit of the key.
const SHORT: usize = 200;

/// The same salt again.
struct Salt([u8; 24]);

impl Entropy for Salt {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.copy_from_slice(&self.0);
        Ok(())
    }
}

/// A record of the case under any key and any bytes of context.
fn seal(case: &Case, key: &[u8; 32], context: &[u8], salt: &Salt) -> Vec<u8> {
    let key = Secret::copy_from_slice(key).unwrap();
    let message = cobblestone::seal(&key, context, &case.plaintext, salt).unwrap();
    [&[1], &message[..]].concat()
}

/// How each was spoiled, and its bytes.
pub(crate) fn spoil(case: &Case, stream: &Stream) -> Vec<(String, Vec<u8>)> {
    let (honest, salt) = (case.context.to_bytes(), Salt(stream.array()));
    let sealed = seal(case, &case.key, &honest, &salt);
    let mut out = Vec::new();
    for (how, context) in contexts(&parts(&honest)) {
        if context != honest {
            out.push((how, seal(case, &case.key, &context, &salt)));
        }
    }
    let short = sealed.len() < SHORT;
    for bit in 0..if short { sealed.len() * 8 } else { 0 } {
        out.push((format!("bit {bit} flipped"), flipped(&sealed, bit)));
    }
    for bit in 0..if short { 256 } else { 1 } {
        let key = flipped(&case.key, bit).try_into().unwrap();
        out.push((format!("bit {bit} of the key flipped"), seal(case, &key, &honest, &salt)));
    }
    for version in (0..=if short { 255 } else { 0 }).filter(|version| *version != 1) {
        out.push((format!("version {version}"), [&[version], &sealed[1..]].concat()));
    }
    out.extend(lengths(&sealed, short));
    out.extend(chunks(&sealed));
    out
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[bit / 8] ^= 1 << (bit % 8);
    changed
}

/// Takes the one encoding of a context apart.
fn parts(mut context: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((len, rest)) = context.split_first_chunk() {
        let (part, rest) = rest.split_at(usize::from(u16::from_be_bytes(*len)));
        parts.push(part);
        context = rest;
    }
    parts
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    joined(parts, |len| u16::try_from(len).unwrap().to_be_bytes().to_vec())
}

fn joined(parts: &[&[u8]], length: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    parts.iter().flat_map(|part| [length(part.len()), part.to_vec()].concat()).collect()
}

fn contexts(parts: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let (before, after) = (&parts[..at], &parts[at + 1..]);
        let longer = [*part, b"\0"].concat();
        out.push((format!("part {at} missing"), join(&[before, after].concat())));
        out.push((format!("part {at} empty"), join(&[before, &[b""], after].concat())));
        out.push((format!("part {at} twice"), join(&[before, &[*part, *part], after].concat())));
        out.push((format!("part {at} longer"), join(&[before, &[longer.as_slice()], after].concat())));
        out.push((format!("part {at} first"), join(&[&[*part], before, after].concat())));
        out.push((format!("part {at} last"), join(&[before, after, &[*part]].concat())));
    }
    let wide = |len: usize| u32::try_from(len).unwrap().to_be_bytes().to_vec();
    let little = |len: usize| u16::try_from(len).unwrap().to_le_bytes().to_vec();
    let label: &[u8] = b"vouchsafe record context v2";
    out.extend([
        ("no context".to_owned(), Vec::new()),
        ("a part more".to_owned(), join(&[parts, &[b""]].concat())),
        ("another label".to_owned(), join(&[&[label], &parts[1..]].concat())),
        ("little-endian lengths".to_owned(), joined(parts, little)),
        ("lengths of four bytes".to_owned(), joined(parts, wide)),
        ("no lengths".to_owned(), parts.concat()),
    ]);
    out
}

fn lengths(sealed: &[u8], short: bool) -> Vec<(String, Vec<u8>)> {
    let some = [56, 73, CHUNK_LEN + 73, sealed.len() - 1];
    let cuts: Vec<usize> = if short { (0..sealed.len()).collect() } else { some.to_vec() };
    let cut = cuts.into_iter().map(|len| (format!("cut to {len} bytes"), sealed[..len].to_vec()));
    let more: [&[u8]; 5] = [&[0], &[1], &[0; 16], &[0; SEALED_CHUNK], sealed];
    let more = more.map(|more| (format!("{} bytes more", more.len()), [sealed, more].concat()));
    cut.chain(more).collect()
}

/// Whole chunks in another order or number.
fn chunks(sealed: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (head, chunks) = sealed.split_at(57);
    if chunks.len() <= 2 * SEALED_CHUNK {
        return Vec::new();
    }
    let (first, rest) = chunks.split_at(SEALED_CHUNK);
    let (second, rest) = rest.split_at(SEALED_CHUNK);
    vec![
        ("chunks swapped".to_owned(), [head, second, first, rest].concat()),
        ("first chunk missing".to_owned(), [head, second, rest].concat()),
        ("first chunk twice".to_owned(), [head, first, first, rest].concat()),
    ]
}
