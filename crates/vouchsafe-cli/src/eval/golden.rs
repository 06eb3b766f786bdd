//! Similarities of another implementation, compared pair by pair.

use std::collections::HashMap;
use std::path::Path;

use super::population::Population;
use crate::{CliError, files};

/// The rows of a golden file: two picture names and a cosine.
pub(super) struct Golden(Vec<(String, String, f64)>);

/// How far two implementations are apart.
pub(super) struct Agreement {
    pub(super) max: f64,
    pub(super) mean: f64,
    pub(super) pairs: usize,
    /// Rows whose pictures are not here, or gave no face.
    pub(super) without: usize,
}

const HEADER: &str = "a,b,same,cosine";

impl Golden {
    /// Reads `a,b,same,cosine`; names hold neither commas nor quotes.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let text = files::read_text(path, "the golden file")?;
        Self::parse(&text).ok_or(CliError::Malformed("the golden file"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != HEADER {
            return None;
        }
        lines.map(row).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Compares every row whose pictures are both here.
    pub(super) fn compare(&self, population: &Population<'_>) -> Result<Agreement, CliError> {
        let faces: HashMap<&str, _> = population.faces().iter().map(|face| (face.name, face)).collect();
        let (mut max, mut sum, mut pairs) = (0.0_f64, 0.0, 0_usize);
        for (a, b, cosine) in &self.0 {
            let (Some(a), Some(b)) = (faces.get(a.as_str()), faces.get(b.as_str())) else { continue };
            let apart = (a.cosine(b) - cosine).abs();
            (max, sum, pairs) = (max.max(apart), sum + apart, pairs + 1);
        }
        if pairs == 0 {
            return Err(CliError::GoldenForeign);
        }
        Ok(Agreement { max, mean: sum / pairs as f64, pairs, without: self.0.len() - pairs })
    }
}

fn row(line: &str) -> Option<(String, String, f64)> {
    let [a, b, same, cosine] = line.split(',').collect::<Vec<_>>().try_into().ok()?;
    let cosine: f64 = cosine.parse().ok()?;
    let fits = matches!(same, "0" | "1") && (-1.001..=1.001).contains(&cosine);
    fits.then(|| (a.to_owned(), b.to_owned(), cosine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_four_columns_and_a_cosine() {
        let good = Golden::parse("a,b,same,cosine\nx/1.jpg,y/2.jpg,0,-0.25\r\n").unwrap();
        assert_eq!(good.0, [("x/1.jpg".to_owned(), "y/2.jpg".to_owned(), -0.25)]);
        let bad = ["", "a,b,cosine\n", "a,b,same,cosine\nx,y,0\n", "a,b,same,cosine\nx,y,2,0.5\n"];
        for text in bad.iter().chain(&["a,b,same,cosine\nx,y,0,NaN\n", "a,b,same,cosine\nx,y,0,7\n"]) {
            assert!(Golden::parse(text).is_none(), "{text}");
        }
    }
}
