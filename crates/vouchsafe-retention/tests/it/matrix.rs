use vouchsafe_retention::Policy;
use vouchsafe_types::DataClass;

/// The matrix in the docs is the one of the shipped packs. `UPDATE_DOCS=1` rewrites it.
#[test]
fn the_documented_matrix_is_up_to_date() {
    let generated = Policy::shipped().unwrap().matrix();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/retention-matrix.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), generated, "run with UPDATE_DOCS=1");
}

#[test]
fn every_class_is_in_the_matrix_and_every_rule_cites_a_clause() {
    let policy = Policy::shipped().unwrap();
    let matrix = policy.matrix();
    for class in DataClass::ALL {
        assert!(matrix.contains(&format!("\n## `{}`\n", class.name())), "{}", class.name());
    }
    for rule in policy.rules() {
        assert!(matrix.contains(&format!("`{}`", rule.id())), "{}", rule.id());
        assert!(!rule.clause().is_empty() && rule.says().ends_with('.'), "{}", rule.id());
    }
}

/// An unconfirmed rule is listed as disabled and decides nothing.
#[test]
fn an_unconfirmed_rule_is_listed_and_decides_nothing() {
    let pack =
        Policy::DEFAULT_PACKS[1].replacen("confidence = \"confirmed\"", "confidence = \"unconfirmed\"", 1);
    let policy = Policy::from_packs(&[&pack]).unwrap();
    assert!(policy.matrix().contains("`wb-3-purpose-met` (disabled: source not confirmed)"));
    let facts = super::rows::face(vouchsafe_types::Role::EndUser)
        .purpose_met("2026-05-01T00:00:00Z".parse().unwrap());
    assert_eq!(policy.resolve(&facts).unwrap().due(), None);
}
