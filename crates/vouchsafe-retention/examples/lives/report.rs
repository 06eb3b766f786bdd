//! The report: three plots, and a page that holds them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;
use vouchsafe_retention::Trigger;

use crate::check::Verdicts;
use crate::people::CLASSES;
use crate::world::Counts;
use crate::{Half, Result};

const SIZE: (u32, u32) = (960, 420);

const FONT: (&str, u32) = ("sans-serif", 15);

/// The foot of the logarithmic scales: below one, so that one is seen.
const LEAST: f64 = 0.7;

const COLOURS: [RGBColor; 7] = [
    RGBColor(31, 119, 180),
    RGBColor(140, 86, 75),
    RGBColor(255, 127, 14),
    RGBColor(214, 39, 40),
    RGBColor(127, 127, 127),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
];

/// Both halves together.
pub(crate) struct Summary {
    people: u32,
    years: u32,
    took: Duration,
    counts: Counts,
    verdicts: Verdicts,
    missing: u64,
}

impl Summary {
    pub(crate) fn of(halves: &[Half; 2], people: u32, years: u32, took: Duration) -> Self {
        let [a, b] = halves;
        let sum = |of: fn(&Half) -> u64| of(a) + of(b);
        let lateness = 0..a.counts.lateness.len().max(b.counts.lateness.len());
        let hour = |counts: &Counts, hour: usize| counts.lateness.get(hour).copied().unwrap_or(0);
        let counts = Counts {
            months: added(&a.counts.months, &b.counts.months),
            stock: added(&a.counts.stock, &b.counts.stock),
            lateness: lateness.map(|i| hour(&a.counts, i) + hour(&b.counts, i)).collect(),
            destroyed: sum(|half| half.counts.destroyed),
            decisions: sum(|half| half.counts.decisions),
            batches: sum(|half| half.counts.batches),
            breaker: sum(|half| half.counts.breaker),
            clocks: sum(|half| half.counts.clocks),
            largest: a.counts.largest.max(b.counts.largest),
        };
        let verdicts = Verdicts {
            late: sum(|half| half.verdicts.late),
            early: sum(|half| half.verdicts.early),
            held: sum(|half| half.verdicts.held),
            misattributed: sum(|half| half.verdicts.misattributed),
            walked: sum(|half| half.verdicts.walked),
            astray: sum(|half| half.verdicts.astray),
        };
        Self { people, years, took, counts, verdicts, missing: sum(|half| half.missing) }
    }

    /// Whether nothing was late, early, held, misattributed, astray or without a certificate.
    pub(crate) const fn is_clean(&self) -> bool {
        let Verdicts { late, early, held, misattributed, astray, .. } = self.verdicts;
        late + early + held + misattributed + astray + self.missing == 0
    }

    /// The line for machines.
    pub(crate) fn line(&self) -> String {
        let Verdicts { late, early, held, .. } = self.verdicts;
        format!(
            "people={} years={} destroyed={} late={late} early={early} held={held} missing={} seconds={}",
            self.people,
            self.years,
            self.counts.destroyed,
            self.missing,
            self.took.as_secs()
        )
    }

    /// What else was counted.
    pub(crate) fn details(&self) -> String {
        let left: u64 = self.counts.stock.last().map_or(0, |stock| stock.iter().sum());
        format!(
            "left={left} decisions={} batches={} largest_sweep={} breaker_trips={} wrong_clocks_refused={} \
             misattributed={} walked={} astray={} longest_wait_hours={} peak_kib={}",
            self.counts.decisions,
            self.counts.batches,
            self.counts.largest,
            self.counts.breaker,
            self.counts.clocks,
            self.verdicts.misattributed,
            self.verdicts.walked,
            self.verdicts.astray,
            self.counts.lateness.len().saturating_sub(1),
            peak().unwrap_or_else(|| "unknown".to_owned())
        )
    }

    /// Writes the plots and the page.
    pub(crate) fn write(&self, out: &Path) -> Result<()> {
        let plots = [
            ("causes.svg", "Destructions a month, by what started the period", self.causes()?),
            ("stock.svg", "Records held, by class", self.stock()?),
            ("lateness.svg", "Hours from the moment a record has to go to its destruction", self.lateness()?),
        ];
        let mut figures = String::new();
        for (name, title, svg) in plots {
            fs::write(out.join(name), &svg)?;
            figures += &format!("<figure>{svg}<figcaption>{title}.</figcaption></figure>\n");
        }
        Ok(fs::write(out.join("lives.html"), self.page(&figures))?)
    }

    fn page(&self, figures: &str) -> String {
        let cells = [self.line(), self.details()].join(" ");
        let rows = cells.split(' ').filter_map(|cell| cell.split_once('='));
        let rows = rows
            .map(|(name, value)| format!("<tr><th>{}</th><td>{value}</td></tr>\n", name.replace('_', " ")));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
             <title>Simulated lives under retention</title>\n<style>body{{font:16px/1.5 sans-serif;max-width:62rem;\
             margin:2rem auto;padding:0 1rem}}th{{text-align:left;font-weight:normal;padding-right:2rem}}\
             td{{text-align:right}}figure{{margin:2rem 0}}svg{{max-width:100%;height:auto}}</style></head>\n<body>\n\
             <h1>Simulated lives under retention</h1>\n<p>This is a simulation: the people are synthetic, the clock \
             is virtual, nothing was stored. Each has four records: a protected template, the evidence of consent, \
             account data, a verification log. A sweep runs daily at two in the morning; every 400 days two sweeps \
             in a row do not run. The policy changes after three years (the laws are added) and after seven and a \
             half (an organisation's stricter rules are added). Every destruction is judged by naive rules that \
             share no code with the resolver; a record is late when it is not destroyed by the first sweep that runs \
             at or after the moment it has to go. A plan that trips the breaker is acknowledged by its digest. A certificate here is a statement signed with Ed25519, verified \
             again at the end.</p>\n<table>\n{}</table>\n{figures}</body>\n</html>\n",
            rows.collect::<String>()
        )
    }

    fn causes(&self) -> Result<String> {
        let lines = Trigger::ALL.iter().enumerate().map(|(i, trigger)| {
            let whole = self.counts.months.len().saturating_sub(1).max(1);
            let months = self.counts.months.iter().take(whole).enumerate();
            let points = months.map(|(month, counts)| (month as f64 / 12.0, (counts[i] as f64).max(LEAST)));
            (trigger.words(), points.collect())
        });
        plot(&lines.collect::<Vec<_>>(), "years", "destructions a month")
    }

    fn stock(&self) -> Result<String> {
        let lines = CLASSES.iter().enumerate().map(|(i, class)| {
            let days = self.counts.stock.iter().enumerate().step_by(7);
            (
                class.name(),
                days.map(|(day, stock)| (day as f64 / 365.25, (stock[i] as f64).max(LEAST))).collect(),
            )
        });
        plot(&lines.collect::<Vec<_>>(), "years", "records")
    }

    fn lateness(&self) -> Result<String> {
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            root.fill(&WHITE)?;
            let most = self.counts.lateness.iter().copied().max().unwrap_or(1).max(1) as f64;
            let hours = self.counts.lateness.len() as f64;
            let mut chart = ChartBuilder::on(&root)
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(80)
                .build_cartesian_2d(0.0..hours.max(1.0), (LEAST..most * 1.5).log_scale())?;
            chart
                .configure_mesh()
                .x_desc("hours")
                .y_desc("destructions")
                .light_line_style(TRANSPARENT)
                .label_style(FONT)
                .axis_desc_style(FONT)
                .draw()?;
            chart.draw_series(self.counts.lateness.iter().enumerate().map(|(hour, count)| {
                let left = hour as f64;
                Rectangle::new(
                    [(left + 0.1, LEAST), (left + 0.9, (*count as f64).max(LEAST))],
                    COLOURS[0].filled(),
                )
            }))?;
            root.present()?;
        }
        Ok(svg)
    }
}

type Line = (&'static str, Vec<(f64, f64)>);

/// Lines over a logarithmic scale.
fn plot(lines: &[Line], across: &str, up: &str) -> Result<String> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let right = points().fold(1.0_f64, |most, (x, _)| most.max(*x));
    let top = points().fold(1.0_f64, |most, (_, y)| most.max(*y));
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(80)
            .build_cartesian_2d(0.0..right, (LEAST..top * 1.5).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(across)
            .y_desc(up)
            .light_line_style(TRANSPARENT)
            .label_style(FONT)
            .axis_desc_style(FONT)
            .draw()?;
        for ((name, points), colour) in lines.iter().zip(COLOURS) {
            let series =
                chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
            series
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        let mut labels = chart.configure_series_labels();
        labels
            .label_font(FONT)
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.8))
            .draw()?;
        root.present()?;
    }
    Ok(svg)
}

fn added<const N: usize>(a: &[[u64; N]], b: &[[u64; N]]) -> Vec<[u64; N]> {
    let sum = |(a, b): (&[u64; N], &[u64; N])| std::array::from_fn(|i| a[i] + b[i]);
    a.iter().zip(b).map(sum).collect()
}

/// The most memory the process ever had, in KiB, where the kernel says so.
fn peak() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}
