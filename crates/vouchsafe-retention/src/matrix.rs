use std::fmt::Write as _;

use vouchsafe_types::{DataClass, Modality, Role};

use crate::{Policy, Rule};

impl Policy {
    /// The retention matrix in Markdown: a table for each class, one row a rule, then the gaps.
    pub fn matrix(&self) -> String {
        let mut text = String::from("# Retention matrix\n\nGenerated from the packs:\n");
        for source in self.sources() {
            let _ = writeln!(text, "- {source}");
        }
        for class in DataClass::ALL {
            let _ = write!(text, "\n## `{}`\n\n", class.name());
            self.table_of(class, &mut text);
        }
        text.push_str("\n## Gaps\n\n");
        let gaps = self.gaps();
        if gaps.is_empty() {
            text.push_str("None.\n");
        }
        for gap in gaps {
            let _ = writeln!(text, "- {gap}");
        }
        text
    }

    fn table_of(&self, class: DataClass, text: &mut String) {
        let mut rules = self.rules().iter().filter(|rule| rule.class() == class).peekable();
        if rules.peek().is_none() {
            text.push_str("No rule.\n");
            return;
        }
        text.push_str(
            "| whose | trigger | bound | period | clause | rule | says |\n|---|---|---|---|---|---|---|\n",
        );
        for rule in rules {
            text.push_str(&row_of(rule));
        }
    }
}

fn row_of(rule: &Rule) -> String {
    let whose = [rule.modality().map(Modality::name), rule.role().map(Role::name)];
    let whose: Vec<_> = whose.into_iter().flatten().map(|name| name.replace('_', " ")).collect();
    let whose = if whose.is_empty() { "any".to_owned() } else { whose.join(", ") };
    let period = match (rule.period(), rule.bounds()) {
        (None, _) => "**not stated**".to_owned(),
        (Some(period), None) => period.to_string(),
        (Some(period), Some((least, most))) => format!("{period} (from {least} to {most})"),
    };
    let state = if rule.is_enabled() { "" } else { " (disabled: source not confirmed)" };
    let trigger = rule.trigger().name().replace('_', " ");
    let (kind, clause, id, says) = (rule.kind().name(), rule.clause(), rule.id(), rule.says());
    format!("| {whose} | {trigger} | {kind} | {period} | {clause} | `{id}`{state} | {says} |\n")
}
