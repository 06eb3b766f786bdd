//! Agreement with the reference script's definitions and with the golden scores.

use vouchsafe_eval::{Bootstrap, Scores, Study};

/// The reference definition, straight from its script: every threshold by counting.
fn reference_eer(genuine: &[f64], impostor: &[f64]) -> f64 {
    let rate = |n: usize, of: usize| n as f64 / of as f64;
    let mut best = (f64::INFINITY, f64::INFINITY);
    for &x in genuine.iter().chain(impostor) {
        let fmr = rate(impostor.iter().filter(|&&s| s >= x).count(), impostor.len());
        let fnmr = rate(genuine.iter().filter(|&&s| s < x).count(), genuine.len());
        let point = ((fmr - fnmr).abs(), (fmr + fnmr) / 2.0);
        if point < best {
            best = point;
        }
    }
    best.1
}

#[expect(clippy::cast_possible_truncation, reason = "as the script does")]
fn reference_fnmr(genuine: &[f64], impostor: &[f64], q: f64) -> f64 {
    let mut sorted = impostor.to_vec();
    sorted.sort_by(f64::total_cmp);
    let threshold = sorted[(sorted.len() as f64 * (1.0 - q)).ceil() as usize - 1] + 1e-9;
    genuine.iter().filter(|&&s| s < threshold).count() as f64 / genuine.len() as f64
}

fn agrees(scores: &Scores) {
    let (genuine, impostor) = (scores.genuine(), scores.impostor());
    assert!((scores.eer().rate() - reference_eer(genuine, impostor)).abs() < 1e-12);
    for q in [1e-1, 1e-2, 1e-3, 1e-4] {
        let ours = scores.fnmr_at_fmr(q).unwrap().fnmr();
        assert!((ours - reference_fnmr(genuine, impostor, q)).abs() < 1e-12, "{q}");
    }
}

/// Scores of overlapping distributions, rounded to six digits as the golden file's are.
#[test]
fn the_rates_are_those_of_the_reference_script() {
    let mut state = 88_172_645_463_325_252u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut draw = |mean: f64| ((mean + 0.4 * (uniform() + uniform() + uniform() - 1.5)) * 1e6).round() / 1e6;
    for separation in [0.0, 0.2, 0.5, 2.0] {
        let genuine = (0..367).map(|_| draw(separation)).collect();
        let impostor = (0..3461).map(|_| draw(0.0)).collect();
        agrees(&Scores::new(genuine, impostor).unwrap());
    }
}

/// The golden scores lie beside the repository; without them there is nothing to compare with.
#[test]
fn the_golden_scores_give_the_golden_summary() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden/face_pairs.csv");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no golden scores");
        return;
    };
    let person = |picture: &str| picture.rsplit_once('/').unwrap().0.to_owned();
    let comparisons: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            let (a, b) = (person(fields[0]), person(fields[1]));
            assert_eq!(a == b, fields[2] == "1");
            (a, b, fields[3].parse::<f64>().unwrap())
        })
        .collect();
    let study = Study::new(comparisons).unwrap();
    agrees(study.scores());
    let report = study.report(Bootstrap::default()).unwrap();
    assert_eq!(
        report.summary_line(),
        "eer=0.00000 fnmr_at_fmr_1e-2=0.00000 fnmr_at_fmr_1e-3=0.00000 genuine=367 impostor=3461 people=12"
    );
    assert!(report.to_string().contains("not certifiable with this data"));
}
