//! The key services: started by the test, reached by the processes of its stages, saved and put back while stopped.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use vouchsafe_envelope::port::KeyService;
use vouchsafe_keys::KeyFile;
use vouchsafe_testkit::scene::copy_folder;
#[cfg(feature = "openbao")]
use vouchsafe_testkit::services::openbao::OpenBaoServer;
#[cfg(feature = "pkcs11")]
use vouchsafe_testkit::services::softhsm::{LABEL, PIN, SoftHsm};
#[cfg(feature = "tpm")]
use vouchsafe_testkit::services::swtpm::Swtpm;
use vouchsafe_types::SecretBytes;

/// The test whose process carries out a stage.
const STAGE: &str = "stage_of_a_drill";
const PASSPHRASE: &[u8] = b"correct horse battery staple";
/// How a stage reaches its service: an address, a token, a TCTI.
const ADDRESS: &str = "VOUCHSAFE_DRILL_ADDRESS";
#[cfg(feature = "openbao")]
const TOKEN: &str = "VOUCHSAFE_DRILL_TOKEN";
/// The first NV index that TCG leaves to the owner.
#[cfg(feature = "tpm")]
const INDEX: u32 = 0x0180_0000;

/// A key service of a drill, and the folder of what it keeps on this host.
pub(crate) struct Service {
    kind: Kind,
    folder: PathBuf,
}

enum Kind {
    KeyFile,
    Passphrase,
    #[cfg(feature = "pkcs11")]
    SoftHsm(SoftHsm),
    #[cfg(feature = "openbao")]
    OpenBao {
        server: OpenBaoServer,
        token: String,
    },
    #[cfg(feature = "tpm")]
    Swtpm(Swtpm),
}

impl Service {
    fn new(home: &Path, kind: Kind) -> Self {
        let folder = folder(home);
        fs::create_dir_all(&folder).unwrap();
        Self { kind, folder }
    }

    pub(crate) fn key_file(home: &Path) -> Option<Self> {
        Some(Self::new(home, Kind::KeyFile))
    }

    pub(crate) fn passphrase(home: &Path) -> Option<Self> {
        Some(Self::new(home, Kind::Passphrase))
    }

    #[cfg(feature = "pkcs11")]
    pub(crate) fn softhsm(home: &Path) -> Option<Self> {
        let Some(token) = SoftHsm::create(&home.join("token")) else {
            vouchsafe_testkit::services::skip("the restore drill of PKCS#11", "SoftHSM2 (apt: softhsm2)");
            return None;
        };
        Some(Self { folder: token.tokens(), kind: Kind::SoftHsm(token) })
    }

    #[cfg(feature = "openbao")]
    pub(crate) fn openbao(home: &Path) -> Option<Self> {
        let server = OpenBaoServer::launch()?;
        let any = vouchsafe_keys::OpenBaoCredentials::Token(SecretBytes::new(b"any".to_vec()));
        let policy = vouchsafe_keys::OpenBaoConfig::new(&server.address(), &[], any).policy();
        let token = server.token(&policy, &serde_json::Value::Null);
        let service = Self::new(home, Kind::OpenBao { token, server });
        if let Kind::OpenBao { server, .. } = &service.kind {
            fs::write(certificate(home), server.ca_certificate()).unwrap();
        }
        Some(service)
    }

    #[cfg(feature = "tpm")]
    pub(crate) fn swtpm(home: &Path) -> Option<Self> {
        Some(Self::new(home, Kind::Swtpm(Swtpm::new().unwrap()?)))
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::KeyFile => "key_file",
            Kind::Passphrase => "key_file_passphrase",
            #[cfg(feature = "pkcs11")]
            Kind::SoftHsm(_) => "softhsm2",
            #[cfg(feature = "openbao")]
            Kind::OpenBao { .. } => "openbao",
            #[cfg(feature = "tpm")]
            Kind::Swtpm(_) => "swtpm",
        }
    }

    /// This test binary again, as a process that reaches the service.
    pub(crate) fn program(&self) -> Command {
        let plain = || {
            let mut program = Command::new(env::current_exe().unwrap());
            program.args([STAGE, "--exact", "--nocapture", "--test-threads=1"]);
            program
        };
        match &self.kind {
            #[cfg(feature = "pkcs11")]
            Kind::SoftHsm(token) => token.program(STAGE),
            #[cfg(feature = "openbao")]
            Kind::OpenBao { server, token } => {
                let mut program = plain();
                program.env(ADDRESS, server.address()).env(TOKEN, token);
                program
            }
            #[cfg(feature = "tpm")]
            Kind::Swtpm(tpm) => {
                let mut program = plain();
                program.env(ADDRESS, tpm.tcti());
                program
            }
            Kind::KeyFile | Kind::Passphrase => plain(),
        }
    }

    /// Copies what the service keeps, its file on this host and its own storage, into a new folder.
    pub(crate) fn snapshot_to(&mut self, to: &Path) {
        fs::create_dir(to).unwrap();
        copy_folder(&self.folder, &to.join("host")).unwrap();
        match &mut self.kind {
            #[cfg(feature = "openbao")]
            Kind::OpenBao { server, .. } => {
                server.stop();
                server.snapshot_to(&to.join("storage"));
                server.start();
            }
            #[cfg(feature = "tpm")]
            Kind::Swtpm(tpm) => tpm.snapshot_to(&to.join("chip")).unwrap(),
            _ => {}
        }
    }

    /// Puts back what [`Self::snapshot_to`] copied.
    pub(crate) fn restore_from(&mut self, from: &Path) {
        fs::remove_dir_all(&self.folder).unwrap();
        copy_folder(&from.join("host"), &self.folder).unwrap();
        match &mut self.kind {
            #[cfg(feature = "openbao")]
            Kind::OpenBao { server, .. } => {
                server.stop();
                server.restore_from(&from.join("storage"));
                server.start();
            }
            #[cfg(feature = "tpm")]
            Kind::Swtpm(tpm) => tpm.restore_from(&from.join("chip")).unwrap(),
            _ => {}
        }
    }
}

/// Opens a service by its name, in the process of a stage; the first one makes it.
pub(crate) fn open(name: &str, home: &Path) -> Arc<dyn KeyService> {
    let file = folder(home).join("service.keys");
    let passphrase = SecretBytes::new(PASSPHRASE.to_vec());
    match (name, file.exists()) {
        ("key_file", false) => Arc::new(KeyFile::create_new(file).unwrap()),
        ("key_file", true) => Arc::new(KeyFile::open(file).unwrap()),
        ("key_file_passphrase", false) => {
            Arc::new(KeyFile::create_with_passphrase(file, &passphrase).unwrap())
        }
        ("key_file_passphrase", true) => Arc::new(KeyFile::open_with_passphrase(file, &passphrase).unwrap()),
        #[cfg(feature = "pkcs11")]
        ("softhsm2", _) => {
            let token = SoftHsm::inherited().unwrap();
            let name = vouchsafe_keys::TokenName::Label(LABEL.to_owned());
            let pin = SecretBytes::new(PIN.into());
            Arc::new(
                vouchsafe_keys::Pkcs11::open(vouchsafe_keys::Pkcs11Config::new(token.module(), name, pin))
                    .unwrap(),
            )
        }
        #[cfg(feature = "openbao")]
        ("openbao", _) => {
            let token = SecretBytes::new(env::var(TOKEN).unwrap().into_bytes());
            let config = vouchsafe_keys::OpenBaoConfig::new(
                &env::var(ADDRESS).unwrap(),
                &fs::read(certificate(home)).unwrap(),
                vouchsafe_keys::OpenBaoCredentials::Token(token),
            );
            Arc::new(vouchsafe_keys::OpenBao::connect(config).unwrap())
        }
        #[cfg(feature = "tpm")]
        ("swtpm", made) => {
            let config = || {
                vouchsafe_keys::TpmConfig::new(&env::var(ADDRESS).unwrap(), INDEX, &passphrase, &file)
                    .unwrap()
            };
            let no_owner = SecretBytes::new(Vec::new());
            Arc::new(if made {
                vouchsafe_keys::Tpm::open(config()).unwrap()
            } else {
                vouchsafe_keys::Tpm::provision(config(), &no_owner).unwrap()
            })
        }
        (other, _) => panic!("{other} is not compiled in"),
    }
}

/// What a service keeps on this host, beside the deployment.
fn folder(home: &Path) -> PathBuf {
    home.join("service")
}

#[cfg(feature = "openbao")]
fn certificate(home: &Path) -> PathBuf {
    home.join("ca.pem")
}
