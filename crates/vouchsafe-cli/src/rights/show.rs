//! How a request stands.

use std::io::Write;

use vouchsafe::Timestamp;
use vouchsafe::retention::rights::{KeepReason, RightsRequest, Task, TaskStatus};

use crate::CliError;

pub(crate) fn show(out: &mut dyn Write, request: &RightsRequest, now: Timestamp) -> Result<(), CliError> {
    writeln!(out, "request      {}", request.id())?;
    writeln!(out, "asks to      {}", request.kind())?;
    writeln!(out, "status       {}", request.status())?;
    let places: Vec<_> = request.places().iter().map(|place| place.name()).collect();
    writeln!(
        out,
        "lives in     {}",
        if places.is_empty() { "unknown".to_owned() } else { places.join(", ") }
    )?;
    writeln!(out, "received     {}", request.received_at())?;
    if request.closed_at().is_none() {
        deadlines(out, request, now)?;
    }
    for step in request.steps() {
        let proof = step.proof().map(|proof| format!(", {}", proof.name()));
        let ground = step.ground().map(|ground| format!(", {ground} ({})", ground.clause()));
        let reason = step.reason().map(|reason| format!(", {}", reason.name()));
        let detail = proof.or(ground).or(reason).unwrap_or_default();
        writeln!(out, "step         {} {}{detail}", step.at(), step.event())?;
    }
    for (class, place, task) in request.tasks() {
        writeln!(out, "task         {} in {place}: {}", class.name(), answer(task))?;
    }
    Ok(())
}

fn deadlines(out: &mut dyn Write, request: &RightsRequest, now: Timestamp) -> Result<(), CliError> {
    let deadlines = request.deadlines(now);
    if let Some(at) = deadlines.confirm_by() {
        writeln!(out, "confirm by   {at}")?;
    }
    let clock = deadlines.decided_by().map(|clock| format!(", by {clock}")).unwrap_or_default();
    let paused = if deadlines.is_paused() { ", and stands still" } else { "" };
    writeln!(out, "answer by    {}{clock}{paused}", deadlines.answer_by())?;
    if let Some(at) = deadlines.extended_by() {
        writeln!(out, "extended by  {at} at the latest")?;
    }
    Ok(())
}

fn answer(task: &Task) -> String {
    match task.status() {
        TaskStatus::Done { entry } => format!("done, entry {entry}"),
        TaskStatus::KeptBecause(KeepReason::Hold(hold)) => format!("kept by hold {hold}"),
        TaskStatus::KeptBecause(KeepReason::Rule(rule)) => format!("kept by rule {rule}"),
        TaskStatus::Refused(ground) => format!("refused, {ground} ({})", ground.clause()),
        status => status.name().to_owned(),
    }
}
