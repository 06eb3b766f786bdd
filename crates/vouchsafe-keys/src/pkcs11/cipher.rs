//! AES-256-GCM on the token.
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use subtle::ConstantTimeEq;
use vouchsafe_types::{Entropy, Secret, wipe_stack};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::wrapped::{IV_LEN, Wrapped};
use crate::OsEntropy;

/// Encrypts a secret, and decrypts it again before the wrap leaves: one that does not open loses an organisation.
pub(super) fn seal(
    session: &Session,
    key: ObjectHandle,
    secret: &Secret<32>,
    bound: &[u8],
    entropy: &OsEntropy,
) -> Result<Wrapped, Fault> {
    let wrapped = encrypt(session, key, secret, bound, entropy)?;
    let opened = decrypt(session, key, &wrapped, bound)?;
    if bool::from(opened.ct_eq(secret)) { Ok(wrapped) } else { Err(Fault::Corrupt) }
}

/// Decrypts a wrap.
///
/// Some tokens answer a wrong tag as they answer a failing device. Then the key seals and opens something of its
/// own: if it can, the device is well, and the wrap, tried once more, is not one of this key.
pub(super) fn open(
    session: &Session,
    key: ObjectHandle,
    wrapped: &Wrapped,
    bound: &[u8],
    entropy: &OsEntropy,
) -> Result<Secret<32>, Fault> {
    match decrypt(session, key, wrapped, bound) {
        Err(Fault::Trouble) => {
            let probe = Secret::random(entropy).map_err(|_| Fault::Trouble)?;
            seal(session, key, &probe, b"vouchsafe probe", entropy).map_err(|_| Fault::Trouble)?;
            decrypt(session, key, wrapped, bound).map_err(|fault| match fault {
                Fault::Trouble => Fault::Ciphertext,
                other => other,
            })
        }
        answer => answer,
    }
}

fn encrypt(
    session: &Session,
    key: ObjectHandle,
    secret: &Secret<32>,
    bound: &[u8],
    entropy: &OsEntropy,
) -> Result<Wrapped, Fault> {
    // From this host: a token whose generator repeats itself would repeat IVs, and give the key's tags away.
    let mut iv = [0; IV_LEN];
    entropy.fill(&mut iv).map_err(|_| Fault::Trouble)?;
    let sealed = session.encrypt(&gcm(&mut iv, bound)?, key, secret.expose_secret())?;
    // A token that insists on an IV of its own has written it back by now.
    Ok(Wrapped { iv, sealed: sealed.try_into().map_err(|_| Fault::Corrupt)? })
}

fn decrypt(
    session: &Session,
    key: ObjectHandle,
    wrapped: &Wrapped,
    bound: &[u8],
) -> Result<Secret<32>, Fault> {
    let mut iv = wrapped.iv;
    let opened = session.decrypt(&gcm(&mut iv, bound)?, key, &wrapped.sealed).map(Zeroizing::new);
    wipe_stack();
    Secret::copy_from_slice(&opened?).ok_or(Fault::Corrupt)
}

fn gcm<'a>(iv: &'a mut [u8; IV_LEN], bound: &'a [u8]) -> Result<Mechanism<'a>, Fault> {
    Ok(Mechanism::AesGcm(GcmParams::new(iv, bound, 128.into())?))
}
