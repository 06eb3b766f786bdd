//! Stored and exchanged forms. They change only with a new version beside the old one.

/// Policy packs, format 1.
pub(crate) mod pack_v1 {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use toml::Spanned;

    /// Every field of a table is a string.
    pub(crate) type Fields = BTreeMap<String, String>;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct PackV1 {
        pub(crate) format: u32,
        pub(crate) id: String,
        pub(crate) version: String,
        pub(crate) title: String,
        pub(crate) kind: Option<Spanned<String>>,
        #[serde(default)]
        pub(crate) rule: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) setting: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) adopt: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) honour: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) note: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) age: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) clock: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) export: Vec<Spanned<Fields>>,
        #[serde(default)]
        pub(crate) recipient: Vec<Spanned<Fields>>,
        pub(crate) organisation: Option<Spanned<Fields>>,
        pub(crate) approval: Option<Spanned<Fields>>,
        pub(crate) breaker: Option<Spanned<Fields>>,
        pub(crate) aggregate: Option<Spanned<Fields>>,
    }
}

/// Plans, version 2.
pub(crate) mod plan_v2 {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct PlanV2 {
        pub(crate) version: u32,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub(crate) log: Option<String>,
        pub(crate) policy: String,
        pub(crate) made_at: String,
        pub(crate) considered: u64,
        pub(crate) approvals: u8,
        /// Repeated from the items, for whoever reviews the file.
        pub(crate) counts: BTreeMap<String, u64>,
        pub(crate) earliest: Option<String>,
        pub(crate) latest: Option<String>,
        pub(crate) samples: BTreeMap<String, String>,
        pub(crate) items: Vec<ItemV2>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct ItemV2 {
        pub(crate) id: String,
        pub(crate) class: String,
        pub(crate) rule: String,
        pub(crate) due: String,
    }
}
