//! Every picture embedded once, by threads that share one engine; then every pair compared.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vouchsafe::consent::Evaluation;
use vouchsafe::consent::danger::evaluation_permit;
use vouchsafe::embed::danger::{Evaluated, evaluate};
use vouchsafe::embed::{EmbedError, FaceEmbedding};
use vouchsafe::{FaceEngine, Image, Limits, Modality, Permit};

use super::crops::CropFolder;
use super::pictures::Picture;
use crate::CliError;

/// The pictures that gave a face, and those that did not.
pub(super) struct Population<'a> {
    faces: Vec<Face<'a>>,
    failures: Vec<Failure<'a>>,
    worked: Duration,
}

/// The embedded largest face of a picture.
pub(super) struct Face<'a> {
    pub(super) name: &'a str,
    pub(super) person: &'a str,
    pub(super) embedding: FaceEmbedding<Evaluation>,
}

/// A picture that gave none: a failure to acquire.
pub(super) struct Failure<'a> {
    pub(super) name: &'a str,
    pub(super) why: Why,
}

/// Why a picture gave no face.
pub(super) enum Why {
    NoFace,
    Picture(EmbedError),
    Unreadable(io::ErrorKind),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFace => f.write_str("no face was found"),
            Self::Picture(error) => write!(f, "{error}"),
            Self::Unreadable(kind) => write!(f, "cannot be read: {kind}"),
        }
    }
}

impl<'a> Population<'a> {
    /// Embeds the pictures; their order does not depend on the number of threads.
    pub(super) fn embed(
        engine: &FaceEngine,
        pictures: &'a [Picture],
        threads: u8,
        crops: Option<&CropFolder>,
    ) -> Result<Self, CliError> {
        let permit = evaluation_permit(Modality::Face)?;
        let run = Workers { engine, permit: &permit, pictures, crops, next: AtomicUsize::new(0) };
        let mut done = Vec::with_capacity(pictures.len());
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| run.work())).collect();
            for worker in workers {
                done.extend(worker.join().map_err(|_| CliError::Worker)??);
            }
            Ok::<(), CliError>(())
        })?;
        done.sort_by_key(|one| one.index);
        let mut own = Self { faces: Vec::new(), failures: Vec::new(), worked: Duration::ZERO };
        for (Done { embedded, took, .. }, Picture { name, person, .. }) in done.into_iter().zip(pictures) {
            own.worked += took;
            match embedded {
                Ok(embedding) => own.faces.push(Face { name, person, embedding }),
                Err(why) => own.failures.push(Failure { name, why }),
            }
        }
        Ok(own)
    }

    pub(super) fn faces(&self) -> &[Face<'a>] {
        &self.faces
    }

    pub(super) fn failures(&self) -> &[Failure<'a>] {
        &self.failures
    }

    /// How many pictures there were.
    pub(super) fn pictures(&self) -> usize {
        self.faces.len() + self.failures.len()
    }

    /// The time that the threads worked, together.
    pub(super) const fn worked(&self) -> Duration {
        self.worked
    }

    /// Every pair once: both people and the similarity.
    pub(super) fn comparisons(&self) -> impl Iterator<Item = (&'a str, &'a str, f64)> {
        let pairs =
            self.faces.iter().enumerate().flat_map(|(i, a)| self.faces.iter().take(i).map(move |b| (a, b)));
        pairs.map(|(a, b)| (a.person, b.person, a.cosine(b)))
    }
}

impl Face<'_> {
    /// The cosine, -1 to 1, higher is more alike; embeddings have length 1.
    pub(super) fn cosine(&self, other: &Self) -> f64 {
        let (a, b) = (self.embedding.expose_embedding(), other.embedding.expose_embedding());
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }
}

/// What the threads share.
struct Workers<'a> {
    engine: &'a FaceEngine,
    permit: &'a Permit<Evaluation>,
    pictures: &'a [Picture],
    crops: Option<&'a CropFolder>,
    next: AtomicUsize,
}

struct Done {
    index: usize,
    embedded: Result<FaceEmbedding<Evaluation>, Why>,
    took: Duration,
}

impl Workers<'_> {
    /// Takes pictures until there are none; a crop that cannot be written stops every thread.
    fn work(&self) -> Result<Vec<Done>, CliError> {
        let mut done = Vec::new();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(picture) = self.pictures.get(index) else { return Ok(done) };
            let started = Instant::now();
            let evaluated = self.evaluate(&picture.path);
            let took = started.elapsed();
            if let (Ok(face), Some(crops)) = (&evaluated, self.crops) {
                let written = crops.write(index, face.expose_crop());
                written.inspect_err(|_| self.next.store(self.pictures.len(), Ordering::Relaxed))?;
            }
            done.push(Done { index, embedded: evaluated.map(Evaluated::into_embedding), took });
        }
    }

    fn evaluate(&self, path: &Path) -> Result<Evaluated, Why> {
        let limits = Limits::default();
        let bytes = read(path, limits.max_bytes).map_err(|error| Why::Unreadable(error.kind()))?;
        let image = Image::decode(&bytes, &limits).map_err(Why::Picture)?;
        evaluate(self.engine, self.permit, &image).map_err(Why::Picture)?.ok_or(Why::NoFace)
    }
}

/// Reads one byte more than the limit at most, so that the decoder refuses what is too long.
fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
