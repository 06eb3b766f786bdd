//! Plots as SVG: both axes logarithmic, a line with points for each series.

use std::path::Path;

use plotters::prelude::*;

use crate::figures::Result;

/// A plot's frame.
#[derive(Debug)]
pub struct Plot<'a> {
    /// The line above it.
    pub title: &'a str,
    /// What the horizontal axis shows.
    pub x: &'a str,
    /// What the vertical axis shows.
    pub y: &'a str,
    /// How a value of the vertical axis is written.
    pub y_label: fn(&f64) -> String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A series of points, ascending by `x`, all above zero.
#[derive(Debug)]
pub struct Line {
    /// What it shows; none beside a line of the same colour that has a name.
    pub name: Option<&'static str>,
    /// The colour of its kind, and whether it is drawn pale and with rings.
    pub style: (usize, bool),
    /// The points.
    pub points: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (900, 560);
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 90, 181), RGBColor(200, 60, 20), RGBColor(20, 130, 70), RGBColor(120, 60, 160)];

impl Plot<'_> {
    /// Draws into a file.
    ///
    /// # Errors
    /// What the drawing library or the operating system answers.
    pub fn draw(&self, file: &Path) -> Result<()> {
        let area = SVGBackend::new(file, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 20))
            .margin(14)
            .x_label_area_size(52)
            .y_label_area_size(84)
            .build_cartesian_2d(
                self.range(|point| point.0).log_scale(),
                self.range(|point| point.1).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&count)
            .y_label_formatter(&self.y_label)
            .x_labels(6)
            .label_style(("sans-serif", 15))
            .axis_desc_style(("sans-serif", 16))
            .light_line_style(BLACK.mix(0.05))
            .bold_line_style(BLACK.mix(0.15))
            .draw()?;
        for line in &self.lines {
            let (colour, pale) = (colour(line.style.0), line.style.1);
            let stroke = if pale { colour.mix(0.45).stroke_width(2) } else { colour.stroke_width(2) };
            let dot = if pale { colour.stroke_width(1) } else { colour.filled() };
            let drawn = chart.draw_series(LineSeries::new(line.points.iter().copied(), stroke))?;
            if let Some(name) = line.name {
                drawn.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], stroke));
            }
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 4, dot)))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 15))
            .draw()?;
        area.present()?;
        Ok(())
    }

    /// From the power of ten below the least value to the one above the greatest, which leaves room for the legend.
    fn range(&self, side: impl Fn(&(f64, f64)) -> f64) -> std::ops::Range<f64> {
        let values = self.lines.iter().flat_map(|line| line.points.iter().map(&side));
        let (least, most) = values
            .fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), value| (least.min(value), most.max(value)));
        let power = |exponent: f64| 10f64.powf(exponent);
        power(least.log10().floor())..power(most.log10().ceil())
    }
}

fn colour(kind: usize) -> RGBColor {
    COLOURS.get(kind % COLOURS.len()).copied().unwrap_or(BLACK)
}

/// A count, with a letter for thousands and millions.
pub fn count(value: &f64) -> String {
    scaled(*value, &[(1e6, "M"), (1e3, "k")])
}

/// Bytes, in decimal units.
pub fn bytes(value: &f64) -> String {
    scaled(*value, &[(1e9, " GB"), (1e6, " MB"), (1e3, " kB"), (1.0, " B")])
}

/// Nanoseconds, in the unit that fits.
pub fn duration(value: &f64) -> String {
    scaled(*value, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    // Powers of ten come out of a logarithm, a hair below themselves.
    let unit = units.iter().find(|(unit, _)| value >= unit * 0.999);
    let (unit, name) = unit.copied().unwrap_or((1.0, ""));
    format!("{:.0}{name}", value / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_their_unit() {
        assert_eq!([100.0, 1e3, 1e5, 1e6].map(|value| count(&value)), ["100", "1k", "100k", "1M"]);
        assert_eq!([999.999, 1e6].map(|value| bytes(&value)), ["1 kB", "1 MB"]);
        assert_eq!([100.0, 2e4].map(|value| duration(&value)), ["100 ns", "20 µs"]);
    }
}
