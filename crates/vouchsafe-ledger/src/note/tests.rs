use super::*;

/// The example of Go's `golang.org/x/mod/sumdb/note` package, signed by PeterNeumann.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer(name: &str, fill: u8) -> LogSigner {
    LogSigner::from_seed(name, &Secret::init_with(|seed| seed.fill(fill))).unwrap()
}

#[test]
fn a_note_signed_by_go_verifies_and_its_key_reads_back() {
    let key = VerifierKey::parse(GO_KEY).unwrap();
    assert_eq!((key.name(), key.id(), key.to_string().as_str()), ("PeterNeumann", 0xc74f_20a3, GO_KEY));
    let note = Note::parse(GO_NOTE).unwrap();
    assert!(note.verify(&[&key]).unwrap().ends_with("problem is.\n"));
    let changed = Note::parse(&GO_NOTE.replace("think", "thinK")).unwrap();
    assert_eq!(changed.verify(&[&key]), Err(LedgerError::SignatureInvalid));
}

/// RFC 8032 section 7.1, test 1: the public key of the seed.
#[test]
fn the_public_key_of_rfc_8032() {
    let seed = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let signer = LogSigner::from_seed("a", &Secret::copy_from_slice(&seed).unwrap()).unwrap();
    assert_eq!(signer.verifier().public_key()[..4], [0xd7, 0x5a, 0x98, 0x01]);
}

#[test]
fn unknown_signatures_are_ignored_and_known_bad_ones_refuse_the_note() {
    let (a, b) = (signer("a", 1), signer("b", 2));
    let text = "text\n\nwith an empty line\n";
    let by_a = a.sign(text).unwrap();
    let line = |note: &str| note.rsplit_once("\n\n").unwrap().1.to_owned();
    let both = by_a.clone() + &line(&b.sign(text).unwrap());
    let note = Note::parse(&both).unwrap();
    for keys in [&[a.verifier()][..], &[b.verifier()], &[a.verifier(), b.verifier()]] {
        assert_eq!(note.verify(keys), Ok(text));
    }
    assert_eq!(note.verify(&[]), Err(LedgerError::SignatureMissing));
    assert_eq!(note.verify(&[signer("a", 3).verifier()]), Err(LedgerError::SignatureMissing));
    assert_eq!(note.verify(&[signer("c", 1).verifier()]), Err(LedgerError::SignatureMissing));

    let bad = Note::parse(&(by_a + &line(&b.sign("other\n").unwrap()))).unwrap();
    assert_eq!(bad.verify(&[a.verifier()]), Ok(text));
    assert_eq!(bad.verify(&[a.verifier(), b.verifier()]), Err(LedgerError::SignatureInvalid));
}

#[test]
fn malformed_notes_are_refused() {
    let good = signer("a", 1).sign("text\n").unwrap();
    assert!(Note::parse(&good).is_ok());
    let line = good.rsplit_once("\n\n").unwrap().1;
    let bad = [
        String::new(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "-"),
        good.replace("\u{2014} ", "\u{2014}"),
        good.replace("\u{2014} a ", "\u{2014} a  "),
        good.replace("\u{2014} a ", "\u{2014} a+ "),
        good.replace("\u{2014} a ", "\u{2014}  "),
        good.replace("text", "te\txt"),
        good.replace("text", "te\rxt"),
        format!("{good}\n"),
        format!("{good}trailing\n"),
        "text\n\n\u{2014} a AAAAAA==\n".to_owned(),
        format!("text\n\n{}", line.repeat(Note::MAX_SIGNATURES + 1)),
        "x".repeat(Note::MAX_LEN) + &good,
    ];
    for note in bad {
        assert_eq!(Note::parse(&note), Err(LedgerError::NoteMalformed), "{:?}", note.get(..40));
    }
}

#[test]
fn malformed_keys_and_names_are_refused() {
    let bad = [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcAgcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
    ];
    for key in bad {
        assert_eq!(VerifierKey::parse(key), Err(LedgerError::KeyMalformed), "{key}");
    }
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\tb"] {
        let signer = LogSigner::from_seed(name, &Secret::init_with(|seed| seed.fill(1)));
        assert_eq!(signer.err(), Some(LedgerError::Name), "{name:?}");
    }
}

#[test]
fn a_text_without_final_newline_is_not_signed_and_the_seed_is_not_printed() {
    let signer = signer("a", 1);
    assert_eq!(signer.sign("text"), Err(LedgerError::NoteMalformed));
    assert_eq!(signer.sign("te\0xt\n"), Err(LedgerError::NoteMalformed));
    assert!(!format!("{signer:?}").contains("seed"));
}
