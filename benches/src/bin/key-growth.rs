//! How an organisation's key state grows with its erasures, and what that costs.
//!
//! Of a million allocated leaves a batch is destroyed, drawn at random or in order; then some more, one by one. The
//! ports lie in memory, so that the figures are those of the protocol and no disk's. Prints one line a case, writes
//! JSON, CSV and two plots below the target folder, and with `--docs` the plots into the envelope's docs.
#![expect(clippy::print_stdout, reason = "a program that measures speaks on standard output")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::{env, fs};

use serde::Serialize;
use vouchsafe_benches::figures::{Draws, Result, evidence, float, root, spread, thread_nanoseconds};
use vouchsafe_benches::memory::Memory;
use vouchsafe_benches::plot::{self, Line, Plot};
use vouchsafe_envelope::{KeyRing, OrganisationState, test_util};
use vouchsafe_keys::OsEntropy;
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, VirtualTicks};

const ALLOCATED: u64 = 1_000_000;
const ERASURES: [u64; 5] = [0, 100, 1_000, 10_000, 100_000];
const CLASS: DataClass = DataClass::Biometric;

/// How many times each thing is done.
struct Effort {
    /// The batch, each time on a fresh state.
    batches: u64,
    /// Single erasures after the batch.
    singles: u64,
    /// Unseals.
    loads: u64,
    /// Single erasures from none on, whose journal is then read.
    one_by_one: &'static [u64],
}

const FULL: Effort =
    Effort { batches: 7, singles: 101, loads: 31, one_by_one: &[100, 1_000, 10_000, 100_000] };
const QUICK: Effort = Effort { batches: 3, singles: 21, loads: 7, one_by_one: &[100, 1_000, 10_000] };

/// Which leaves are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    InOrder,
    Random,
}

impl Order {
    const fn name(self) -> &'static str {
        match self {
            Self::InOrder => "in_order",
            Self::Random => "random",
        }
    }
}

/// One case. Bytes as they are stored, sealed; times are medians of processor time in nanoseconds.
#[derive(Debug, Serialize)]
struct Row {
    order: Order,
    erasures: u64,
    nodes: usize,
    shards: usize,
    state_bytes: u64,
    write_bytes: f64,
    write_bytes_most: f64,
    batch_ns: f64,
    erase_ns: f64,
    puncture_ns: f64,
    derive_ns: f64,
    load_ns: f64,
}

/// Erasures from none on, in order, one by one: what remains in the journal.
#[derive(Debug, Serialize)]
struct OneByOne {
    erasures: u64,
    erase_ns: f64,
    load_ns: f64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let effort = if given("--quick") { QUICK } else { FULL };
    let mut rows = Vec::new();
    for order in [Order::Random, Order::InOrder] {
        for erasures in ERASURES {
            let row = measure(order, erasures, &effort)?;
            println!("{row}");
            rows.push(row);
        }
    }
    let mut one_by_one = Vec::new();
    for erasures in effort.one_by_one {
        let row = one_after_another(*erasures, &effort)?;
        println!("{row}");
        one_by_one.push(row);
    }
    keep(&rows, &one_by_one, given("--docs"))?;
    println!("{}", summary(&rows, &one_by_one));
    Ok(())
}

fn acme() -> Result<OrganisationId> {
    Ok(OrganisationId::parse("acme")?)
}

fn index(number: u64) -> Result<LeafIndex> {
    Ok(LeafIndex::new(u64::from(CLASS.code()) << 40 | number)?)
}

/// The leaves to erase: a batch, the further ones, and some that live.
struct Leaves {
    batch: Vec<LeafIndex>,
    singles: Vec<LeafIndex>,
    live: Vec<LeafIndex>,
}

impl Leaves {
    fn drawn(order: Order, erasures: u64, effort: &Effort) -> Result<Self> {
        let mut draws = Draws::new(erasures + 1);
        let mut taken: HashSet<u64> = HashSet::new();
        let mut draw = |order, number| loop {
            let drawn = if order == Order::Random { draws.below(ALLOCATED) } else { number };
            if taken.insert(drawn) {
                return index(drawn);
            }
        };
        let batch = (0..erasures).map(|number| draw(order, number)).collect::<Result<_>>()?;
        // So few that the state stays what the batch left.
        let further = erasures..erasures + effort.singles.min((erasures / 5).max(11));
        let singles = further.map(|number| draw(order, number)).collect::<Result<_>>()?;
        let live = (0..2_000).map(|_| draw(Order::Random, 0)).collect::<Result<_>>()?;
        Ok(Self { batch, singles, live })
    }
}

/// Processor time: nothing here waits, and the machine may be busy.
fn nanoseconds<R>(act: impl FnOnce() -> R) -> (f64, R) {
    let began = thread_nanoseconds();
    let done = black_box(act());
    (thread_nanoseconds() - began, done)
}

/// A ring over a million leaves of which nothing is erased.
fn fresh(acme: &OrganisationId) -> Result<(Memory, KeyRing)> {
    let memory = Memory::default();
    let ring = KeyRing::new(memory.ports(Arc::new(VirtualTicks::default())));
    ring.provision(acme)?;
    ring.allocate_many(acme, CLASS, ALLOCATED)?;
    Ok((memory, ring))
}

/// Destroys the batch on fresh states; gives the last one and the time.
fn erase_batch(acme: &OrganisationId, batch: &[LeafIndex], times: u64) -> Result<(Memory, KeyRing, f64)> {
    let mut last = fresh(acme)?;
    let mut spent = Vec::new();
    while !batch.is_empty() {
        let (time, report) = nanoseconds(|| last.1.destroy(acme, batch));
        let _ = report?;
        spent.push(time);
        if float(spent.len()) >= float(times) {
            break;
        }
        last = fresh(acme)?;
    }
    Ok((last.0, last.1, spread(spent).median))
}

fn measure(order: Order, erasures: u64, effort: &Effort) -> Result<Row> {
    let acme = acme()?;
    let leaves = Leaves::drawn(order, erasures, effort)?;
    let (memory, ring, batch_ns) = erase_batch(&acme, &leaves.batch, effort.batches)?;
    let (nodes, shards) = ring.with_state(&acme, |state| (state.node_count(), state.shard_count()))?;
    let stored = memory.states.size(&acme);
    let load_ns = load(&ring, &acme, effort.loads)?;
    let derive_ns = ring.with_state(&acme, |state| derive(state, &leaves.live))??;

    let (mut erased, mut written) = (Vec::new(), Vec::new());
    for leaf in &leaves.singles {
        let before = memory.states.written();
        let (spent, report) = nanoseconds(|| ring.destroy(&acme, &[*leaf]));
        let _ = report?;
        let after = memory.states.written();
        erased.push(spent);
        written.push(float(after.head - before.head + after.shards - before.shards));
    }
    Ok(Row {
        order,
        erasures,
        nodes,
        shards,
        state_bytes: stored.head + stored.shards,
        write_bytes_most: written.iter().copied().fold(0.0, f64::max),
        write_bytes: spread(written).median,
        batch_ns,
        erase_ns: spread(erased).median,
        puncture_ns: puncture(&leaves)?,
        derive_ns,
        load_ns,
    })
}

/// Unsealing, shards and journal included.
fn load(ring: &KeyRing, organisation: &OrganisationId, times: u64) -> Result<f64> {
    let mut spent = Vec::new();
    for _ in 0..times {
        ring.wipe();
        let (time, revision) = nanoseconds(|| ring.with_state(organisation, OrganisationState::revision));
        revision?;
        spent.push(time);
    }
    Ok(spread(spent).median)
}

/// The record keys of living leaves, 20 at a time.
fn derive(state: &OrganisationState, live: &[LeafIndex]) -> Result<f64> {
    let mut spent = Vec::new();
    for some in live.chunks(20) {
        let (time, keys) = nanoseconds(|| {
            some.iter().try_for_each(|leaf| test_util::leaf_record_key(state, *leaf, 1).map(drop))
        });
        keys?;
        spent.push(time / float(some.len()));
    }
    Ok(spread(spent).median)
}

/// The puncture alone, in memory, without sealing.
fn puncture(leaves: &Leaves) -> Result<f64> {
    let mut state = test_util::state(&OsEntropy::new(), CLASS, ALLOCATED)?;
    test_util::puncture(&mut state, &leaves.batch)?;
    let mut spent = Vec::new();
    for leaf in &leaves.singles {
        let (time, punctured) = nanoseconds(|| test_util::puncture(&mut state, &[*leaf]));
        punctured?;
        spent.push(time);
    }
    Ok(spread(spent).median)
}

/// Erases in order, one leaf a destruction, and unseals what results.
fn one_after_another(erasures: u64, effort: &Effort) -> Result<OneByOne> {
    let acme = acme()?;
    let (_, ring) = fresh(&acme)?;
    let mut spent = Vec::new();
    for number in 0..erasures {
        let leaf = [index(number)?];
        let (time, report) = nanoseconds(|| ring.destroy(&acme, &leaf));
        let _ = report?;
        spent.push(time);
    }
    let last = spent.split_off(spent.len().saturating_sub(101));
    let loads = if erasures > 10_000 { 1 } else { effort.loads.min(5) };
    Ok(OneByOne { erasures, erase_ns: spread(last).median, load_ns: load(&ring, &acme, loads)? })
}

fn keep(rows: &[Row], one_by_one: &[OneByOne], docs: bool) -> Result<()> {
    let folder = evidence()?;
    let json = serde_json::json!({ "allocated": ALLOCATED, "rows": rows, "one_by_one": one_by_one });
    fs::write(folder.join("growth.json"), serde_json::to_vec_pretty(&json)?)?;
    fs::write(folder.join("growth.csv"), csv(rows)?)?;
    sizes(rows).draw(&folder.join("growth-size.svg"))?;
    times(rows).draw(&folder.join("growth-time.svg"))?;
    if docs {
        for name in ["growth-size.svg", "growth-time.svg"] {
            let place = root()?.join("crates/vouchsafe-envelope/docs").join(name);
            fs::copy(folder.join(name), place)?;
        }
    }
    Ok(())
}

fn csv(rows: &[Row]) -> Result<String> {
    let mut text = "order,erasures,nodes,shards,state_bytes,write_bytes,write_bytes_most,batch_ns,erase_ns,\
                    puncture_ns,derive_ns,load_ns\n"
        .to_owned();
    for row in rows {
        write!(text, "{},{},{},{},", row.order.name(), row.erasures, row.nodes, row.shards)?;
        write!(text, "{},{:.0},{:.0},", row.state_bytes, row.write_bytes, row.write_bytes_most)?;
        write!(text, "{:.0},{:.0},{:.0},", row.batch_ns, row.erase_ns, row.puncture_ns)?;
        writeln!(text, "{:.0},{:.0}", row.derive_ns, row.load_ns)?;
    }
    Ok(text)
}

const AXIS: &str = "leaves erased (full colour: drawn at random; pale with rings: in order)";

/// One line for each order.
fn lines(rows: &[Row], kind: usize, name: &'static str, value: fn(&Row) -> f64) -> [Line; 2] {
    [Order::Random, Order::InOrder].map(|order| {
        let kept = rows.iter().filter(|row| row.order == order && row.erasures > 0);
        let pale = order == Order::InOrder;
        Line {
            name: (!pale).then_some(name),
            style: (kind, pale),
            points: kept.map(|row| (float(row.erasures), value(row))).collect(),
        }
    })
}

fn sizes(rows: &[Row]) -> Plot<'static> {
    let mut all = Vec::from(lines(rows, 0, "stored state", |row| float(row.state_bytes)));
    all.extend(lines(rows, 1, "written by one further erasure", |row| row.write_bytes));
    Plot {
        title: "Key state of an organisation with a million leaves",
        x: AXIS,
        y: "bytes, sealed",
        y_label: plot::bytes,
        lines: all,
    }
}

fn times(rows: &[Row]) -> Plot<'static> {
    let mut all = Vec::from(lines(rows, 0, "one further erasure", |row| row.erase_ns));
    all.extend(lines(rows, 1, "all of them in one batch", |row| row.batch_ns));
    all.extend(lines(rows, 2, "unsealing the state", |row| row.load_ns));
    all.extend(lines(rows, 3, "deriving one leaf's key", |row| row.derive_ns));
    Plot {
        title: "Erasures of a million leaves, ports in memory",
        x: AXIS,
        y: "processor time, median",
        y_label: plot::duration,
        lines: all,
    }
}

/// The figures that a claim looks at.
fn summary(rows: &[Row], one_by_one: &[OneByOne]) -> String {
    let of = |order: Order| rows.iter().rfind(|row| row.order == order);
    let mut text = format!("allocated={ALLOCATED} cases={}", rows.len());
    for row in [of(Order::Random), of(Order::InOrder)].into_iter().flatten() {
        let name = row.order.name();
        let _ = write!(text, " {name}_erasures={} {name}_state_bytes={}", row.erasures, row.state_bytes);
        let _ = write!(text, " {name}_write_bytes={:.0} {name}_nodes={}", row.write_bytes_most, row.nodes);
        let _ = write!(
            text,
            " {name}_erase_ms={:.3} {name}_load_ms={:.3}",
            row.erase_ns / 1e6,
            row.load_ns / 1e6
        );
        let _ = write!(
            text,
            " {name}_batch_ms={:.1} {name}_derive_us={:.2}",
            row.batch_ns / 1e6,
            row.derive_ns / 1e3
        );
    }
    let derived = rows.iter().map(|row| row.derive_ns).fold(0.0, f64::max);
    let written = rows.iter().map(|row| row.write_bytes_most).fold(0.0, f64::max);
    let _ = write!(text, " derive_us_most={:.2} write_bytes_most={written:.0}", derived / 1e3);
    let list: Vec<String> =
        one_by_one.iter().map(|row| format!("{}:{:.3}ms", row.erasures, row.load_ns / 1e6)).collect();
    let _ = write!(text, " one_by_one_loads={}", list.join(","));
    for row in one_by_one {
        let _ = write!(text, " one_by_one_{}_load_ms={:.3}", row.erasures, row.load_ns / 1e6);
    }
    text
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "order={} erasures={} nodes={} ", self.order.name(), self.erasures, self.nodes)?;
        write!(
            f,
            "shards={} state_bytes={} write_bytes={:.0} ",
            self.shards, self.state_bytes, self.write_bytes
        )?;
        write!(f, "write_bytes_most={:.0} batch_ms={:.3} ", self.write_bytes_most, self.batch_ns / 1e6)?;
        write!(f, "erase_ms={:.3} puncture_ms={:.3} ", self.erase_ns / 1e6, self.puncture_ns / 1e6)?;
        write!(f, "derive_us={:.2} load_ms={:.3}", self.derive_ns / 1e3, self.load_ns / 1e6)
    }
}

impl std::fmt::Display for OneByOne {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "one_by_one={} erase_ms={:.3} ", self.erasures, self.erase_ns / 1e6)?;
        write!(f, "load_ms={:.3}", self.load_ns / 1e6)
    }
}
