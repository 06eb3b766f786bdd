use super::*;

fn handle(organisation: &str, generation: u64) -> KeyHandle {
    KeyHandle::new(OrganisationId::parse(organisation).unwrap(), generation)
}

fn wrapped(generation: u64) -> String {
    format!("vault:v{generation}:{}", "A".repeat(SEALED_TEXT_LEN))
}

#[test]
fn names_are_injective() {
    for (organisation, name) in [("acme", "p-acme"), ("acme-", "p-acme-_"), ("a--1", "p-a--1")] {
        assert_eq!(key_name("p", &OrganisationId::parse(organisation).unwrap()), name);
    }
}

#[test]
fn bodies_are_json_and_bound_to_the_handle() {
    let secret = Secret::init_with(|secret| secret.fill(0xff));
    let body = encrypt_body(&handle("acme", 12), &secret, b"here").unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["plaintext"], STANDARD.encode([0xff; 32]));
    assert_eq!(body["key_version"], 12);
    let data = STANDARD.decode(body["associated_data"].as_str().unwrap()).unwrap();
    assert_eq!(data, b"vouchsafe transit wrap v1\0\x04acme\0\0\0\0\0\0\0\x0chere");
    let body = decrypt_body(&handle("acme", 12), &wrapped(12), b"here").unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["ciphertext"], body.as_object().unwrap().len()), (&wrapped(12).into(), 2));
    let long = vec![0; MAX_CONTEXT + 1];
    assert_eq!(encrypt_body(&handle("a", 1), &secret, &long).err(), Some(KeyServiceError::Malformed));
    assert_eq!(decrypt_body(&handle("a", 1), "", &long).err(), Some(KeyServiceError::Malformed));
    let body: serde_json::Value = serde_json::from_slice(&login_body("role", b"secret")).unwrap();
    assert_eq!(body, serde_json::json!({"role_id": "role", "secret_id": "secret"}));
}

#[test]
fn a_wrapped_secret_has_one_form() {
    for generation in [1, 12, u64::MAX] {
        let text = wrapped(generation);
        assert_eq!(check_wrapped(text.as_bytes(), &handle("acme", generation)).unwrap(), text);
    }
    let good = wrapped(1);
    for (bad, error) in [
        (String::new(), KeyServiceError::Malformed),
        ("short".to_owned(), KeyServiceError::Malformed),
        (format!("{good}A"), KeyServiceError::NotAuthentic),
        (format!("{good}\n"), KeyServiceError::NotAuthentic),
        (wrapped(2), KeyServiceError::NotAuthentic),
        (good.replace("v1", "v0"), KeyServiceError::NotAuthentic),
        (good.replace("vault", "Vault"), KeyServiceError::NotAuthentic),
        (good.replace("v1:A", "v01:"), KeyServiceError::NotAuthentic),
        (good.replacen("AAAA", "AA\r\n", 1), KeyServiceError::NotAuthentic),
        (good.replacen("AAAA", "AA--", 1), KeyServiceError::NotAuthentic),
        (good.replace("AAAA", "AA=="), KeyServiceError::NotAuthentic),
        (format!("{}=", &good[..good.len() - 1]), KeyServiceError::NotAuthentic),
        (format!("{}B==", &good[..good.len() - 3]), KeyServiceError::NotAuthentic),
        (good[..good.len() - 1].to_owned(), KeyServiceError::Malformed),
    ] {
        assert_eq!(check_wrapped(bad.as_bytes(), &handle("acme", 1)), Err(error), "{bad:?}");
    }
    assert_eq!(check_wrapped(&[0xff; 90], &handle("acme", 1)), Err(KeyServiceError::NotAuthentic));
}

fn key(change: impl FnOnce(&mut serde_json::Value)) -> Result<KeyState, KeyServiceError> {
    let mut key = serde_json::json!({"data": {
        "type": "aes256-gcm96", "exportable": false, "allow_plaintext_backup": false, "derived": false,
        "imported_key": false, "latest_version": 4, "min_available_version": 2, "min_decryption_version": 3,
        "min_encryption_version": 0, "keys": {"3": 1, "4": 1}, "name": "p-acme", "soft_deleted": false,
    }, "lease_id": ""});
    change(&mut key["data"]);
    KeyState::read(key.to_string().as_bytes())
}

#[test]
fn a_key_is_read_with_its_bounds() {
    let state = key(|_| ()).unwrap();
    assert_eq!((state.first(), state.latest()), (2, 4));
    assert_eq!([1, 2, 3, 4, 5].map(|version| state.encrypts(version)), [false, true, true, true, false]);
    assert_eq!([1, 2, 3, 4, 5].map(|version| state.decrypts(version)), [false, false, true, true, false]);
    assert_eq!(minima_body(&state, 2), br#"{"min_decryption_version":3,"min_encryption_version":2}"#);
    let fresh = key(|key| {
        for name in ["min_available_version", "min_decryption_version"] {
            key[name] = 0.into();
        }
        key.as_object_mut().unwrap().remove("imported_key");
    });
    assert_eq!(fresh.unwrap().first(), 1);
    assert!(fresh.unwrap().decrypts(1) && !fresh.unwrap().decrypts(0));
}

#[test]
fn a_key_that_could_leave_the_server_is_refused() {
    for name in ["exportable", "allow_plaintext_backup", "derived", "imported_key"] {
        assert_eq!(key(|key| key[name] = true.into()), Err(KeyServiceError::Denied), "{name}");
    }
    for kind in ["chacha20-poly1305", "aes128-gcm96", ""] {
        assert_eq!(key(|key| key["type"] = kind.into()), Err(KeyServiceError::Denied), "{kind}");
    }
}

#[test]
fn a_key_that_contradicts_itself_is_refused() {
    let big = u64::MAX;
    for (name, value) in [
        ("latest_version", serde_json::json!(0)),
        ("latest_version", big.into()),
        ("latest_version", (-1).into()),
        ("latest_version", 4.5.into()),
        ("latest_version", "4".into()),
        ("latest_version", serde_json::Value::Null),
        ("min_available_version", 5.into()),
        ("min_available_version", 4.into()),
        ("min_available_version", big.into()),
        ("min_decryption_version", 5.into()),
        ("min_encryption_version", big.into()),
        ("keys", serde_json::json!({})),
        ("keys", serde_json::json!({"1": 1, "4": 1})),
        ("keys", serde_json::json!({"4": 1, "5": 1})),
        ("keys", serde_json::json!({"4": 1, "x": 1})),
        ("keys", serde_json::json!([4])),
    ] {
        let read = key(|key| key[name] = value.clone());
        assert_eq!(read, Err(KeyServiceError::Corrupt), "{name} {value}");
    }
    let vast = key(|key| {
        key["latest_version"] = (1u64 << 40).into();
        key["keys"] = serde_json::json!({"1099511627776": 1});
    });
    assert_eq!(vast, Err(KeyServiceError::Corrupt), "a list that fills the memory");
}

#[test]
fn what_is_no_answer_is_refused() {
    let nested = "[".repeat(100_000);
    for bad in ["", "null", "{}", "[]", "<html>", r#"{"data":{}}"#, r#"{"auth":{}}"#, "{\"data\":", &nested] {
        let bytes = bad.as_bytes();
        assert_eq!(KeyState::read(bytes).err(), Some(KeyServiceError::Corrupt));
        assert_eq!(read_plaintext(bytes).err(), Some(KeyServiceError::Corrupt));
        assert_eq!(read_ciphertext(bytes, &handle("acme", 1)).err(), Some(KeyServiceError::Corrupt));
        assert_eq!(read_lookup(bytes).err(), Some(KeyServiceError::Corrupt));
        assert_eq!(read_renewal(bytes).err(), Some(KeyServiceError::Corrupt));
        assert_eq!(read_login(bytes).err(), Some(KeyServiceError::Corrupt));
        assert_eq!(read_disable_cache(bytes).err(), Some(KeyServiceError::Corrupt));
    }
}

#[test]
fn plaintexts_and_ciphertexts_have_their_length() {
    let plaintext = |text: &str| read_plaintext(format!(r#"{{"data":{{"plaintext":"{text}"}}}}"#).as_bytes());
    assert_eq!(plaintext(&STANDARD.encode([7; 32])).unwrap().expose_secret(), &[7; 32]);
    for bad in [0, 16, 31, 33, 64] {
        assert_eq!(plaintext(&STANDARD.encode(vec![7; bad])).err(), Some(KeyServiceError::Corrupt), "{bad}");
    }
    let loose = STANDARD.encode([7; 32]).replace("c=", "d=");
    assert_eq!(plaintext(&loose).err(), Some(KeyServiceError::Corrupt), "bits behind the end");
    let ciphertext = |text: &str| {
        read_ciphertext(format!(r#"{{"data":{{"ciphertext":"{text}"}}}}"#).as_bytes(), &handle("acme", 1))
    };
    assert_eq!(ciphertext(&wrapped(1)).unwrap(), wrapped(1).as_bytes());
    for bad in [wrapped(2), String::new(), "vault:v1:AAAA".to_owned()] {
        assert_eq!(ciphertext(&bad).err(), Some(KeyServiceError::Corrupt), "{bad}");
    }
}

#[test]
fn leases_and_tokens_are_read() {
    let lease = read_lookup(br#"{"data":{"ttl":60,"renewable":true,"id":"s.x"}}"#).unwrap();
    assert_eq!((lease.left(), lease.renewable()), (Duration::from_secs(60), true));
    let login = |token: &str| {
        let auth = format!(r#"{{"client_token":"{token}","lease_duration":5,"renewable":false}}"#);
        read_login(format!(r#"{{"auth":{auth}}}"#).as_bytes())
    };
    let (token, lease) = login("s.abc").unwrap();
    assert_eq!((token.expose_secret(), lease.left()), (&b"s.abc"[..], Duration::from_secs(5)));
    for bad in ["", "a b", "a\\nb", "ä", &"a".repeat(5000)] {
        assert!(login(bad).is_err());
    }
    let root = read_lookup(br#"{"data":{"ttl":0}}"#).unwrap();
    assert_eq!((root.left(), root.renewable()), (Duration::ZERO, false));
    assert!(read_lookup(br#"{"data":{"ttl":-1,"renewable":true}}"#).is_err());
}

#[test]
fn a_status_says_who_must_act() {
    let service = |error| Err(Failure::Service(error));
    for (status, body, expected) in [
        (200, "", Ok(())),
        (204, "", Ok(())),
        (400, r#"{"errors":["cipher: message authentication failed"]}"#, Err(Failure::Refused)),
        (404, r#"{"errors":[]}"#, Err(Failure::Missing)),
        (404, r#"{"errors":["no handler for route"]}"#, service(KeyServiceError::Denied)),
        (404, "not found", service(KeyServiceError::Denied)),
        (403, r#"{"errors":["permission denied"]}"#, service(KeyServiceError::Denied)),
        (401, "", service(KeyServiceError::Denied)),
        (405, "", service(KeyServiceError::Denied)),
        (413, "", service(KeyServiceError::Malformed)),
        (307, "", service(KeyServiceError::Unavailable)),
        (412, "", service(KeyServiceError::Unavailable)),
        (429, "", service(KeyServiceError::Unavailable)),
        (473, "", service(KeyServiceError::Unavailable)),
        (500, "", service(KeyServiceError::Unavailable)),
        (503, r#"{"errors":["Vault is sealed"]}"#, service(KeyServiceError::Unavailable)),
        (101, "", service(KeyServiceError::Corrupt)),
        (999, "", service(KeyServiceError::Corrupt)),
    ] {
        assert_eq!(judge(status, body.as_bytes()), expected, "{status}");
    }
}
