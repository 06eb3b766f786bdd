use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde::Serialize;
use vouchsafe::KeyStatus;
use vouchsafe::envelope::CachePolicy;

use super::strength::Declared;
use crate::folder::{Opened, Place};
use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let figures = Figures::of(&opened, &opened.organisation()?.key_status()?);
        if self.json { files::print_json(out, &figures) } else { figures.print(out) }
    }
}

#[derive(Serialize)]
struct Figures {
    organisation: String,
    generation: u64,
    revision: u64,
    held: Vec<u64>,
    data_keys: Vec<DataKey>,
    nodes: usize,
    shards: usize,
    pending: usize,
    destroyed: usize,
    honey: usize,
    locked: bool,
    #[serde(flatten)]
    declared: Declared,
    cache_seconds: u64,
    cache_recheck_ms: u64,
}

/// A data key, and what it seals.
#[derive(Serialize)]
pub(super) struct DataKey {
    pub(super) version: u32,
    /// In hex; `None` for a key that is no more, which leaves what it sealed unreadable.
    pub(super) fingerprint: Option<String>,
    templates: u64,
    payloads: u64,
}

impl Figures {
    fn of(opened: &Opened, status: &KeyStatus) -> Self {
        let keys = &status.keys;
        let CachePolicy { recheck, .. } = opened.cache();
        Self {
            organisation: opened.id().as_str().to_owned(),
            generation: keys.generation,
            revision: keys.revision,
            held: keys.held.clone(),
            data_keys: data_keys(status),
            nodes: keys.nodes,
            shards: keys.shards,
            pending: keys.pending,
            destroyed: keys.destroyed,
            honey: keys.honey,
            locked: keys.locked,
            declared: Declared::of(&*opened.keys()),
            cache_seconds: opened.cache().effective_ttl().as_secs(),
            cache_recheck_ms: u64::try_from(recheck.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn print(&self, out: &mut dyn Write) -> Result<(), CliError> {
        writeln!(out, "organisation={}", self.organisation)?;
        writeln!(out, "generation={}", self.generation)?;
        writeln!(out, "revision={}", self.revision)?;
        writeln!(out, "held={}", list(&self.held))?;
        self.data_keys.iter().try_for_each(|key| key.print(out, "data_key"))?;
        writeln!(out, "nodes={}", self.nodes)?;
        writeln!(out, "shards={}", self.shards)?;
        writeln!(out, "pending={}", self.pending)?;
        writeln!(out, "destroyed={}", self.destroyed)?;
        writeln!(out, "honey={}", self.honey)?;
        writeln!(out, "locked={}", self.locked)?;
        self.declared.print(out)?;
        writeln!(out, "cache_seconds={}", self.cache_seconds)?;
        writeln!(out, "cache_recheck_ms={}", self.cache_recheck_ms)?;
        writeln!(
            out,
            "note=each process keeps an unsealed key state for at most {} s; this one is about to end",
            self.cache_seconds
        )?;
        Ok(())
    }
}

impl DataKey {
    pub(super) fn print(&self, out: &mut dyn Write, name: &str) -> Result<(), CliError> {
        let Self { version, fingerprint, templates, payloads } = self;
        let fingerprint = fingerprint.as_deref().unwrap_or("retired");
        writeln!(
            out,
            "{name}={version} fingerprint={fingerprint} templates={templates} payloads={payloads}"
        )?;
        Ok(())
    }
}

/// The data keys that are there or that something is sealed under, ascending.
pub(super) fn data_keys(status: &KeyStatus) -> Vec<DataKey> {
    let fresh = |version, fingerprint| DataKey { version, fingerprint, templates: 0, payloads: 0 };
    let mut keys: BTreeMap<u32, DataKey> = BTreeMap::new();
    for (version, fingerprint) in &status.keys.data_keys {
        let hex = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        keys.insert(*version, fresh(*version, Some(hex)));
    }
    for usage in &status.usage {
        let key = keys.entry(usage.key_version).or_insert_with(|| fresh(usage.key_version, None));
        (key.templates, key.payloads) = (usage.records, usage.payloads);
    }
    keys.into_values().collect()
}

/// Numbers with commas between them.
pub(super) fn list(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}
