use proptest::prelude::*;
use vouchsafe_types::{Digest, Secret};

use super::*;
use crate::note::signature_line;
use crate::{Checkpoint, LogSigner};

const ORIGIN: &str = "log.example/a";

fn log() -> LogSigner {
    LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(3))).unwrap()
}

fn cosigner(name: &str, fill: u8) -> Cosigner {
    Cosigner::from_seed(name, &Secret::init_with(|seed| seed.fill(fill))).unwrap()
}

fn signed(size: u64) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN, size, Digest::from_bytes([1; 32])).unwrap();
    SignedCheckpoint::sign(checkpoint, &[&log()]).unwrap()
}

fn body(signed: &SignedCheckpoint) -> String {
    signed.checkpoint().to_string()
}

/// What is signed, written out as in C2SP tlog-cosignature.
#[test]
fn the_message_is_the_one_of_the_standard() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let expected = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    assert_eq!(message(1_679_315_147, text), expected);
}

/// The cosignature of the example in C2SP tlog-cosignature carries the time of its message.
#[test]
fn the_line_of_the_standard_reads_back() {
    let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
    let parsed = Signature::parse(line).unwrap();
    assert_eq!(parsed.to_string(), line);
    assert_eq!(parsed.bytes()[..8], 1_679_315_147_u64.to_be_bytes());
    assert_eq!(parsed.bytes().len(), 8 + 64);
}

/// The expected key and line come from OpenSSL.
#[test]
fn known_answer() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let witness = cosigner("w.example/7", 7);
    let key = "w.example/7+34d4bfa0+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    assert_eq!(witness.key().to_string(), key);
    let line = "\u{2014} w.example/7 NNS/oAAAAABlU/EAIfeI9siP5lK/GI6kPPO8Qc4VNx5E5M+IpLMQOtEWillb2F05s7t3oYSri2WfXfMN129kLw7Op2V+GS3LDAZjAw==\n";
    assert_eq!(witness.cosign(text, 1_700_000_000).as_deref(), Ok(line));
}

#[test]
fn a_key_has_one_spelling_and_is_no_key_of_a_log() {
    let key = cosigner("witness.example/w1", 7).key().clone();
    let text = key.to_string();
    assert_eq!(WitnessKey::parse(&text).as_ref(), Ok(&key));
    assert_eq!(crate::VerifierKey::parse(&text), Err(LedgerError::KeyMalformed));
    assert_eq!(WitnessKey::parse(&log().verifier().to_string()), Err(LedgerError::KeyMalformed));
    for bad in [text.to_uppercase(), format!("{text}\n"), text.replacen('+', "++", 1), text[1..].to_owned()] {
        assert_eq!(WitnessKey::parse(&bad), Err(LedgerError::KeyMalformed), "{bad}");
    }
}

#[test]
fn known_witnesses_are_told_with_their_time_and_others_ignored() {
    let (w1, w2) = (cosigner("w.example/1", 1), cosigner("w.example/2", 2));
    let (signed, keys) = (signed(4), [w1.key().clone(), w2.key().clone()]);
    assert_eq!(signed.cosignatures(&keys), Ok(Vec::new()));
    let lines = w2.cosign(&body(&signed), 20).unwrap() + &w1.cosign(&body(&signed), 10).unwrap();
    let both = signed.with_signature_lines(&lines, &keys).unwrap();
    let told = both.cosignatures(&keys).unwrap();
    let told: Vec<_> = told.iter().map(|one| (one.witness().name(), one.time())).collect();
    assert_eq!(told, [("w.example/1", 10), ("w.example/2", 20)]);
    assert_eq!(both.cosignatures(&keys[..1]).unwrap().len(), 1);
    assert_eq!(both.cosignatures(&[]), Ok(Vec::new()));
    let one = signed.with_signature_lines(&lines, &keys[..1]).unwrap();
    assert_eq!(one.cosignatures(&keys).unwrap().len(), 1, "what an unknown witness says is left out");
    let reopened = SignedCheckpoint::open(both.note(), log().verifier(), ORIGIN).unwrap();
    assert_eq!(reopened, both);
}

#[test]
fn one_line_a_witness_is_kept_the_latest_and_its_place_stays() {
    let (w1, w2) = (cosigner("w.example/1", 1), cosigner("w.example/2", 2));
    let (signed, keys) = (signed(4), [w1.key().clone(), w2.key().clone()]);
    let line = |witness: &Cosigner, time| witness.cosign(&body(&signed), time).unwrap();
    let first = signed.with_signature_lines(&(line(&w1, 10) + &line(&w2, 10)), &keys).unwrap();
    let same = first.with_signature_lines(&(line(&w1, 9) + &line(&w1, 10)), &keys).unwrap();
    assert_eq!(same, first);
    let later = first.with_signature_lines(&line(&w1, 30), &keys).unwrap();
    let expected = signed.with_signature_lines(&(line(&w1, 30) + &line(&w2, 10)), &keys).unwrap();
    assert_eq!(later, expected);
    let own = signed.with_signature_lines(&line(&w1, 30), &keys).unwrap();
    assert_eq!(own.with_signature_lines(&line(&w1, 30), &[]).unwrap(), own, "what is there stays");
}

#[test]
fn a_bad_cosignature_of_a_known_witness_refuses_the_note() {
    let (w1, imposter) = (cosigner("w.example/1", 1), cosigner("w.example/1", 9));
    let (signed, keys) = (signed(4), [w1.key().clone()]);
    let refused = |lines: &str| {
        assert_eq!(signed.with_signature_lines(lines, &keys), Err(LedgerError::SignatureInvalid));
    };
    refused(&w1.cosign(&body(&self::signed(5)), 10).unwrap());
    refused(&w1.cosign(&body(&signed), 1 << 63).unwrap());
    refused(&format!("{}\n", signature_line(&w1.key().0, &[1; 8])));
    refused(&format!("{}\n", signature_line(&w1.key().0, &[1; 7])));
    let good = w1.cosign(&body(&signed), 10).unwrap();
    let parsed = Signature::parse(good.trim_end()).unwrap();
    for at in 0..parsed.bytes().len() {
        let mut bytes = parsed.bytes().to_vec();
        bytes[at] ^= 1;
        refused(&format!("{}\n", signature_line(&w1.key().0, &bytes)));
    }
    let unknown = signed.with_signature_lines(&imposter.cosign(&body(&signed), 10).unwrap(), &keys);
    assert_eq!(unknown, Ok(signed.clone()));
    let note = format!("{}{}\n", signed.note(), signature_line(&w1.key().0, &[1; 72]));
    let open = SignedCheckpoint::open(&note, log().verifier(), ORIGIN).unwrap();
    assert_eq!(open.cosignatures(&keys), Err(LedgerError::SignatureInvalid));
}

#[test]
fn an_answer_is_signature_lines_and_nothing_else() {
    let w1 = cosigner("w.example/1", 1);
    let (signed, keys) = (signed(4), [w1.key().clone()]);
    let line = w1.cosign(&body(&signed), 10).unwrap();
    let bad =
        ["", "\n", "text\n", line.trim_end(), &format!("{line}\n"), &format!("\n{line}"), &line.repeat(101)];
    for lines in bad {
        assert_eq!(signed.with_signature_lines(lines, &keys), Err(LedgerError::WitnessMalformed));
    }
}

proptest! {
    #[test]
    fn any_answer_is_refused_or_leaves_the_log_signature(lines in "(\u{2014} |w.example/1|AAAA|\n| |[a-z]){0,12}") {
        let keys = [cosigner("w.example/1", 1).key().clone()];
        if let Ok(with) = signed(4).with_signature_lines(&lines, &keys) {
            prop_assert_eq!(with, signed(4));
        }
    }
}
