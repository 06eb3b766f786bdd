use crate::EnvelopeError;

/// Reads an encoding from its start; every step says where it failed, never what it found.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    part: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Self { rest: bytes, part }
    }

    pub(crate) fn malformed(&self) -> EnvelopeError {
        EnvelopeError::malformed(self.part)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], EnvelopeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(self.malformed())?;
        self.rest = rest;
        Ok(array)
    }

    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], EnvelopeError> {
        let (slice, rest) = self.rest.split_at_checked(len).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(slice)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, EnvelopeError> {
        Ok(u8::from_be_bytes(*self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, EnvelopeError> {
        Ok(u16::from_be_bytes(*self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, EnvelopeError> {
        Ok(u32::from_be_bytes(*self.array()?))
    }

    pub(crate) fn u48(&mut self) -> Result<u64, EnvelopeError> {
        let [a, b, c, d, e, f] = *self.array()?;
        Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, EnvelopeError> {
        Ok(u64::from_be_bytes(*self.array()?))
    }

    /// Everything that is left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Refuses trailing bytes.
    pub(crate) fn end(&self) -> Result<(), EnvelopeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }
}
