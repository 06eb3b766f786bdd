use vouchsafe_retention::{Policy, pack_schema};

/// The schema for editors is the one of this version. `UPDATE_DOCS=1` rewrites it.
#[test]
fn the_schema_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/pack.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, pack_schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), pack_schema(), "run with UPDATE_DOCS=1");
}

/// Whatever table and field a shipped pack uses, the schema knows; what it asks for is there.
#[test]
fn the_shipped_packs_use_what_the_schema_knows() {
    let schema: serde_json::Value = serde_json::from_str(&pack_schema()).unwrap();
    let example = include_str!("../../docs/example-pack.toml");
    for pack in Policy::shipped_packs().into_iter().chain([example]) {
        let pack: toml::Table = toml::from_str(pack).unwrap();
        for (name, value) in &pack {
            let known = &schema["properties"][name];
            assert!(!known.is_null(), "{name}");
            let tables = value.as_array().into_iter().flatten().filter_map(toml::Value::as_table);
            for table in tables {
                for field in table.keys() {
                    assert!(!known["items"]["properties"][field].is_null(), "{name}.{field}");
                }
                for field in known["items"]["required"].as_array().unwrap() {
                    assert!(table.contains_key(field.as_str().unwrap()), "{name} without {field}");
                }
            }
        }
    }
}
