//! Claims of the README, measured again. A topic is a table of claims; a new capability adds its topic to [`TOPICS`].

mod benches;
mod claim;
mod fresh_clone;
mod keys;
mod ledger;
mod lines;
mod main_job;
mod python;
mod reference;
mod retention;
mod store;

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use crate::{Result, process::Said, workspace::Workspace};
use claim::{Claim, Method, Row, judged};

/// Every topic.
const TOPICS: [Topic; 5] = [
    Topic { name: "main-job", claims: main_job::claims },
    Topic { name: "keys", claims: keys::claims },
    Topic { name: "ledger", claims: ledger::claims },
    Topic { name: "retention", claims: retention::claims },
    Topic { name: "store", claims: store::claims },
];

struct Topic {
    name: &'static str,
    claims: fn() -> Vec<Claim>,
}

/// How much time a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Depth {
    /// Everything, the default.
    Full,
    /// Within ten minutes.
    Quick,
}

/// What is kept of a run, for whoever recomputes it.
#[derive(Serialize)]
struct Record {
    topic: &'static str,
    depth: Depth,
    commit: String,
    unix_seconds: u64,
    claims: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    claim: &'static str,
    command: String,
    succeeded: bool,
    seconds: f64,
    figures: Vec<Row>,
    stdout: String,
    stderr: String,
}

/// Prints the topics.
pub(crate) fn list() -> Result<bool> {
    for topic in &TOPICS {
        println!("{}", topic.name);
    }
    Ok(true)
}

/// Measures the claims of `topic`, prints and keeps the figures, and tells whether every bar is met.
pub(crate) fn run(workspace: &Workspace, topic: &str, depth: Depth) -> Result<bool> {
    let topic =
        TOPICS.iter().find(|known| known.name == topic).ok_or(format!("there is no topic `{topic}`"))?;
    let mut record = Record {
        topic: topic.name,
        depth,
        commit: workspace.commit()?,
        unix_seconds: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
        claims: Vec::new(),
    };
    println!("claim | bar | measured | verdict");
    for claim in (topic.claims)() {
        let method = if depth == Depth::Quick { claim.quick.unwrap_or(claim.full) } else { claim.full };
        if let Method::Skip(reason) = method {
            println!("{} | - | not measured: {reason} | skipped", claim.says);
            continue;
        }
        record.claims.push(measure(workspace, &claim, method));
    }
    let file = keep(workspace, &record)?;
    let short = record.claims.iter().flat_map(|claim| &claim.figures).filter(|row| !row.pass).count();
    println!("topic={} commit={} short={short} json={file}", topic.name, record.commit);
    Ok(short == 0)
}

/// Runs one claim's command and prints its rows.
fn measure(workspace: &Workspace, claim: &Claim, method: Method) -> Measured {
    let said = method.run(workspace).unwrap_or_else(|error| Said {
        command: claim.says.to_owned(),
        ok: false,
        seconds: 0.0,
        stdout: String::new(),
        stderr: error.to_string(),
    });
    let figures = judged(claim.bars, &said);
    for row in &figures {
        println!("{} | {row}", claim.says);
    }
    if !said.ok {
        eprintln!("`{}` failed\n{}", said.command, said.tail());
    }
    Measured {
        claim: claim.says,
        command: said.command,
        succeeded: said.ok,
        seconds: said.seconds,
        figures,
        stdout: said.stdout,
        stderr: said.stderr,
    }
}

fn keep(workspace: &Workspace, record: &Record) -> Result<String> {
    let folder = workspace.target().join("evidence");
    fs::create_dir_all(&folder)?;
    let depth = if record.depth == Depth::Quick { "-quick" } else { "" };
    let name = format!("{}-{}{depth}.json", record.topic, record.commit);
    fs::write(folder.join(&name), serde_json::to_vec_pretty(record)?)?;
    Ok(format!("target/evidence/{name}"))
}
