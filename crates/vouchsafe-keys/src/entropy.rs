use ring::rand::{SecureRandom, SystemRandom};
use vouchsafe_types::{Entropy, EntropyUnavailable};

/// The operating system's random generator.
#[derive(Debug, Clone)]
pub struct OsEntropy(SystemRandom);

impl OsEntropy {
    /// A handle on the operating system's generator.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.0.fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

impl Default for OsEntropy {
    fn default() -> Self {
        Self::new()
    }
}
