//! The figures, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use vouchsafe::FaceEngine;
use vouchsafe::template::Threshold;
use vouchsafe_eval::{CertifiableFmr, FnmrAtFmr, Interval, Report, Scores, Study, clopper_pearson};

use super::golden::Agreement;
use super::population::Population;
use crate::CliError;

/// The cosine of [`Threshold::reported_default`], which keeps it private; a test compares it with the models'
/// manifest.
const SHIPPED_THRESHOLD: f64 = 0.41;
const CONFIDENCE: f64 = 0.95;

/// Everything that one run found; also the JSON that is written, version 1.
#[derive(Serialize)]
pub(super) struct Table {
    v: u8,
    model_sha256: String,
    people: u64,
    pictures: usize,
    failures: Vec<FailureV1>,
    genuine: usize,
    impostor: usize,
    eer: f64,
    eer_interval: [f64; 2],
    points: [PointV1; 2],
    /// Absent for another model than the shipped one: thresholds are a model's.
    shipped_default: Option<ShippedV1>,
    certifiable: CertifiableV1,
    golden: Option<GoldenV1>,
    milliseconds_per_picture: f64,
    seconds: f64,
    #[serde(skip)]
    provenance: String,
    #[serde(skip)]
    bound: CertifiableFmr,
}

#[derive(Serialize)]
struct FailureV1 {
    name: String,
    why: String,
}

#[derive(Serialize)]
struct PointV1 {
    target_fmr: f64,
    threshold: f64,
    fmr: f64,
    fnmr: f64,
}

#[derive(Serialize)]
struct ShippedV1 {
    threshold: f64,
    false_matches: RateV1,
    false_non_matches: RateV1,
}

/// Clopper and Pearson at 95 %, as if pairs were independent.
#[derive(Serialize)]
struct RateV1 {
    errors: u64,
    trials: u64,
    interval: [f64; 2],
}

#[derive(Serialize)]
struct CertifiableV1 {
    confidence: f64,
    by_people: f64,
    by_disjoint_pairs: f64,
    by_all_pairs: f64,
}

#[derive(Serialize)]
struct GoldenV1 {
    max: f64,
    mean: f64,
    pairs: usize,
    without: usize,
}

impl Table {
    pub(super) fn new(
        engine: &FaceEngine,
        population: &Population<'_>,
        study: &Study,
        report: &Report,
        agreement: Option<Agreement>,
        elapsed: Duration,
    ) -> Result<Self, CliError> {
        let shipped = Threshold::reported_default(engine.model_digest()).ok();
        let provenance = shipped.as_ref().map(|threshold| threshold.certificate().to_string());
        let bound = report.certifiable();
        let failures = population.failures().iter();
        Ok(Self {
            v: 1,
            model_sha256: engine.model_digest().to_string(),
            people: bound.people(),
            pictures: population.pictures(),
            failures: failures
                .map(|failure| FailureV1 { name: failure.name.to_owned(), why: failure.why.to_string() })
                .collect(),
            genuine: report.genuine(),
            impostor: report.impostor(),
            eer: report.eer().rate(),
            eer_interval: ends(report.eer_interval()),
            points: [report.fnmr_at_fmr_hundredth(), report.fnmr_at_fmr_thousandth()].map(PointV1::new),
            shipped_default: shipped.map(|_| ShippedV1::new(study.scores())).transpose()?,
            certifiable: CertifiableV1 {
                confidence: CONFIDENCE,
                by_people: bound.people_bound(),
                by_disjoint_pairs: bound.disjoint_bound(),
                by_all_pairs: bound.pairs_bound(),
            },
            golden: agreement.map(|a| GoldenV1 {
                max: a.max,
                mean: a.mean,
                pairs: a.pairs,
                without: a.without,
            }),
            milliseconds_per_picture: 1e3 * population.worked().as_secs_f64() / population.pictures() as f64,
            seconds: elapsed.as_secs_f64(),
            provenance: provenance.unwrap_or_default(),
            bound,
        })
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>, CliError> {
        let text = serde_json::to_string_pretty(self).map_err(|_| CliError::Malformed("the JSON report"))?;
        Ok((text + "\n").into_bytes())
    }

    /// Prints everything but the summary line.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let [low, high] = self.eer_interval.map(percent);
        writeln!(out, "people            {}", self.people)?;
        writeln!(out, "pictures          {}, of which {} gave no face", self.pictures, self.failures.len())?;
        writeln!(out, "genuine pairs     {}", self.genuine)?;
        writeln!(out, "impostor pairs    {}", self.impostor)?;
        writeln!(
            out,
            "EER               {}, 95 % interval {low} to {high} (1,000 draws of people)",
            percent(self.eer)
        )?;
        for PointV1 { target_fmr, threshold, fnmr, .. } in &self.points {
            writeln!(out, "FNMR at FMR {target_fmr:.0e}  {}, threshold {threshold:.4}", percent(*fnmr))?;
        }
        self.print_shipped(out)?;
        self.print_certifiable(out)?;
        let per_picture = self.milliseconds_per_picture;
        writeln!(
            out,
            "time              {per_picture:.0} ms per picture and thread, {:.1} s in all",
            self.seconds
        )?;
        if let Some(GoldenV1 { max, mean, pairs, without }) = &self.golden {
            if *without > 0 {
                writeln!(
                    out,
                    "golden file       {without} rows name a picture that is not here or gave no face"
                )?;
            }
            writeln!(out, "golden_max={max:.5} golden_mean={mean:.5} golden_pairs={pairs}")?;
        }
        Ok(())
    }

    fn print_shipped(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(shipped) = &self.shipped_default else {
            return writeln!(out, "default threshold none: this is not the shipped model");
        };
        writeln!(out, "default threshold {} ({})", shipped.threshold, self.provenance)?;
        for (name, rate) in [("FMR ", &shipped.false_matches), ("FNMR", &shipped.false_non_matches)] {
            let RateV1 { errors, trials, interval } = rate;
            let ([low, high], share) = (interval.map(percent), percent(*errors as f64 / *trials as f64));
            writeln!(
                out,
                "  {name}            {share} ({errors} of {trials}), 95 % interval {low} to {high}"
            )?;
        }
        writeln!(
            out,
            "  (Clopper-Pearson; it takes pairs as independent, and pairs that share people are not)"
        )
    }

    /// Says what so many people can and cannot certify, whatever the figures above.
    fn print_certifiable(&self, out: &mut dyn Write) -> io::Result<()> {
        let CertifiableV1 { by_people, by_disjoint_pairs, by_all_pairs, .. } = &self.certifiable;
        let [people, disjoint, pairs] =
            [by_people, by_disjoint_pairs, by_all_pairs].map(|bound| percent(*bound));
        writeln!(
            out,
            "certifiable       at best (not one false match among {} people), 95 % confidence:",
            self.people
        )?;
        writeln!(
            out,
            "                  FMR at most {people} by people (rule of 3), {disjoint} by pairs sharing nobody,"
        )?;
        writeln!(out, "                  {pairs} if every two people were independent, which they are not")?;
        let verdicts = self.points.iter().map(|point| {
            let able = if self.bound.certifies(point.target_fmr) { "certifiable" } else { "not certifiable" };
            format!("{able} at FMR {:.0e}", point.target_fmr)
        });
        let verdicts = verdicts.collect::<Vec<_>>().join(", ");
        let little = if self.bound.certifies(1e-2) { "bound some" } else { "bound very little" };
        writeln!(out, "                  {} people {little}; {verdicts}", self.people)
    }
}

impl PointV1 {
    const fn new(point: FnmrAtFmr) -> Self {
        let (target_fmr, threshold) = (point.target(), point.threshold());
        Self { target_fmr, threshold, fmr: point.fmr(), fnmr: point.fnmr() }
    }
}

impl ShippedV1 {
    fn new(scores: &Scores) -> Result<Self, CliError> {
        let at = |scores: &[f64]| scores.partition_point(|score| *score < SHIPPED_THRESHOLD);
        let (genuine, impostor) = (scores.genuine(), scores.impostor());
        Ok(Self {
            threshold: SHIPPED_THRESHOLD,
            false_matches: RateV1::new(impostor.len() - at(impostor), impostor.len())?,
            false_non_matches: RateV1::new(at(genuine), genuine.len())?,
        })
    }
}

impl RateV1 {
    fn new(errors: usize, trials: usize) -> Result<Self, CliError> {
        let (errors, trials) = (errors as u64, trials as u64);
        Ok(Self { errors, trials, interval: ends(clopper_pearson(errors, trials, CONFIDENCE)?) })
    }
}

const fn ends(interval: Interval) -> [f64; 2] {
    [interval.lower(), interval.upper()]
}

fn percent(rate: f64) -> String {
    format!("{:.2} %", 100.0 * rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_threshold_is_one_that_the_models_manifest_reports() {
        let manifest = vouchsafe_models_face::MANIFEST;
        assert!(manifest.contains(&format!("\ncosine = {SHIPPED_THRESHOLD}\n")));
    }

    #[test]
    fn the_default_threshold_counts_scores_at_it_as_matches() {
        let scores = Scores::new(vec![0.3, 0.41, 0.9], vec![0.1, 0.41]).unwrap();
        let shipped = ShippedV1::new(&scores).unwrap();
        assert_eq!((shipped.false_matches.errors, shipped.false_non_matches.errors), (1, 1));
    }
}
