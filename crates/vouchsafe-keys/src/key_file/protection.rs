//! The contents of a key file behind a passphrase, version 2; numbers are big-endian.
//!
//! `"vouchsafe keys\0" || 0x02 || memory in KiB (4) || passes (4) || lanes (4) || salt (16) || message`
//!
//! The message is Cobblestone-256 of the contents of version 1. Its key is Argon2id (RFC 9106, version 0x13) of the
//! passphrase, 32 bytes; its context is everything before it. The SHA-256 behind it tells damage from a wrong
//! passphrase.
use argon2::{Algorithm, Argon2, Block, Params, Version};
use vouchsafe_envelope::{EnvelopeError, cobblestone};
use vouchsafe_types::{Entropy, Secret, SecretBytes, wipe_stack};
use zeroize::Zeroizing;

use crate::KeysError;
use crate::keys::Keys;

const MAGIC: &[u8; 16] = b"vouchsafe keys\0\x02";
const SALT_LEN: usize = 16;
const HEADER_LEN: usize = MAGIC.len() + 12 + SALT_LEN;

/// RFC 9106, section 4, the second recommended option: 64 MiB, three passes, four lanes.
#[cfg(not(fuzzing))]
const COST: Cost = Cost { memory: 64 << 10, passes: 3, lanes: 4 };
/// What a file may ask for at least and at most. A hostile one cannot ask for all memory of the host.
#[cfg(not(fuzzing))]
const BOUNDS: (Cost, Cost) =
    (Cost { memory: 19 << 10, passes: 1, lanes: 1 }, Cost { memory: 512 << 10, passes: 16, lanes: 16 });

/// Next to nothing, or a fuzz target would do nothing else.
#[cfg(fuzzing)]
const COST: Cost = Cost { memory: 8, passes: 1, lanes: 1 };
#[cfg(fuzzing)]
const BOUNDS: (Cost, Cost) =
    (Cost { memory: 8, passes: 1, lanes: 1 }, Cost { memory: 64, passes: 2, lanes: 2 });

/// What one guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// The key of a file's message, derived once and kept, and the header that says how.
pub(super) struct Protection {
    header: [u8; HEADER_LEN],
    key: Secret<32>,
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protection").finish_non_exhaustive()
    }
}

impl Protection {
    /// A protection with a salt of its own.
    pub(super) fn fresh(passphrase: &SecretBytes, entropy: &dyn Entropy) -> Result<Self, KeysError> {
        let mut salt = [0; SALT_LEN];
        entropy.fill(&mut salt).map_err(|_| KeysError::Unavailable)?;
        if passphrase.expose_secret().is_empty() {
            return Err(KeysError::Passphrase);
        }
        let numbers = [COST.memory, COST.passes, COST.lanes].map(u32::to_be_bytes).concat();
        let header = [MAGIC.as_slice(), &numbers, &salt].concat();
        Ok(Self {
            key: derive(COST, &salt, passphrase)?,
            header: header.try_into().map_err(|_| KeysError::Corrupt)?,
        })
    }

    /// The protection of a stored file, whose passphrase this may be.
    pub(super) fn of(bytes: &[u8], passphrase: &SecretBytes) -> Result<Self, KeysError> {
        let (header, _) = split(bytes)?;
        let (cost, salt) = read(header).ok_or(KeysError::Corrupt)?;
        Ok(Self { header: *header, key: derive(cost, &salt, passphrase)? })
    }

    pub(super) fn encode(&self, keys: &Keys, entropy: &dyn Entropy) -> Result<Vec<u8>, KeysError> {
        let sealed = cobblestone::seal(&self.key, &self.header, &keys.encode(), entropy);
        Ok([self.header.as_slice(), &sealed.map_err(|_| KeysError::Unavailable)?].concat())
    }

    pub(super) fn decode(&self, bytes: &[u8]) -> Result<Keys, KeysError> {
        let (header, message) = split(bytes)?;
        if *header != self.header {
            // Somebody changed the passphrase.
            return Err(KeysError::Passphrase);
        }
        match cobblestone::open(&self.key, &self.header, message) {
            Ok(contents) => Keys::decode(contents.expose_secret()).ok_or(KeysError::Corrupt),
            Err(EnvelopeError::NotAuthentic) => Err(KeysError::Passphrase),
            Err(_) => Err(KeysError::Corrupt),
        }
    }
}

/// Whether a passphrase protects these contents.
pub(super) fn is_protected(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

fn split(bytes: &[u8]) -> Result<(&[u8; HEADER_LEN], &[u8]), KeysError> {
    if !is_protected(bytes) {
        return Err(KeysError::Unprotected);
    }
    bytes.split_first_chunk::<HEADER_LEN>().ok_or(KeysError::Corrupt)
}

/// `None` for a cost that is out of bounds.
fn read(header: &[u8; HEADER_LEN]) -> Option<(Cost, [u8; SALT_LEN])> {
    let (memory, rest) = header.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let (passes, rest) = rest.split_first_chunk::<4>()?;
    let (lanes, salt) = rest.split_first_chunk::<4>()?;
    let [memory, passes, lanes] = [memory, passes, lanes].map(|number| u32::from_be_bytes(*number));
    let (least, most) = BOUNDS;
    let within = (least.memory..=most.memory).contains(&memory)
        && (least.passes..=most.passes).contains(&passes)
        && (least.lanes..=most.lanes).contains(&lanes);
    Some((Cost { memory, passes, lanes }, salt.try_into().ok()?)).filter(|_| within)
}

fn derive(cost: Cost, salt: &[u8; SALT_LEN], passphrase: &SecretBytes) -> Result<Secret<32>, KeysError> {
    let params =
        Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(|_| KeysError::Corrupt)?;
    let mut memory: Zeroizing<Vec<Block>> = Zeroizing::new(Vec::new());
    let blocks = params.block_count();
    // A host without room says so, and is not brought down.
    memory.try_reserve_exact(blocks).map_err(|_| KeysError::Unavailable)?;
    memory.resize(blocks, Block::new());
    let key = Secret::try_init_with(|key| {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into_with_memory(passphrase.expose_secret(), salt, key, &mut *memory)
    });
    wipe_stack();
    key.map_err(|_| KeysError::Passphrase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    fn phrase(text: &str) -> SecretBytes {
        SecretBytes::new(text.into())
    }

    #[test]
    fn protected_contents_open_with_their_passphrase_alone() {
        let protection = Protection::fresh(&phrase("correct horse"), &OsEntropy::new()).unwrap();
        let bytes = protection.encode(&Keys::default(), &OsEntropy::new()).unwrap();
        let open = |text| Protection::of(&bytes, &phrase(text)).and_then(|own| own.decode(&bytes).map(drop));
        assert_eq!(open("correct horse"), Ok(()));
        for wrong in ["correct horsf", "correct horse ", "Correct horse", ""] {
            assert_eq!(open(wrong), Err(KeysError::Passphrase), "{wrong}");
        }
        for len in 0..bytes.len() {
            let expected = if len < 16 { KeysError::Unprotected } else { KeysError::Corrupt };
            let decoded = protection.decode(&bytes[..len]).map(drop);
            assert!(
                decoded == Err(expected) || len > HEADER_LEN && decoded == Err(KeysError::Passphrase),
                "{len}"
            );
        }
    }

    #[test]
    fn a_header_that_asks_for_too_much_or_too_little_is_refused() {
        let header = |cost: [u32; 3]| {
            let numbers = cost.map(u32::to_be_bytes).concat();
            <[u8; HEADER_LEN]>::try_from([MAGIC.as_slice(), &numbers, &[7; SALT_LEN]].concat()).unwrap()
        };
        for (cost, fits) in [
            ([64 << 10, 3, 4], true),
            ([19 << 10, 1, 1], true),
            ([512 << 10, 16, 16], true),
            ([(19 << 10) - 1, 3, 1], false),
            ([(512 << 10) + 1, 3, 1], false),
            ([1 << 30, 3, 1], false),
            ([u32::MAX, u32::MAX, u32::MAX], false),
            ([64 << 10, 0, 1], false),
            ([64 << 10, 17, 1], false),
            ([64 << 10, 3, 0], false),
            ([64 << 10, 3, 17], false),
            ([0, 0, 0], false),
        ] {
            assert_eq!(read(&header(cost)).is_some(), fits, "{cost:?}");
        }
    }

    /// The reference implementation in C gives the same (`argon2 somesalt16bytes! -id -t 3 -m 16 -p 4 -l 32`).
    #[test]
    fn the_key_is_argon2id() {
        let cost = Cost { memory: 64 << 10, passes: 3, lanes: 4 };
        let key = derive(cost, b"somesalt16bytes!", &phrase("correct horse")).unwrap();
        let hex: String = key.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "709d053f67255eb4153b4bef2d4ec51b5581ee09287cb3a55de7c8aaf2fbe591");
    }
}
