use std::fmt;

/// The end of an act that can be refused: a refusal is a verdict, not an error.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "callers match both verdicts on purpose")]
pub enum Outcome<T> {
    /// The act took place.
    Done(T),
    /// The act was refused, and why.
    Refused(Reasons),
}

impl<T> Outcome<T> {
    /// Turns a refusal into an error, for callers that have no other way to go on.
    ///
    /// # Errors
    /// The [`Reasons`] of the refusal.
    pub fn or_refuse(self) -> Result<T, Reasons> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(reasons) => Err(reasons),
        }
    }

    /// The value, if the act took place.
    pub fn done(self) -> Option<T> {
        self.or_refuse().ok()
    }

    /// Applies a function to the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(f(value)),
            Self::Refused(reasons) => Outcome::Refused(reasons),
        }
    }
}

/// Why an act was refused: at least one [`Refusal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons(Vec<Refusal>);

impl Reasons {
    /// One reason.
    pub fn one(refusal: Refusal) -> Self {
        Self(vec![refusal])
    }

    /// Several reasons; `None` when the list is empty.
    pub fn several(refusals: Vec<Refusal>) -> Option<Self> {
        if refusals.is_empty() { None } else { Some(Self(refusals)) }
    }

    /// The reasons, in the order they were found.
    pub fn as_slice(&self) -> &[Refusal] {
        &self.0
    }

    /// Whether a reason is among them.
    pub fn contains(&self, refusal: Refusal) -> bool {
        self.0.contains(&refusal)
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, refusal) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(refusal.advice())?;
        }
        Ok(())
    }
}

impl std::error::Error for Reasons {}

/// One reason for a refusal. It says what the person or the caller can do, and nothing about scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Refusal {
    /// The organisation's policy wants an attested age, and none was attested.
    AgeNotAttested,
    /// The assurance of the capture is below what the scope demands.
    AssuranceTooLow,
    /// A template exists already; withdraw or re-enrol explicitly.
    AlreadyEnrolled,
    /// The term for which consent was given is over.
    ConsentExpired,
    /// Consent was found to be invalid.
    ConsentInvalidated,
    /// Consent was never given for this scope.
    ConsentMissing,
    /// The notice changed materially since consent was given.
    ConsentOutdated,
    /// The person declined.
    ConsentRefused,
    /// The organisation revoked the consent.
    ConsentRevoked,
    /// Consent was withdrawn.
    ConsentWithdrawn,
    /// The face is smaller than the model needs.
    FaceTooSmall,
    /// The face is turned away from the camera.
    FaceTurned,
    /// The person is below the age that the organisation's policy sets.
    Minor,
    /// No face was found.
    NoFace,
    /// The face does not match the enrolled one.
    NoMatch,
    /// No template is enrolled for this scope.
    NotEnrolled,
    /// The permit is older than its minutes of life, or consent changed after it was made.
    PermitStale,
    /// The capture looks like a presentation of an artefact (ISO/IEC 30107-1).
    PresentationAttackSuspected,
    /// The person objected to the processing (GDPR Art 21).
    ProcessingObjected,
    /// The processing is restricted (GDPR Art 18).
    ProcessingRestricted,
    /// The template was destroyed.
    TemplateDestroyed,
    /// The picture is blurred.
    TooBlurred,
    /// The picture is too bright.
    TooBright,
    /// The picture is too dark.
    TooDark,
    /// More than one face was found.
    SeveralFaces,
    /// The input lies outside what the judge was measured on; no verdict.
    Undecided,
}

impl Refusal {
    /// The stable name used in log entries and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgeNotAttested => "age_not_attested",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::AssuranceTooLow => "assurance_too_low",
            Self::ConsentExpired => "consent_expired",
            Self::ConsentInvalidated => "consent_invalidated",
            Self::ConsentMissing => "consent_missing",
            Self::ConsentOutdated => "consent_outdated",
            Self::ConsentRefused => "consent_refused",
            Self::ConsentRevoked => "consent_revoked",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::FaceTooSmall => "face_too_small",
            Self::FaceTurned => "face_turned",
            Self::Minor => "minor",
            Self::NoFace => "no_face",
            Self::NoMatch => "no_match",
            Self::NotEnrolled => "not_enrolled",
            Self::PermitStale => "permit_stale",
            Self::PresentationAttackSuspected => "presentation_attack_suspected",
            Self::ProcessingObjected => "processing_objected",
            Self::ProcessingRestricted => "processing_restricted",
            Self::SeveralFaces => "several_faces",
            Self::TemplateDestroyed => "template_destroyed",
            Self::TooBlurred => "too_blurred",
            Self::TooBright => "too_bright",
            Self::TooDark => "too_dark",
            Self::Undecided => "undecided",
        }
    }

    /// What to do about it, in one clause.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::AgeNotAttested => "the age has not been attested: ask the person to attest it",
            Self::AlreadyEnrolled => "a template is enrolled already: destroy it before enrolling again",
            Self::AssuranceTooLow => "this scope demands a stronger capture than a still picture",
            Self::ConsentExpired => "the term of the consent is over: consent must be given again",
            Self::ConsentInvalidated => "the consent was found invalid: it must be given anew",
            Self::ConsentMissing => "consent has not been given for this scope",
            Self::ConsentOutdated => "the notice has changed: consent must be renewed",
            Self::ConsentRefused => "the person declined to consent",
            Self::ConsentRevoked => "the organisation has revoked the consent",
            Self::ConsentWithdrawn => "consent has been withdrawn",
            Self::FaceTooSmall => "the face is too small: move closer to the camera",
            Self::FaceTurned => "the face is turned away: look at the camera",
            Self::Minor => "the person is below the age at which this may be done",
            Self::NoFace => "no face was found: put one face in the picture",
            Self::NoMatch => "the face does not match the enrolled one",
            Self::NotEnrolled => "no template is enrolled for this scope",
            Self::PermitStale => "the permit is stale: ask the consent gate again",
            Self::PresentationAttackSuspected => "the picture looks like a picture of a picture or a screen",
            Self::ProcessingObjected => "the person has objected: nothing is processed until that is settled",
            Self::ProcessingRestricted => {
                "processing is restricted: nothing is processed until that is lifted"
            }
            Self::SeveralFaces => "more than one face was found: be alone in the picture",
            Self::TemplateDestroyed => "the template has been destroyed",
            Self::TooBlurred => "the picture is blurred: hold still and clean the lens",
            Self::TooBright => "the picture is too bright: avoid direct light",
            Self::TooDark => "the picture is too dark: find more light",
            Self::Undecided => {
                "the picture is unlike those the judge was measured on: use the camera's original, \
                 unfiltered picture"
            }
        }
    }
}
