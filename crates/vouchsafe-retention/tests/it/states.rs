//! The page about the states of a request is the table of transitions.

use std::fmt::Write as _;

use vouchsafe_retention::rights::{
    RefusalGround, RequestEvent, RequestKind, RequestStatus, TRANSITIONS, next,
};
use vouchsafe_types::DataClass;

const INTRO: &str = "The states of a request by right, generated from `TRANSITIONS`.\n\n\
    A request is received, and ends answered, refused or abandoned.\n\
    An event that has a dash is refused with a typed error and changes nothing.\n\
    Receipt is confirmed once, in any open state; that changes the state only of somebody who is verified.\n\
    Nothing is handed out or changed before the person is verified.\n\n";

fn page() -> String {
    let mut text = format!("{INTRO}# Table\n\n| from |");
    for event in RequestEvent::ALL {
        let _ = write!(text, " {event} |");
    }
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(RequestEvent::ALL.len()));
    for from in RequestStatus::ALL.into_iter().filter(|status| !status.is_closed()) {
        let to = RequestEvent::ALL.map(|event| next(from, event).map_or("-", RequestStatus::name));
        let _ = writeln!(text, "| {from} | {} |", to.join(" | "));
    }
    text.push_str("\n# Diagram\n\n```mermaid\nstateDiagram-v2\n    [*] --> received\n");
    for row in TRANSITIONS.iter().filter(|row| row.from != row.to) {
        let _ = writeln!(text, "    {} --> {}: {}", row.from, row.to, row.event);
    }
    for closed in RequestStatus::ALL.into_iter().filter(|status| status.is_closed()) {
        let _ = writeln!(text, "    {closed} --> [*]");
    }
    text.push_str("```\n\n# Kinds\n\n| kind | identity | classes that owe an answer | grounds to refuse |\n|---|---|---|---|\n");
    for kind in RequestKind::ALL {
        let identity = if kind.needs_identity() { "proved" } else { "the person's session" };
        let classes: Vec<_> = DataClass::ALL.into_iter().filter(|class| kind.concerns(*class)).collect();
        let classes = match classes.len() {
            0 => "none".to_owned(),
            n if n == DataClass::ALL.len() => "every".to_owned(),
            _ => classes.iter().map(|class| class.name()).collect::<Vec<_>>().join(", "),
        };
        let grounds = RefusalGround::ALL.into_iter().filter(|ground| ground.applies_to(kind));
        let grounds: Vec<_> = grounds.map(RefusalGround::name).collect();
        let _ = writeln!(text, "| {kind} | {identity} | {classes} | {} |", grounds.join(", "));
    }
    text
}

/// `UPDATE_DOCS=1` rewrites the page.
#[test]
fn the_documented_states_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/request-states.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), page(), "run with UPDATE_DOCS=1");
}
