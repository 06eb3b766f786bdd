//! Every stored column, with its class and purpose, the rules that govern it, and where it lies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use vouchsafe_retention::{Policy, Rule};
use vouchsafe_store::{Column, INVENTORY, inventory_table};
use vouchsafe_types::DataClass;

use crate::Residence;

/// The data inventory under one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DataInventory {
    markdown: String,
    ungoverned: Vec<DataClass>,
}

impl DataInventory {
    /// The inventory of this version's store under a policy.
    ///
    /// A column under a holding of any class is governed by the rules of that class, so every class has to have them.
    pub fn of(policy: &Policy) -> Self {
        Self::of_places(policy, &Residence::default())
    }

    /// As [`Self::of`], with where database, log and key states lie.
    pub fn of_places(policy: &Policy, residence: &Residence) -> Self {
        let region = policy.profile().map_or("not stated", |profile| profile.store_region().as_str());
        let lies = residence.database.as_ref().map_or(region, |place| place.region().as_str());
        let cells = |column: &Column| vec![rules_of(policy, column), lies.to_owned()];
        let mut markdown = String::from(HEAD);
        let _ =
            writeln!(markdown, "Region of the store: {region}.\n\nDeclared:\n\n{}", residence.to_markdown());
        markdown.push_str("Under:\n\n");
        for source in policy.sources() {
            let _ = writeln!(markdown, "- {source}");
        }
        markdown.push_str("\n## Columns\n\n");
        markdown.push_str(&inventory_table(&["rules", "region"], cells));
        markdown.push_str("\n## Rules\n\n| class | rules, with their periods |\n| --- | --- |\n");
        for class in stored() {
            let _ = writeln!(markdown, "| {} | {} |", class.name(), told(policy, class));
        }
        let gaps: BTreeSet<u8> = policy.gaps().iter().map(|gap| gap.class().code()).collect();
        let ungoverned: Vec<DataClass> =
            stored().into_iter().filter(|class| gaps.contains(&class.code())).collect();
        let names: Vec<_> = ungoverned.iter().map(|class| class.name()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let _ = writeln!(markdown, "\nWithout a stated end: {names}.");
        Self { markdown, ungoverned }
    }

    /// As a page of Markdown.
    pub fn to_markdown(&self) -> &str {
        &self.markdown
    }

    /// Classes that the store may hold and for which the policy states no end, or none in full.
    pub fn ungoverned(&self) -> &[DataClass] {
        &self.ungoverned
    }
}

/// The classes that a row can be of: those of its column, or any for what lies under a holding.
fn stored() -> Vec<DataClass> {
    let of_class = |class| INVENTORY.iter().any(|column| column.holding || column.class == Some(class));
    DataClass::ALL.into_iter().filter(|class| of_class(*class)).collect()
}

fn enabled(policy: &Policy, class: DataClass) -> impl Iterator<Item = &Rule> {
    policy.rules().iter().filter(move |rule| rule.class() == class && rule.is_enabled())
}

fn rules_of(policy: &Policy, column: &Column) -> String {
    let ids = |class| enabled(policy, class).map(Rule::id).collect::<Vec<_>>().join(", ");
    match (column.holding, column.class) {
        (true, _) => "those of the class".to_owned(),
        (false, Some(class)) => ids(class),
        (false, None) => "none: about no person".to_owned(),
    }
}

fn told(policy: &Policy, class: DataClass) -> String {
    let rules = enabled(policy, class).map(|rule| {
        let period = rule.period().map_or_else(|| "not stated".to_owned(), |period| period.to_string());
        format!("`{}`: {} {period} from {}", rule.id(), rule.kind().name(), rule.trigger().name())
    });
    let rules: Vec<_> = rules.collect();
    if rules.is_empty() { "**none**".to_owned() } else { rules.join("; ") }
}

const HEAD: &str = "# Data inventory\n\n\
    Generated from the row types of the store and the policy packs. A field without a line does not compile; a column \
    of the schema that is missing here fails a test. A class without a stated end is named at the end; nothing of it is kept.\n\n";
