//! A copy that only the person can read: a file of age (age-encryption.org/v1).

use std::fmt;
use std::io::Write as _;

use age::secrecy::SecretString;

use crate::Error;

const KEY: Error = Error::Format("key of the person");

/// What a copy is encrypted to: a public key of the person, or a passphrase that they were told another way.
///
/// ```
/// use vouchsafe::ExportKey;
///
/// assert!(ExportKey::public("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").is_ok());
/// assert!(ExportKey::public("AGE-SECRET-KEY-1").is_err());
/// ```
pub struct ExportKey(Key);

enum Key {
    Public(age::x25519::Recipient),
    Passphrase(age::scrypt::Recipient),
}

impl ExportKey {
    /// The least bytes of a passphrase; make it at random, nobody has to remember it.
    pub const MIN_PASSPHRASE: usize = 20;

    /// A public key of age, `age1…`.
    ///
    /// # Errors
    /// [`Error::Format`] for any other text, a secret key too.
    pub fn public(text: &str) -> Result<Self, Error> {
        Ok(Self(Key::Public(text.trim().parse().map_err(|_| KEY)?)))
    }

    /// A passphrase. Deriving the key from it takes about a second.
    ///
    /// # Errors
    /// [`Error::Format`] for one of less than [`Self::MIN_PASSPHRASE`] bytes.
    pub fn passphrase(text: &str) -> Result<Self, Error> {
        if text.len() < Self::MIN_PASSPHRASE {
            return Err(KEY);
        }
        Ok(Self(Key::Passphrase(age::scrypt::Recipient::new(SecretString::from(text.to_owned())))))
    }

    /// The encrypted file of a copy, or of its page for readers. age draws its own randomness of the operating system.
    ///
    /// # Errors
    /// [`Error::Format`] when age refuses, which it has no reason to.
    pub fn encrypt(&self, copy: &[u8]) -> Result<Vec<u8>, Error> {
        const FAILED: Error = Error::Format("encrypted copy");
        let to: &dyn age::Recipient = match &self.0 {
            Key::Public(recipient) => recipient,
            Key::Passphrase(recipient) => recipient,
        };
        let encryptor = age::Encryptor::with_recipients(std::iter::once(to)).map_err(|_| FAILED)?;
        let mut writer = encryptor.wrap_output(Vec::with_capacity(copy.len())).map_err(|_| FAILED)?;
        writer.write_all(copy).map_err(|_| FAILED)?;
        writer.finish().map_err(|_| FAILED)
    }
}

impl fmt::Debug for ExportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPY: &[u8] = b"{\"version\":1}";

    #[test]
    fn only_the_person_reads_an_encrypted_copy() {
        let (person, stranger) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let file = ExportKey::public(&person.to_public().to_string()).unwrap().encrypt(COPY).unwrap();
        assert!(file.starts_with(b"age-encryption.org/v1\n"));
        assert_eq!(age::decrypt(&person, &file).unwrap(), COPY);
        assert!(age::decrypt(&stranger, &file).is_err());
        let mut damaged = file;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(age::decrypt(&person, &damaged).is_err(), "and a changed one nobody");
    }

    #[test]
    fn a_passphrase_opens_its_copy_and_no_other_does() {
        let phrase = "correct-horse-battery-staple";
        let file = ExportKey::passphrase(phrase).unwrap().encrypt(COPY).unwrap();
        let opened = |phrase: &str| {
            age::decrypt(&age::scrypt::Identity::new(SecretString::from(phrase.to_owned())), &file)
        };
        assert_eq!(opened(phrase).unwrap(), COPY);
        assert!(opened("correct-horse-battery-stable").is_err());
        assert!(ExportKey::passphrase("short").is_err());
    }
}
