#[cfg(all(feature = "bundled-models", feature = "engine-tract"))]
use std::path::Path;
use std::sync::Arc;

use vouchsafe_consent::{Consented, Permit};
use vouchsafe_embed::{CaptureSession, Image, LiveFace};
#[cfg(all(feature = "bundled-models", feature = "engine-tract"))]
use vouchsafe_embed::{FaceEngine, ModelSet};
use vouchsafe_envelope::CacheMetrics;
use vouchsafe_ledger::EntryKind;
use vouchsafe_types::{DataClass, OrganisationId, Outcome, Reasons, Refusal};

use crate::core::Core;
use crate::{Error, Organisation, Ports, Subject};

/// The whole of vouchsafe over one set of ports. Share it; every method takes `&self`.
pub struct Vouchsafe {
    pub(crate) core: Arc<Core>,
}

impl Vouchsafe {
    /// Opens a folder with the default ports and the bundled face models; creates it when empty.
    ///
    /// # Errors
    /// [`Error::KeysMissing`], [`Error::Keys`], [`Error::Store`], [`Error::Embed`], [`Error::Folder`].
    #[cfg(all(feature = "bundled-models", feature = "engine-tract"))]
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let ports = Ports::in_folder(dir.as_ref())?;
        let engine = FaceEngine::load(&ModelSet::bundled()?)?;
        Ok(Self::open_with(ports.with_engine(Arc::new(engine))))
    }

    /// Opens with these ports.
    pub fn open_with(ports: Ports) -> Self {
        Self { core: Arc::new(Core::new(ports)) }
    }

    /// An organisation; its keys and log are provisioned at the first call.
    ///
    /// # Errors
    /// [`Error::Type`] for a malformed id; [`Error::Envelope`] when keys exist and the key state is lost;
    /// [`Error::ResidenceUndeclared`], [`Error::OutsideRegions`] when something lies where the policy does not allow.
    pub fn organisation(&self, id: &str) -> Result<Organisation<'_>, Error> {
        Organisation::provision(&self.core, OrganisationId::parse(id)?)
    }

    /// Wipes every unsealed key state now, instead of after five minutes; the next use unwraps it again.
    pub fn wipe_keys(&self) {
        self.core.ring.wipe();
    }

    /// What the cache of unsealed key states did; no count names an organisation.
    pub fn key_cache_metrics(&self) -> CacheMetrics {
        self.core.ring.cache_metrics()
    }

    /// Captures a face from one still picture, which it consumes: detect, check quality, judge, align.
    ///
    /// A still proves little: its assurance is [`Assurance::Weak`](crate::Assurance::Weak).
    ///
    /// # Errors
    /// [`Error::Embed`] is no verdict; a refusal is [`Outcome::Refused`] with advice for the person.
    pub fn capture(
        &self,
        permit: &Permit<Consented>,
        picture: Image,
    ) -> Result<Outcome<LiveFace<Consented>>, Error> {
        let ports = &self.core.ports;
        let engine = ports.engine.as_ref().ok_or(Error::NoEngine)?;
        let now = self.core.now();
        let captured = if permit.is_live(now) {
            CaptureSession::open(engine, permit, ports.capture, now)?.submit(picture, &*ports.judge)?
        } else {
            Outcome::Refused(Reasons::one(Refusal::PermitStale))
        };
        if let Outcome::Refused(reasons) = &captured {
            self.log_refused_capture(permit, reasons)?;
        }
        Ok(captured)
    }

    /// A refused capture is a refused attempt, and an entry of the log.
    fn log_refused_capture(&self, permit: &Permit<Consented>, reasons: &Reasons) -> Result<(), Error> {
        let binding = permit.binding();
        let organisation = Organisation { core: &self.core, id: binding.organisation().clone() };
        let subject = Subject { organisation: &organisation, pseudonym: binding.subject() };
        subject.act(&[DataClass::VerificationLog], |act| {
            let kind = EntryKind::VerificationRefused;
            subject.log_refusal(act, kind, binding.scope(), reasons).map(drop)
        })
    }
}

impl std::fmt::Debug for Vouchsafe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vouchsafe").finish_non_exhaustive()
    }
}
