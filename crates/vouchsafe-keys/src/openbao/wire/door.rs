//! The parsers, for the fuzz target.
use super::*;

/// Reads bytes as every answer and as a wrapped secret. What a reader takes must hold what callers rely on.
///
/// # Panics
/// When it does not.
#[expect(clippy::panic, clippy::unwrap_used, reason = "a fuzz target's assertions")]
pub fn fuzz(status: u16, bytes: &[u8]) {
    let organisation = OrganisationId::parse("acme").unwrap();
    let _ = judge(status, bytes);
    let _ = (read_lookup(bytes), read_renewal(bytes), read_disable_cache(bytes));
    if let Ok((token, _)) = read_login(bytes) {
        assert!(!token.expose_secret().is_empty());
    }
    if let Ok(key) = KeyState::read(bytes) {
        assert!(1 <= key.first() && key.first() <= key.latest() && key.latest() - key.first() < MAX_VERSIONS);
        for outside in [0, key.first() - 1, key.latest().saturating_add(1)] {
            let inside = (key.first()..=key.latest()).contains(&outside);
            assert!(inside || !(key.encrypts(outside) || key.decrypts(outside)));
        }
        for keep in [1, key.latest()] {
            let body: BTreeMap<String, u64> = serde_json::from_slice(&minima_body(&key, keep)).unwrap();
            assert!(body.values().all(|least| (keep..=key.latest()).contains(least)));
        }
    }
    if let Ok(secret) = read_plaintext(bytes) {
        let text = STANDARD.encode(secret.expose_secret());
        assert!(bytes.windows(text.len()).any(|part| part == text.as_bytes()));
    }
    for generation in [1, 7, 12, u64::MAX] {
        let handle = KeyHandle::new(organisation.clone(), generation);
        if let Ok(wrapped) = read_ciphertext(bytes, &handle) {
            assert!(check_wrapped(&wrapped, &handle).is_ok());
        }
        if let Ok(text) = check_wrapped(bytes, &handle) {
            let sealed = STANDARD.decode(text.rsplit(':').next().unwrap()).unwrap();
            assert_eq!(format!("vault:v{generation}:{}", STANDARD.encode(sealed)).as_bytes(), bytes);
        }
    }
}
