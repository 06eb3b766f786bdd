//! Every query of the port is asked how it would be carried out for a large organisation, with the policies in force:
//! none may walk all that there is.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;
use crate::conformance::{answers, populate};

/// Queries that promise a walk, or whose table stays small.
const WALKS: &[&str] = &[
    "FROM holding_tally",
    "FROM lease",
    "FROM legal_hold",
    "FROM notice",
    "FROM organisation",
    "FROM retention",
    "FROM entry WHERE organisation = ?1 ORDER BY number DESC LIMIT 1",
    "FROM holding WHERE organisation = ?1 AND state = 2 ORDER BY leaf",
    "FROM job WHERE organisation = ?1 ORDER BY created_at, id",
    "AND newest = 1 GROUP BY scope, status",
    "GROUP BY key_version",
    // Counts orphans, and what is late.
    "SELECT count(*) FROM",
];

static TEXTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn noted(sql: &str) -> String {
    TEXTS.lock().unwrap().insert(sql.to_owned());
    sql.to_owned()
}

/// Twenty thousand people, each with a row in every table of a life.
const MANY: &str = "
    SET session_replication_role = replica;
    CREATE TEMP TABLE many AS
        SELECT n, sha256(n::text::bytea) AS who, substr(sha256(n::text::bytea), 1, 16) AS id, sha256('x') AS x
        FROM generate_series(1000, 20999) n;
    INSERT INTO subject SELECT 'acme', who, n, 0 FROM many;
    INSERT INTO consent SELECT 'acme', who, '\\x010101', 1, 1, x, n, n, NULL, 1 FROM many;
    INSERT INTO served SELECT 'acme', id, who, '\\x010101', x, n, n, NULL FROM many;
    INSERT INTO subject_mark SELECT 'acme', who, 1, n, n FROM many;
    INSERT INTO life_event SELECT 'acme', who, '', 1, n, n FROM many;
    INSERT INTO residence SELECT 'acme', who, 1, n, n FROM many;
    INSERT INTO holding SELECT 'acme', n, 1, who, '\\x010101', 1, n, n, NULL, NULL, NULL, n FROM many;
    INSERT INTO holding SELECT 'acme', n + 100000, 9, who, NULL, 3, n, n, 'rule', n, n, NULL FROM many;
    INSERT INTO record SELECT 'acme', id, n, x, 512, x, 1 + n % 2 FROM many;
    INSERT INTO entry SELECT 'acme', n, x FROM many;
    INSERT INTO public_payload SELECT 'acme', n, x FROM many;
    INSERT INTO payload SELECT 'acme', n, n, id, x, 1 + n % 2 FROM many;
    INSERT INTO document SELECT 'acme', id, n, 1 + n % 4, 0, x, 1 + n % 2, n, n, NULL FROM many;
    INSERT INTO job SELECT 'acme', id, 1, who, x, n, n, 0, NULL, 0, n FROM many;
    ANALYZE";

#[test]
fn no_query_walks_all_that_an_organisation_has() {
    with_store(|database, store| {
        populate(store, &acme(), 1);
        let mut noting = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
        noting.rewrite = Some(noted);
        answers(&noting, &acme(), &acme(), 1);
        let texts = TEXTS.lock().unwrap().clone();
        assert!(texts.len() > 50, "{}", texts.len());

        database.alter(MANY).unwrap();
        let admin = Admin::of(&database.service().unwrap()).unwrap();
        admin.run("SELECT set_config('vouchsafe.organisation', 'acme', false)").unwrap();
        admin.run("SET plan_cache_mode = force_generic_plan").unwrap();
        let mut looked_at = 0;
        for text in &texts {
            if WALKS.iter().any(|walk| text.contains(walk)) || !text.starts_with("SELECT") {
                continue;
            }
            let values = (1..10).filter(|number| text.contains(&format!("?{number}"))).map(|_| "NULL");
            let values = values.collect::<Vec<_>>().join(", ");
            admin.run(&format!("PREPARE asked AS {}", text.replace('?', "$"))).unwrap();
            let plan = admin.look(&format!("EXPLAIN EXECUTE asked({values})")).unwrap();
            admin.run("DEALLOCATE asked").unwrap();
            let steps: Vec<_> = plan.iter().filter_map(|row| row[0].clone()).collect();
            assert!(!steps.iter().any(|step| step.contains("Seq Scan")), "{text}\n{steps:#?}");
            let narrow = |step: &String| step.contains("Index Cond") && step.contains("$2");
            let ordered = steps[0].contains("Limit");
            assert!(ordered || steps.iter().any(narrow), "{text}\n{steps:#?}");
            looked_at += 1;
        }
        assert!(looked_at > 25, "{looked_at}");
    });
}
