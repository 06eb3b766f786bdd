use std::collections::BTreeSet;

use vouchsafe_types::DataClass;

use super::*;
use crate::sql::texts::{REFERENCES, tables};
use crate::{INVENTORY, inventory_table};

/// Promise: FP-2a-minimal
#[test]
fn the_inventory_lists_exactly_the_stored_columns() {
    let (_dir, store) = store();
    let connection = store.connection();
    let mut statement = connection
        .prepare(
            "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c \
             WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%'",
        )
        .unwrap();
    let pairs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let stored: BTreeSet<(String, String)> = pairs.map(Result::unwrap).collect();
    let listed: BTreeSet<_> = INVENTORY.iter().map(|c| (c.table.to_owned(), c.name.to_owned())).collect();
    assert_eq!(listed.len(), INVENTORY.len(), "a column is listed twice");
    assert_eq!(stored, listed);
    assert!(INVENTORY.iter().all(|c| !c.purpose.is_empty()));
}

#[test]
fn a_class_is_that_of_the_column_or_of_its_holding_never_both() {
    assert!(INVENTORY.iter().all(|column| !column.holding || column.class.is_none()));
    let sealed = |table: &str| INVENTORY.iter().find(|c| c.table == table && c.name == "sealed").unwrap();
    assert_eq!((sealed("record").class, sealed("record").holding), (Some(DataClass::Biometric), false));
    for table in ["payload", "document"] {
        assert_eq!((sealed(table).class, sealed(table).holding), (None, true));
    }
    let people = INVENTORY.iter().filter(|column| ["subject", "pseudonym"].contains(&column.name));
    assert!(people.clone().all(|column| column.class.is_some()), "a pseudonym is personal data");
    assert_eq!(people.count(), 9);
}

#[test]
fn the_table_has_a_row_for_each_column_and_a_cell_for_each_heading() {
    let table = inventory_table(&["rule", "region"], |column| match column.name {
        "sealed" => vec!["a|b\nc".to_owned(), "us".to_owned(), "never shown".to_owned()],
        _ => vec![],
    });
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), INVENTORY.len() + 2);
    assert_eq!(lines[0], "| table | column | class | purpose | rule | region |");
    assert_eq!(lines[1], "| --- | --- | --- | --- | --- | --- |");
    assert!(
        lines.contains(&"| record | sealed | biometric | the sealed protected template | a\\|b c | us |")
    );
    assert!(
        lines.contains(&"| payload | sealed | that of its holding | the sealed payload | a\\|b c | us |")
    );
    assert!(lines.contains(&"| organisation | id | none | the tenant |  |  |"));
    assert!(!table.contains("never shown"));
}

#[test]
fn the_references_are_those_of_the_schema_and_never_null() {
    let (_dir, store) = store();
    let connection = store.connection();
    let sql = "SELECT f.\"table\", group_concat(f.\"from\" || '=' || f.\"to\" || iif(c.\"notnull\", '', '?')) \
               FROM (SELECT * FROM pragma_foreign_key_list(?1) ORDER BY id, seq) f \
               JOIN pragma_table_info(?1) c ON c.name = f.\"from\" GROUP BY f.id";
    let mut declared = BTreeSet::new();
    for table in tables() {
        let mut statement = connection.prepare(sql).unwrap();
        let found = statement.query_map([table], |row| Ok((table.to_owned(), row.get(0)?, row.get(1)?)));
        declared.extend(found.unwrap().map(Result::unwrap));
    }
    let listed = REFERENCES.iter().map(|(table, parent, pairs)| {
        let pairs: Vec<_> = pairs.iter().map(|(from, to)| format!("{from}={to}")).collect();
        ((*table).to_owned(), (*parent).to_owned(), pairs.join(","))
    });
    assert_eq!(declared, listed.collect());
}
