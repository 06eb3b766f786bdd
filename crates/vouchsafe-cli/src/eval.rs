//! Error rates on a folder of people.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Subcommand};
use vouchsafe::{FaceEngine, ModelSet};
use vouchsafe_eval::{Bootstrap, Study};

use crate::{CliError, files, warn};

mod crops;
mod golden;
mod pictures;
mod population;
mod table;

use crops::CropFolder;
use golden::Golden;
use population::Population;
use table::Table;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compare every face picture with every other; a person is a folder that directly holds pictures
    Face(Face),
}

#[derive(Args)]
pub(crate) struct Face {
    /// The folder of people, read to any depth
    dir: PathBuf,
    /// Other models than those inside the program: a folder with manifest.toml and the files it names
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Cosines of another implementation to compare with: columns a, b, same, cosine
    #[arg(long, value_name = "CSV")]
    golden: Option<PathBuf>,
    /// An empty or new folder for aligned crops (PNG) and their embeddings; it then holds biometric data
    #[arg(long, value_name = "DIR")]
    crops_out: Option<PathBuf>,
    /// Write the figures as JSON; an older file is replaced
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How many threads share the engine
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Face(face) => face.run(out),
        }
    }
}

impl Face {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let pictures = pictures::find(&self.dir)?;
        pictures::check_people(pictures.iter().map(|picture| picture.person.as_str()))?;
        // What is wrong with the other arguments is said before the long part.
        let golden = self.golden.as_deref().map(Golden::read).transpose()?;
        let crops = self.crops_out.as_deref().map(CropFolder::open).transpose()?;
        let engine = FaceEngine::load(&self.models()?)?;

        let started = Instant::now();
        let population = Population::embed(&engine, &pictures, self.threads, crops.as_ref())?;
        let elapsed = started.elapsed();
        for failure in population.failures() {
            warn(&format!("not used: {}: {}", failure.name, failure.why));
        }
        if let Some(crops) = &crops {
            crops.write_embeddings(population.faces().iter().map(|face| &face.embedding))?;
        }
        pictures::check_people(population.faces().iter().map(|face| face.person))?;
        let study = Study::new(population.comparisons())?;
        let report = study.report(Bootstrap::default())?;
        let agreement = golden.map(|golden| golden.compare(&population)).transpose()?;

        let table = Table::new(&engine, &population, &study, &report, agreement, elapsed)?;
        if let Some(path) = &self.json {
            files::replace(path, "the JSON file", &table.to_json()?)?;
        }
        table.print(out)?;
        Ok(writeln!(out, "{}", report.summary_line())?)
    }

    fn models(&self) -> Result<ModelSet, CliError> {
        Ok(match &self.models {
            Some(dir) => ModelSet::open(dir)?,
            None => ModelSet::bundled()?,
        })
    }
}
