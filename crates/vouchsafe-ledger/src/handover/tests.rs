use super::*;

fn key(fill: u8) -> VerifierKey {
    let seed = Secret::init_with(|seed| seed.fill(fill));
    crate::LogSigner::from_seed("log.example/a", &seed).unwrap().verifier().clone()
}

fn statement() -> HandoverStatement {
    HandoverStatement::new("log.example/a", key(1), key(2), HandoverReason::Scheduled).unwrap()
}

#[test]
fn the_statement_is_the_one_of_the_specification() {
    let expected = format!("vouchsafe.dev/log-key@v1\nlog.example/a\n{}\n{}\nscheduled\n", key(1), key(2));
    assert_eq!(statement().to_string(), expected);
    assert_eq!(HandoverStatement::parse(expected.as_bytes()), Ok(statement()));
    let opening = Opening::from_secret(Secret::init_with(|bytes| bytes.fill(0)));
    assert!(commitment::verify(&opening, expected.as_bytes(), &statement().commitment()));
}

#[test]
fn any_other_statement_is_refused() {
    let good = statement().to_string();
    let (old, new) = (key(1).to_string(), key(2).to_string());
    let bad = [
        String::new(),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("\n{good}"),
        good.replace("@v1", "@v2"),
        good.replace("example/a\n", "example/a \n"),
        good.replacen("log.example/a\n", "\n", 1),
        good.replace("scheduled", "Scheduled"),
        good.replace("scheduled", "bored"),
        good.replace(&old, &new),
        good.replace(&old, &old[1..]),
        good.replace('\n', "\r\n"),
    ];
    for text in bad {
        assert_eq!(HandoverStatement::parse(text.as_bytes()), Err(LedgerError::HandoverMalformed), "{text}");
    }
    assert_eq!(HandoverStatement::parse(b"\xff"), Err(LedgerError::HandoverMalformed));
    let same = HandoverStatement::new("log.example/a", key(1), key(1), HandoverReason::Scheduled);
    assert_eq!(same, Err(LedgerError::HandoverMalformed));
    let name = HandoverStatement::new("a b", key(1), key(2), HandoverReason::Scheduled);
    assert_eq!(name, Err(LedgerError::Name));
}
