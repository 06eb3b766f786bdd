//! Keys: sealed records, and that a destroyed one stays shut.

mod fuzz;

mod record;
mod services;
mod vectors;

use super::claim::{Bar, Claim, Method};

/// The claims, in the order of the envelope's plan: what holds, what it survives, what it costs.
pub(super) fn claims() -> Vec<Claim> {
    let mut claims = vec![vectors()];
    claims.extend(services());
    claims.extend(drills());
    claims.push(memory());
    claims.extend(costs());
    claims.push(parsers());
    claims
}

fn vectors() -> Claim {
    Claim {
        says: "every vector of Wycheproof and NIST CAVP passes, one named case each, must-fail included",
        full: Method::Function(vectors::measure),
        quick: None,
        bars: &[
            Bar::Is("failed", "0"),
            Bar::Is("skipped", "0"),
            Bar::AtLeast("valid", 903.0),
            Bar::AtLeast("must_fail", 465.0),
            Bar::AtLeast("named_cases", 1_368.0),
            Bar::Printed("not_applicable"),
        ],
    }
}

fn services() -> Vec<Claim> {
    vec![
        Claim {
            says: "every key service does what one suite asks of all",
            full: Method::Function(services::adapters),
            quick: Some(Method::Function(services::suite)),
            bars: &[
                Bar::Is("failed", "0"),
                Bar::Is("skipped", "0"),
                // Key file, with a passphrase, with a service that stumbles; token; server; TPM.
                Bar::AtLeast("conforming", 6.0),
                Bar::Printed("passed"),
                Bar::Printed("services"),
            ],
        },
        Claim {
            says: "no backup opens a destroyed record, but one that holds the key service: there the gate refuses",
            full: Method::Function(services::restore_thousand),
            quick: Some(Method::Function(services::restore_hundred)),
            bars: &[
                Bar::AtLeast("providers", 4.0),
                Bar::Is("skipped", "0"),
                Bar::Is("a_destroyed_opened", "0"),
                Bar::Is("a_survivors_lost", "0"),
                Bar::Is("b_not_refused", "0"),
                Bar::Is("b_after_opened", "0"),
                Bar::Is("b_after_survivors_lost", "0"),
                Bar::Printed("ungated"),
                Bar::Printed("subjects"),
            ],
        },
    ]
}

const RACE: &str = "cargo test --locked -p vouchsafe-testkit --test key_race -- --nocapture";
const CRASH: &str = "cargo test --locked -p vouchsafe-testkit --test destruction_crash -- --nocapture";

fn drills() -> Vec<Claim> {
    vec![
        Claim {
            says: "of 100,000 opens against destructions under eight threads none succeeds after its fence",
            full: Method::CommandWith(&[("VOUCHSAFE_RACE_OPENS", "100000")], RACE),
            quick: Some(Method::Skip("--quick tries 20,000, below")),
            bars: &[Bar::AtLeast("opens", 100_000.0), RACE_BARS[0], RACE_BARS[1], RACE_BARS[2], RACE_BARS[3]],
        },
        Claim {
            says: "of 20,000 opens against destructions under eight threads none succeeds after its fence",
            full: Method::Skip("--full tries 100,000, above"),
            quick: Some(Method::CommandWith(&[("VOUCHSAFE_RACE_OPENS", "20000")], RACE)),
            bars: &[Bar::AtLeast("opens", 20_000.0), RACE_BARS[0], RACE_BARS[1], RACE_BARS[2], RACE_BARS[3]],
        },
        Claim {
            says: "a destruction killed at any of 300 random points ends whole",
            full: Method::CommandWith(&[("VOUCHSAFE_DESTRUCTION_KILLS", "300")], CRASH),
            quick: Some(Method::Skip("--quick tries 40 points, below")),
            bars: &[Bar::AtLeast("kills", 300.0), CRASH_BARS[0], CRASH_BARS[1], CRASH_BARS[2], CRASH_BARS[3]],
        },
        Claim {
            says: "a destruction killed at any of 40 random points ends whole",
            full: Method::Skip("--full tries 300 points, above"),
            quick: Some(Method::CommandWith(&[("VOUCHSAFE_DESTRUCTION_KILLS", "40")], CRASH)),
            bars: &[Bar::AtLeast("kills", 40.0), CRASH_BARS[0], CRASH_BARS[1], CRASH_BARS[2], CRASH_BARS[3]],
        },
    ]
}

/// Within one process, and across processes: there a destruction is done before nobody opens any more.
const RACE_BARS: [Bar; 4] = [
    Bar::Is("late_opens", "0"),
    Bar::AtLeast("destructions", 20.0),
    Bar::Is("process_late_opens", "0"),
    Bar::Printed("process_unnoticed_opens"),
];

const CRASH_BARS: [Bar; 4] = [
    Bar::Is("survivors_lost", "0"),
    Bar::Is("destroyed_readable", "0"),
    Bar::Is("unfinished", "0"),
    Bar::Printed("inside_destruction"),
];

fn memory() -> Claim {
    Claim {
        says: "after expiry, eviction, puncture and drop no key is left in memory",
        full: Method::Function(services::memory),
        quick: None,
        bars: &[
            Bar::AtLeast("stages", 4.0),
            Bar::Is("keys_found", "0"),
            Bar::Is("controls_missed", "0"),
            Bar::Printed("controls"),
        ],
    }
}

fn costs() -> Vec<Claim> {
    vec![
        Claim {
            says: "100,000 erasures of a million leaves: what the state takes, what one more erasure costs",
            full: Method::Command("cargo run --locked -p vouchsafe-benches --bin key-growth"),
            quick: Some(Method::Command(
                "cargo run --locked -p vouchsafe-benches --bin key-growth -- --quick",
            )),
            bars: GROWTH,
        },
        Claim {
            says: "the cache serves nothing at 300 s, asks once a miss, and a hit costs what it costs",
            full: Method::Command("cargo run --locked -p vouchsafe-benches --bin key-cache"),
            quick: Some(Method::Command(
                "cargo run --locked -p vouchsafe-benches --bin key-cache -- --quick",
            )),
            bars: CACHE,
        },
        Claim {
            says: "2 KiB is sealed and opened for little more than its primitives cost; beside it two other libraries",
            full: Method::Function(record::measure),
            quick: None,
            bars: &[
                Bar::AtMost("seal_ratio", 1.5),
                Bar::AtMost("open_ratio", 1.5),
                Bar::AtMost("warm_us", 10.0),
                Bar::Printed("medians_us"),
                Bar::Printed("peers"),
            ],
        },
    ]
}

const GROWTH: &[Bar] = &[
    Bar::Is("random_erasures", "100000"),
    Bar::Is("cases", "10"),
    Bar::Printed("random_nodes"),
    Bar::Printed("random_state_bytes"),
    // A head and the touched shards: what a large state does not multiply.
    Bar::AtMost("write_bytes_most", 1e6),
    Bar::Printed("random_erase_ms"),
    Bar::Printed("random_batch_ms"),
    Bar::Printed("random_load_ms"),
    Bar::AtMost("in_order_state_bytes", 4e3),
    Bar::Printed("in_order_erase_ms"),
    // Twenty thousand records of the fence journal are read again at each unsealing.
    Bar::AtMost("one_by_one_10000_load_ms", 100.0),
    Bar::Printed("one_by_one_loads"),
    Bar::AtMost("derive_us_most", 50.0),
];

const CACHE: &[Bar] = &[
    Bar::Is("late_served", "0"),
    Bar::AtLeast("late_asked", 1_000.0),
    Bar::Is("live_after_sweep", "0"),
    Bar::Is("all_fit_difference", "0"),
    Bar::Printed("all_fit_misses"),
    Bar::Is("tenth_fits_difference", "0"),
    Bar::Printed("tenth_fits_misses"),
    Bar::Printed("miss_us_of_10"),
    Bar::Printed("miss_us_of_1000"),
    Bar::Printed("memory_hit_ns_one"),
    Bar::Printed("memory_ratio_one"),
    Bar::Printed("memory_ratio_eight"),
    Bar::Printed("disk_ratio_one"),
    Bar::Printed("disk_ratio_eight"),
    Bar::Printed("wipe_stack_ns"),
    Bar::Printed("ring_seal_us"),
    Bar::Printed("ring_open_us"),
];

fn parsers() -> Claim {
    Claim {
        says: "every parser of the keys has a fuzz target with seeds, and none finds anything",
        full: Method::Function(fuzz::run),
        quick: Some(Method::Function(fuzz::list)),
        bars: &[
            Bar::AtLeast("fuzz_targets", 10.0),
            Bar::Is("without_seed", "0"),
            Bar::Is("without_row", "0"),
            Bar::Is("crashes", "0"),
            Bar::Printed("runs"),
        ],
    }
}
