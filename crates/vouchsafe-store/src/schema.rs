//! The logical schema in the documentation is the one that is stored.

use std::fmt::Write;

use crate::INVENTORY;
use crate::sql::texts::REFERENCES;

/// Each table with its columns, and below it what it refers to by which of them.
fn drawn() -> String {
    let mut text = String::new();
    let mut tables: Vec<_> = INVENTORY.iter().map(|column| column.table).collect();
    tables.dedup();
    for table in tables {
        let columns = INVENTORY.iter().filter(|column| column.table == table).map(|column| column.name);
        let (mut first, others): (Vec<_>, Vec<_>) = columns.partition(|name| *name == "organisation");
        first.extend(others);
        writeln!(text, "{table}").unwrap();
        let mut line = String::from("   ");
        for name in first {
            if line.len() + name.len() > 96 {
                writeln!(text, "{line}").unwrap();
                line = String::from("   ");
            }
            write!(line, " {name}").unwrap();
        }
        writeln!(text, "{line}").unwrap();
        for (_, parent, pairs) in REFERENCES.iter().filter(|(of, ..)| *of == table) {
            let by: Vec<_> = pairs.iter().map(|(from, _)| *from).collect();
            writeln!(text, "    ─▶ {parent} by {}", by.join(", ")).unwrap();
        }
    }
    text
}

#[test]
fn the_documented_schema_is_that_of_the_inventory_and_its_references() {
    let page = include_str!("schema.md");
    let (_, block) = page.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert_eq!(block, drawn(), "the block of src/schema.md has to be:\n{}", drawn());
}
