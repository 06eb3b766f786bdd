use std::fmt;

use vouchsafe_types::{Digest, Timestamp};

use crate::TemplateError;

/// From what similarity on a probe counts as the person's, and how that is known.
///
/// The similarity is the cosine of probe and reference, -1 to 1; higher is more alike, strangers lie around 0.
/// The value itself is private: a score or a distance to it would help an attacker to climb.
#[derive(Debug, Clone)]
pub struct Threshold {
    pub(crate) cosine: f64,
    certificate: ThresholdCertificate,
}

impl Threshold {
    /// SHA-256 of the shipped face model, the only one that [`Self::reported_default`] applies to.
    pub const SHIPPED_FACE_MODEL: Digest = Digest::from_bytes([
        0x87, 0xaa, 0xcd, 0xfe, 0x57, 0x51, 0x0d, 0xb2, 0xaf, 0x90, 0xc0, 0x25, 0x1d, 0xf6, 0x80, 0xe8, 0xee,
        0xc8, 0x8f, 0x12, 0x2e, 0xe9, 0x47, 0x12, 0x12, 0x1d, 0x09, 0xbc, 0xaa, 0xaf, 0x35, 0x81,
    ]);

    /// The default for the shipped face model: cosine 0.41.
    ///
    /// Reported on grey-scale LFW pictures, 1,888 people, every picture against every other (4,162 genuine,
    /// 5.77 million impostor comparisons): FMR 1e-4 at 0.411, with FNMR 4.37 %. The looser point of the same
    /// run, 0.337 at FMR 1e-3 with FNMR 2.16 %, is not the default: verification is claimed against strangers
    /// who may choose whom to claim to be, NIST SP 800-63B (revision 3), 5.2.3, asks for 1 in 1,000 or better
    /// *in operation*, and a reported figure needs a margin to be defended there.
    ///
    /// The figure is **reported, not certified**: the pictures cannot be redistributed, so there is no data
    /// digest, and comparisons that share people are not independent. By the rule of three 1,888 people without
    /// a single false match would bound the rate at 1.6e-3 with 95 % confidence: below 1e-3 it is *not
    /// certifiable with this data*. Operators measure their own population.
    ///
    /// # Errors
    /// [`TemplateError::ThresholdUnknown`] for any other model.
    pub fn reported_default(model: Digest) -> Result<Self, TemplateError> {
        if model != Self::SHIPPED_FACE_MODEL {
            return Err(TemplateError::ThresholdUnknown);
        }
        let certificate = ThresholdCertificate {
            kind: CertificateKind::Reported,
            model,
            data: None,
            target_fmr: 1e-4,
            fnmr: 0.0437,
            people: 1888,
            upper_bound: None,
            issued: None,
        };
        Ok(Self { cosine: 0.41, certificate })
    }

    /// How the value is known.
    pub const fn certificate(&self) -> &ThresholdCertificate {
        &self.certificate
    }

    /// SHA-256 of the only model whose templates it decides about.
    pub const fn model(&self) -> Digest {
        self.certificate.model
    }
}

/// Where a threshold comes from: model, data, target, people, bound, date.
#[derive(Debug, Clone)]
pub struct ThresholdCertificate {
    kind: CertificateKind,
    model: Digest,
    data: Option<Digest>,
    target_fmr: f64,
    fnmr: f64,
    people: u32,
    upper_bound: Option<f64>,
    issued: Option<Timestamp>,
}

impl ThresholdCertificate {
    /// What kind of evidence stands behind it.
    pub const fn kind(&self) -> CertificateKind {
        self.kind
    }

    /// SHA-256 of the model.
    pub const fn model(&self) -> Digest {
        self.model
    }

    /// SHA-256 of the data; `None` when the data cannot be redistributed.
    pub const fn data(&self) -> Option<Digest> {
        self.data
    }

    /// The false match rate (ISO/IEC 19795-1) aimed at, 0 to 1.
    pub const fn target_fmr(&self) -> f64 {
        self.target_fmr
    }

    /// The false non-match rate (ISO/IEC 19795-1) observed at the threshold, 0 to 1.
    pub const fn fnmr(&self) -> f64 {
        self.fnmr
    }

    /// The number of people in the data. People bound a rate, pairs do not.
    pub const fn people(&self) -> u32 {
        self.people
    }

    /// The upper 95 % bound of the false match rate; `None` when the target is not certifiable with this data.
    pub const fn upper_bound(&self) -> Option<f64> {
        self.upper_bound
    }

    /// When it was issued; `None` when the report is undated.
    pub const fn issued(&self) -> Option<Timestamp> {
        self.issued
    }
}

impl fmt::Display for ThresholdCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, target_fmr, fnmr, people, .. } = self;
        write!(f, "{kind}: target FMR {target_fmr:.0e}, FNMR {:.2} %, {people} people, ", 100.0 * fnmr)?;
        match self.upper_bound {
            Some(bound) => write!(f, "FMR below {bound:.1e} with 95 % confidence"),
            None => f.write_str("not certifiable with this data"),
        }
    }
}

/// What stands behind a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateKind {
    /// A figure that its publisher reports; the data is not at hand.
    Reported,
}

impl fmt::Display for CertificateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported => f.write_str("reported"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_reported_and_says_that_it_is_not_certifiable() {
        let threshold = Threshold::reported_default(Threshold::SHIPPED_FACE_MODEL).unwrap();
        let certificate = threshold.certificate();
        assert_eq!(certificate.kind(), CertificateKind::Reported);
        assert_eq!((certificate.data(), certificate.upper_bound()), (None, None));
        assert!(3.0 / f64::from(certificate.people()) > 1e-3, "rule of three over people");
        assert_eq!(
            certificate.to_string(),
            "reported: target FMR 1e-4, FNMR 4.37 %, 1888 people, not certifiable with this data"
        );
    }

    #[test]
    fn another_model_has_no_default() {
        let other = Digest::from_bytes([7; 32]);
        assert_eq!(Threshold::reported_default(other).err(), Some(TemplateError::ThresholdUnknown));
    }

    #[test]
    fn the_shipped_model_is_spelled_right() {
        let spelled = "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581";
        assert_eq!(Digest::parse(spelled), Ok(Threshold::SHIPPED_FACE_MODEL));
    }
}
