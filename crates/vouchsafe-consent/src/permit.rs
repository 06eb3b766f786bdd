use std::marker::PhantomData;

use vouchsafe_types::{Digest, OrganisationId, Scope, SubjectPseudonym, Timestamp};

mod sealed {
    pub trait Sealed {}
}

/// On what a permit rests: consent, or an evaluation that stores nothing. Nobody else can add a basis.
pub trait Basis: sealed::Sealed + Send + Sync + 'static {}

/// The person consented; only [`Gate::permit`](crate::Gate::permit) makes such a permit.
#[derive(Debug)]
pub enum Consented {}

/// A bench or an accuracy run; what it makes is accepted neither by protect, nor store, nor presence.
#[derive(Debug)]
pub enum Evaluation {}

impl sealed::Sealed for Consented {}
impl sealed::Sealed for Evaluation {}
impl Basis for Consented {}
impl Basis for Evaluation {}

/// Whom and what a permit, and everything made under it, belongs to, and until when it may be used.
///
/// What was captured under one permit is used under that permit only: another one has another end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    organisation: OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    sequence: u64,
    notice: Digest,
    expires: Timestamp,
}

impl Binding {
    pub(crate) const fn new(
        organisation: OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
        sequence: u64,
        notice: Digest,
        expires: Timestamp,
    ) -> Self {
        Self { organisation, subject, scope, sequence, notice, expires }
    }

    /// Whose tenant.
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// Which person.
    pub const fn subject(&self) -> SubjectPseudonym {
        self.subject
    }

    /// For what.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The number of the act of consent that the permit rests on.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// SHA-256 of the notice that was consented to; all zero under an evaluation permit.
    pub const fn notice(&self) -> Digest {
        self.notice
    }
}

/// Evidence that one person consented to one scope; lives for minutes.
///
/// It cannot be built outside this crate, cloned or serialised:
///
/// ```compile_fail,E0451
/// use vouchsafe_consent::{Binding, Consented, Permit};
/// fn forge(binding: Binding) -> Permit<Consented> {
///     Permit { binding, basis: std::marker::PhantomData }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit<B: Basis> {
    binding: Binding,
    basis: PhantomData<B>,
}

impl<B: Basis> Permit<B> {
    // INVARIANT (permit from the gate): called only by the gate and by `danger`.
    pub(crate) const fn new(binding: Binding) -> Self {
        Self { binding, basis: PhantomData }
    }

    /// Whom and what it is for.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// The instant from which it is stale.
    pub const fn expires(&self) -> Timestamp {
        self.binding.expires
    }

    /// Whether it may still be used.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.binding.expires
    }
}
