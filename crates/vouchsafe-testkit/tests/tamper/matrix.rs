//! Which edits were found by which check.

use std::collections::BTreeMap;

use super::checks::{Alarm, Check};
use super::edit::{Kind, What};

#[derive(Default)]
pub(crate) struct Matrix {
    rows: BTreeMap<(Kind, What), Row>,
    controls: u64,
    false_alarms: Vec<String>,
}

#[derive(Default)]
struct Row {
    edits: u64,
    detected: u64,
    by: BTreeMap<Check, u64>,
    /// Alarms that are errors: no verdict.
    errors: u64,
}

impl Matrix {
    pub(crate) fn add(&mut self, kind: Kind, what: What, alarms: &[Alarm]) {
        let row = self.rows.entry((kind, what)).or_default();
        row.edits += 1;
        row.detected += u64::from(!alarms.is_empty());
        for alarm in alarms {
            *row.by.entry(alarm.check).or_default() += 1;
        }
        row.errors += u64::from(!alarms.is_empty() && alarms.iter().all(|alarm| alarm.is_error));
    }

    /// Takes in what was said of a folder that nobody edited.
    pub(crate) fn control(&mut self, alarms: &[Alarm]) {
        self.controls += 1;
        let says = |alarm: &Alarm| format!("{}: {}", alarm.check.name(), alarm.says);
        self.false_alarms.extend(alarms.iter().map(says));
    }

    pub(crate) fn controls(&self) -> (u64, usize) {
        self.false_alarms.iter().for_each(|alarm| println!("false alarm: {alarm}"));
        (self.controls, self.false_alarms.len())
    }

    pub(crate) fn detected(&self) -> u64 {
        self.rows.values().map(|row| row.detected).sum()
    }

    pub(crate) fn missed(&self) -> Vec<String> {
        let missed = self.rows.iter().filter(|(_, row)| row.detected < row.edits);
        missed.map(|((kind, what), _)| format!("{}: {}", kind.name(), what.name())).collect()
    }

    pub(crate) fn drawn(&self, kind: Kind) -> u64 {
        self.rows.iter().filter(|((own, _), _)| *own == kind).map(|(_, row)| row.edits).sum()
    }

    pub(crate) fn found_by(&self, check: Check) -> u64 {
        self.rows.values().filter_map(|row| row.by.get(&check)).sum()
    }

    pub(crate) fn print(&self) {
        let heads: String = Check::ALL.iter().map(|check| format!("{:>12}", check.name())).collect();
        println!("{:<46}{:>7}{:>9}{heads}{:>12}", "edit", "edits", "detected", "errors only");
        for ((kind, what), row) in &self.rows {
            let cells: String = Check::ALL
                .iter()
                .map(|check| format!("{:>12}", row.by.get(check).copied().unwrap_or_default()))
                .collect();
            let name = format!("{}: {}", kind.name(), what.name());
            println!("{name:<46}{:>7}{:>9}{cells}{:>12}", row.edits, row.detected, row.errors);
        }
    }
}
