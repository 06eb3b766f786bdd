use proptest::prelude::*;
use vouchsafe_types::{Digest, Secret};

use super::*;
use crate::{Checkpoint, Cosigner, LogSigner};

const ORIGIN: &str = "log.example/a";

fn log(fill: u8) -> LogSigner {
    LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(fill))).unwrap()
}

fn cosigner(number: u8) -> Cosigner {
    Cosigner::from_seed(&format!("w.example/{number}"), &Secret::init_with(|seed| seed.fill(number))).unwrap()
}

/// A checkpoint that these witnesses cosigned.
fn cosigned(by: &[u8]) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN, 9, Digest::from_bytes([1; 32])).unwrap();
    let signed = SignedCheckpoint::sign(checkpoint, &[&log(100)]).unwrap();
    by.iter().fold(signed, |signed, number| {
        let witness = cosigner(*number);
        let line = witness.cosign(&signed.checkpoint().to_string(), 1).unwrap();
        signed.with_signature_lines(&line, &[witness.key().clone()]).unwrap()
    })
}

fn header(witnesses: u8) -> String {
    let witnesses: String =
        (1..=witnesses).map(|n| format!("witness w{n} {}\n", cosigner(n).key())).collect();
    format!("log {}\n{witnesses}", log(100).verifier())
}

fn check(rule: &str, accepted: &[&[u8]], refused: &[&[u8]]) {
    let policy = Policy::parse(format!("{}{rule}", header(6)).as_bytes()).unwrap();
    for by in accepted {
        assert_eq!(policy.check(cosigned(by).note()).unwrap(), cosigned(by), "{rule} {by:?}");
    }
    for by in refused {
        assert_eq!(policy.check(cosigned(by).note()), Err(LedgerError::QuorumMissing), "{rule} {by:?}");
    }
}

/// The two levels of groups of the example in C2SP tlog-policy.
#[test]
fn the_example_of_the_standard_counts_as_it_says() {
    let rule = "group X-witnesses 2 w1 w2 w3\ngroup Y-witnesses any w4 w5 w6\n\
        group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    let few: &[&[u8]] = &[&[], &[1, 2], &[1, 4], &[4, 5, 6], &[1, 2, 3]];
    check(rule, &[&[1, 2, 4], &[2, 3, 6], &[1, 2, 3, 4, 5, 6], &[5, 3, 1]], few);
}

#[test]
fn a_quorum_is_nobody_a_witness_or_a_group() {
    check("quorum none\n", &[&[], &[1]], &[]);
    check("quorum w2\n", &[&[2], &[1, 2]], &[&[], &[1], &[1, 3, 4]]);
    check("group g all w1 w2\nquorum g\n", &[&[1, 2]], &[&[1], &[2], &[3, 4]]);
    check("quorum g\n".replace("quorum", "group g 1 w1\nquorum").as_str(), &[&[1]], &[&[2]]);
}

#[test]
fn a_cosignature_by_a_stranger_or_of_another_head_does_not_count() {
    let policy = Policy::parse(format!("{}quorum w1\n", header(1)).as_bytes()).unwrap();
    assert_eq!(policy.check(cosigned(&[9]).note()), Err(LedgerError::QuorumMissing));
    let line = cosigner(1).cosign("other\n", 1).unwrap();
    let bad = format!("{}{line}", cosigned(&[]).note());
    assert_eq!(policy.check(&bad), Err(LedgerError::SignatureInvalid));
}

#[test]
fn only_a_listed_log_under_its_own_name_is_believed() {
    let policy =
        |log: &LogSigner| Policy::parse(format!("log {}\nquorum none\n", log.verifier()).as_bytes()).unwrap();
    let note = cosigned(&[]);
    assert!(policy(&log(100)).check(note.note()).is_ok());
    assert_eq!(policy(&log(101)).check(note.note()), Err(LedgerError::SignatureMissing));
    let other = Checkpoint::new("log.example/b", 9, Digest::from_bytes([1; 32])).unwrap();
    let other = SignedCheckpoint::sign(other, &[&log(100)]).unwrap();
    assert_eq!(policy(&log(100)).check(other.note()), Err(LedgerError::OriginMismatch));
    let none = Policy::parse(b"quorum none\n").unwrap();
    assert_eq!(none.check(note.note()), Err(LedgerError::SignatureMissing));
    assert_eq!(none.check_quorum(&note), Ok(()));
}

#[test]
fn blanks_comments_urls_and_octets_are_read_as_the_standard_says() {
    let (log, witness) = (log(100), cosigner(1));
    let text = [
        format!("  # comment\n\n \t \nlog\t{} \t https://log.example/\n", log.verifier()).into_bytes(),
        [b"witness \xe2\x84\xaa ".as_slice(), format!("{} https://w.example/x\n", witness.key()).as_bytes()]
            .concat(),
        b"quorum \xe2\x84\xaa\t\n#\xff\n".to_vec(),
    ]
    .concat();
    let policy = Policy::parse(&text).unwrap();
    assert!(policy.demands_witnesses());
    assert_eq!(policy.log_url(log.verifier()), Some("https://log.example/"));
    assert_eq!(policy.witness_url(witness.key()), Some("https://w.example/x"));
    assert_eq!(policy.witness_url(cosigner(2).key()), None);
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 1));
    assert_eq!(
        Policy::parse(&text.replace(b"quorum \xe2\x84\xaa", b"quorum K")),
        Err(LedgerError::PolicyMalformed)
    );
}

trait Replace {
    fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl Replace for Vec<u8> {
    fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = self.windows(from.len()).position(|window| window == from).unwrap();
        [&self[..at], to, &self[at + from.len()..]].concat()
    }
}

#[test]
fn any_other_policy_is_refused() {
    let (head, ok) = (header(3), "quorum w1\n");
    let good = format!("{head}{ok}");
    assert!(Policy::parse(good.as_bytes()).is_ok());
    let w1 = cosigner(1).key().to_string();
    let bad = [
        String::new(),
        "\n".to_owned(),
        head.clone(),
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
        format!("{good}quorum w1\n"),
        format!("{good}quorum none\n"),
        format!("{good}wtiness x y\n"),
        format!("quorum w1\n{head}"),
        format!("{head}quorum w4\n"),
        format!("{head}quorum\n"),
        format!("{head}quorum w1 w2\n"),
        format!("{head}QUORUM w1\n"),
        format!("{good}{head}"),
        format!("{good}log {w1}\n"),
        format!("{good}log\n"),
        format!("{good}log {} a b\n", log(101).verifier()),
        format!("{good}witness x {}\n", log(101).verifier()),
        format!("{good}witness x {w1}\n"),
        format!("{good}witness w1 {}\n", cosigner(9).key()),
        format!("{good}witness none {}\n", cosigner(9).key()),
        format!("{good}witness x {} a b\n", cosigner(9).key()),
        format!("{good}witness x\n"),
        format!("{good}group g any\n"),
        format!("{good}group none any w1\n"),
        format!("{good}group w1 any w2\n"),
        format!("{good}group g any none\n"),
        format!("{good}group g any g\n"),
        format!("{good}group g any h\ngroup h any w1\n"),
        format!("{good}group g 0 w1\n"),
        format!("{good}group g 2 w1\n"),
        format!("{good}group g 01 w1\n"),
        format!("{good}group g one w1\n"),
        format!("{good}group g any w1 w1\n"),
        format!("{good}group g any w1\ngroup h any w1\n"),
        format!("{good}#{}\n", "x".repeat(Policy::MAX_LEN)),
        format!("{good}# \u{7f}\n"),
    ];
    for policy in bad {
        assert_eq!(Policy::parse(policy.as_bytes()), Err(LedgerError::PolicyMalformed), "{policy:.200}");
    }
}

#[test]
fn the_limits_of_the_standard_fit_and_ours_hold() {
    let witnesses =
        |count: u8| (1..=count).map(|n| format!("witness w{n} {}\n", cosigner(n).key())).collect::<String>();
    let groups = |count: u8| (1..=count).map(|n| format!("group g{n} any w{n}\n")).collect::<String>();
    let logs = |count: u8| (1..=count).map(|n| format!("log {}\n", log(n).verifier())).collect::<String>();
    let parse = |l, w, g| Policy::parse((logs(l) + &witnesses(w) + &groups(g) + "quorum none\n").as_bytes());
    assert!(parse(64, 64, 64).is_ok());
    assert_eq!(parse(65, 0, 0), Err(LedgerError::PolicyMalformed));
    assert_eq!(parse(0, 65, 0), Err(LedgerError::PolicyMalformed));
    let more = groups(64) + "group h any g1\n";
    let more = Policy::parse((witnesses(64) + &more + "quorum none\n").as_bytes());
    assert_eq!(more, Err(LedgerError::PolicyMalformed));
}

proptest! {
    /// One level of groups against a count by hand.
    #[test]
    fn a_threshold_counts_the_members_that_cosigned(by in prop::collection::btree_set(1u8..=6, 0..6), k in 1usize..=4) {
        let policy = format!("{}group g {k} w1 w2 w3 w4\nquorum g\n", header(6));
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let by = by.into_iter().collect::<Vec<_>>();
        let enough = by.iter().filter(|number| **number <= 4).count() >= k;
        prop_assert_eq!(policy.check_quorum(&cosigned(&by)).is_ok(), enough);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in prop::collection::vec("(log|witness|group|quorum|none|any|all|[0-9a-b]| |\n|\t|#)", 0..40)) {
        let _ = Policy::parse(text.concat().as_bytes());
    }
}
