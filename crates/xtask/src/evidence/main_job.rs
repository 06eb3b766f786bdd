//! Enrol, verify, withdraw, erase: the main job, end to end.

use super::{
    benches,
    claim::{Bar, Claim, Method},
    fresh_clone, reference,
};

const EVALUATE: &str = "cargo run --locked -p vouchsafe-cli -- eval face ../shared/data/face/verify";
const GOLDEN: &str = "cargo run --locked -p vouchsafe-cli -- eval face ../shared/data/face/verify \
                      --golden ../shared/golden/face_pairs.csv";

/// The claims, in the order of the README.
pub(super) fn claims() -> Vec<Claim> {
    let mut claims = first_run();
    claims.extend(accuracy());
    claims.extend(secrets());
    claims.extend(durability());
    claims.push(Claim {
        says: "every stage has a bench",
        full: Method::Function(benches::full),
        quick: Some(Method::Function(benches::quick)),
        bars: &[Bar::AtLeast("stages", 20.0), Bar::Printed("medians")],
    });
    claims
}

fn first_run() -> Vec<Claim> {
    vec![
        Claim {
            says: "a fresh clone runs the README's two commands",
            full: Method::Function(fresh_clone::measure),
            quick: Some(Method::Skip("a cold build takes longer than --quick allows")),
            bars: &[Bar::AtMost("cold_seconds", 900.0)],
        },
        Claim {
            says: "the quickstart holds, is fast and stays small",
            full: Method::Command("cargo run --locked --example quickstart"),
            quick: None,
            bars: &[Bar::Is("quickstart", "ok"), Bar::AtMost("seconds", 8.0), Bar::AtMost("peak_mib", 400.0)],
        },
    ]
}

fn accuracy() -> Vec<Claim> {
    vec![
        Claim {
            says: "faces of one person match and others do not (12 people bound very little)",
            full: Method::Command(EVALUATE),
            quick: None,
            bars: &[
                Bar::AtMost("eer", 0.005),
                Bar::Printed("fnmr_at_fmr_1e-2"),
                Bar::Printed("fnmr_at_fmr_1e-3"),
                Bar::Is("genuine", "367"),
                Bar::Is("impostor", "3461"),
                Bar::Is("people", "12"),
            ],
        },
        Claim {
            says: "the whole pipeline agrees with the reference implementation",
            full: Method::Command(GOLDEN),
            quick: None,
            bars: &[
                Bar::AtMost("golden_max", 0.05),
                Bar::AtMost("golden_mean", 0.01),
                Bar::Is("golden_pairs", "3828"),
            ],
        },
        Claim {
            says: "embeddings of the same crops agree with onnxruntime",
            full: Method::Function(reference::measure),
            quick: None,
            bars: &[Bar::AtMost("crops_max", 1e-4), Bar::Is("crops_compared", "88")],
        },
    ]
}

fn secrets() -> Vec<Claim> {
    vec![
        Claim {
            says: "misuse of permits, LiveFace, frames, embeddings and keys does not compile",
            full: Method::Command("cargo test --locked -p vouchsafe --test compile_fail"),
            quick: None,
            bars: &[Bar::Succeeds],
        },
        Claim {
            says: "so say the examples in the docs of embed, consent and template",
            full: Method::Command(
                "cargo test --locked --doc -p vouchsafe-embed -p vouchsafe-consent -p vouchsafe-template",
            ),
            quick: None,
            bars: &[Bar::Succeeds],
        },
        Claim {
            says: "no frame, embedding or key stays in memory or in a file",
            full: Method::Command("cargo test --locked -p vouchsafe-testkit --test memory -- --nocapture"),
            quick: None,
            bars: &[
                Bar::Is("memory_found", "0"),
                Bar::Is("files_found", "0"),
                Bar::Is("control_found", "101/101"),
                Bar::Printed("without_allocator_found"),
            ],
        },
    ]
}

fn durability() -> Vec<Claim> {
    vec![
        Claim {
            says: "a sealed record with a flipped bit, in another's place, or destroyed does not open",
            full: Method::Command("cargo test --locked -p vouchsafe-testkit --test restore -- --nocapture"),
            quick: None,
            bars: &[
                Bar::AtLeast("bits_flipped", 17_000.0),
                Bar::Is("accepted", "0"),
                Bar::Is("swapped_refused", "2"),
                Bar::Is("destroyed_opened", "0/37"),
                Bar::Is("survivors_opened", "963/963"),
            ],
        },
        Claim {
            says: "a kill at any of 100 random points leaves state, log and keys in agreement",
            full: crash(&[("VOUCHSAFE_CRASH_POINTS", "100")]),
            quick: Some(Method::Skip("--quick tries 20 points, below")),
            bars: &[Bar::AtLeast("kills", 100.0), Bar::Is("disagreements", "0"), Bar::Is("lost", "0")],
        },
        Claim {
            says: "a kill at any of 20 random points leaves state, log and keys in agreement",
            full: Method::Skip("--full tries 100 points, above"),
            quick: Some(crash(&[("VOUCHSAFE_CRASH_POINTS", "20")])),
            bars: &[Bar::AtLeast("kills", 20.0), Bar::Is("disagreements", "0"), Bar::Is("lost", "0")],
        },
    ]
}

const fn crash(points: &'static [(&'static str, &'static str)]) -> Method {
    Method::CommandWith(points, "cargo test --locked -p vouchsafe-testkit --test crash -- --nocapture")
}
