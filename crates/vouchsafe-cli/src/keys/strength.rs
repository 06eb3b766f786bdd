use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use vouchsafe::envelope::port::{Capabilities, Destroys, ErasureStrength, KeyService};

use crate::folder::Place;
use crate::parts::Parts;
use crate::service::ServiceArgs;
use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct Strength {
    #[command(flatten)]
    service: ServiceArgs,
    /// An organisation, which must then be known in the folder
    #[arg(long, value_name = "ID", requires = "dir")]
    org: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Strength {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let declared = Declared::of(&*self.open()?);
        if self.json { files::print_json(out, &declared) } else { declared.print(out) }
    }

    fn open(&self) -> Result<Arc<dyn KeyService>, CliError> {
        let keys: Option<PathBuf> = self.service.keys.clone();
        match (&self.service.dir, &self.org) {
            (Some(dir), Some(org)) => {
                let parts = Parts { keys, ..Parts::default() };
                Ok(Place::new(dir.clone(), org.clone(), parts).open()?.keys())
            }
            _ => self.service.open(),
        }
    }
}

/// What a key service says of itself.
#[derive(Serialize)]
pub(super) struct Declared {
    strength: &'static str,
    destroys: &'static str,
    rewraps: bool,
    attests: bool,
    remote: bool,
    means: &'static str,
}

impl Declared {
    pub(super) fn of(service: &dyn KeyService) -> Self {
        let Capabilities { destroys, rewraps, attests, remote } = service.capabilities();
        let destroys = match destroys {
            Destroys::Any => "any",
            Destroys::OlderThanNewest => "older_than_newest",
        };
        let strength = service.strength();
        Self { strength: strength.name(), destroys, rewraps, attests, remote, means: meaning(strength) }
    }

    pub(super) fn print(&self, out: &mut dyn Write) -> Result<(), CliError> {
        writeln!(out, "strength={}", self.strength)?;
        writeln!(out, "destroys={}", self.destroys)?;
        writeln!(out, "rewraps={}", self.rewraps)?;
        writeln!(out, "attests={}", self.attests)?;
        writeln!(out, "remote={}", self.remote)?;
        writeln!(out, "means={}", self.means)?;
        Ok(())
    }
}

const fn meaning(strength: ErasureStrength) -> &'static str {
    match strength {
        ErasureStrength::ServiceAttested => {
            "the key service keeps keys away from this host and attests that a destroyed one is gone"
        }
        ErasureStrength::ServiceExcludedFromBackup => {
            "declared by the operator and checked by nobody: no backup or snapshot holds the key service's storage; \
             where one does, restoring it opens what was destroyed since"
        }
        ErasureStrength::HostOnly => {
            "whoever has copies of the key service's disk, the key state and the data from before a destruction still \
             opens what was destroyed since"
        }
        ErasureStrength::None => {
            "the key service destroys no key: whoever reads it opens what was destroyed from any older copy"
        }
    }
}
