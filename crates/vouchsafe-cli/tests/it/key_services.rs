//! Other key services than the folder's own key file, by `--keys`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

#[cfg(feature = "openbao")]
use serde_json::Value;
use vouchsafe::types::SecretBytes;
use vouchsafe_keys::KeyFile;

use crate::scene::{Scene, enrol};

const FIRST: &str = "correct horse";
const SECOND: &str = "battery staple";

/// A folder whose key file has a passphrase, and settings that name it.
fn protected() -> Scene {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("store/keys")).unwrap();
    for folder in ["store", "store/keys"] {
        fs::set_permissions(scene.path(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let passphrase = SecretBytes::new(FIRST.into());
    let keys = KeyFile::create_with_passphrase(scene.path("store/keys/service.keys"), &passphrase).unwrap();
    let service = scene.service_with(Arc::new(keys));
    enrol(&service.organisation("acme").unwrap(), "4711", 1);
    drop(service);
    scene.secret("passphrase", &format!("{FIRST}\n"));
    settings(&scene, "kind = \"key-file\"\npassphrase-file = \"passphrase\"\n");
    scene
}

fn settings(scene: &Scene, text: &str) {
    fs::write(scene.path("keys.toml"), text).unwrap();
}

const KEYS: [&str; 2] = ["--keys", "keys.toml"];

fn status(scene: &Scene) -> crate::scene::Run {
    scene.run(&[&["keys", "status"], &KEYS[..]].concat())
}

#[test]
fn a_key_file_with_a_passphrase_is_opened_and_gets_another() {
    let scene = protected();
    let without = scene.run(&["keys", "status"]);
    without.fails(1, "key service: passphrase is wrong or missing");
    assert!(status(&scene).done().contains("\nstrength=host_only\n"));
    assert!(scene.run(&["log", "publish", "--keys", "keys.toml"]).code() == Some(0));
    scene.run(&["log", "verify", "--keys", "keys.toml"]).done();

    scene.secret("new", SECOND);
    let rotate = ["keys", "rotate", "passphrase", "--new-passphrase-file", "new"];
    let place = ["--dir", "store", "--keys", "keys.toml"];
    let rotated = scene.run_anywhere(&[&rotate[..], &place].concat()).done();
    assert!(rotated.starts_with("rotated=passphrase\n"), "{rotated}");
    status(&scene).fails(1, "key service: passphrase is wrong or missing");
    settings(&scene, "kind = \"key-file\"\npath = \"store/keys/service.keys\"\npassphrase-file = \"new\"\n");
    status(&scene).done();
    let alone = scene.run_anywhere(&["keys", "strength", "--keys", "keys.toml"]).done();
    assert!(alone.starts_with("strength=host_only\n"), "{alone}");
}

#[test]
fn a_key_file_gets_its_first_passphrase_from_the_environment() {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    let rotate = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        program.args(["keys", "rotate", "passphrase", "--dir", "store"]).args(arguments);
        program
            .envs(environment.iter().copied())
            .current_dir(scene.dir.path())
            .output()
            .unwrap()
            .status
            .code()
    };
    let new = ["--new-passphrase-env", "NEW"];
    assert_eq!(rotate(&[], &new), Some(2));
    assert_eq!(rotate(&[("NEW", FIRST)], &new), Some(0));
    assert_eq!(rotate(&[("NEW", SECOND)], &new), Some(1));
    let present = [&new[..], &["--passphrase-env", "OLD"]].concat();
    assert_eq!(rotate(&[("NEW", SECOND), ("OLD", SECOND)], &present), Some(1));
    assert_eq!(rotate(&[("NEW", SECOND), ("OLD", FIRST)], &present), Some(0));
    scene.secret("passphrase", SECOND);
    settings(&scene, "kind = \"key-file\"\npassphrase-file = \"passphrase\"\n");
    status(&scene).done();
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let scene = protected();
    for mode in [0o644, 0o640, 0o660] {
        fs::set_permissions(scene.path("passphrase"), fs::Permissions::from_mode(mode)).unwrap();
        status(&scene).fails(1, "the passphrase must be in a private file (mode 0600)");
    }
    fs::remove_file(scene.path("passphrase")).unwrap();
    status(&scene).fails(2, "the file of the passphrase does not exist");
}

#[test]
fn settings_that_cannot_be_used_are_located_and_never_quoted() {
    let scene = protected();
    let pkcs11 = "kind = \"pkcs11\"\nmodule = \"m\"\n";
    let cases: [(String, &str); 12] = [
        (String::new(), "`kind` is missing"),
        ("kind = 7\n".into(), "line 1 is not understood"),
        ("kind = \"key-file\"\npassphrase = \"hunter2\"\n".into(), "line 2 is not understood"),
        ("kind = \"key-file\"\npassphrase-file = hunter2\n".into(), "line 2 is not understood"),
        ("kind = \"key-file\"\nkind = \"key-file\"\n".into(), "line 2 is not understood"),
        (
            "kind = \"key-file\"\npassphrase-file = \"a\"\npassphrase-env = \"b\"\n".into(),
            "the passphrase stands in a file or in the environment, not both",
        ),
        ("kind = \"pkcs11\"\n".into(), "`module` is missing"),
        (pkcs11.into(), "one of `token-label` and `token-serial` is needed"),
        (format!("{pkcs11}token-label = \"x\"\n"), "the pin is missing"),
        (format!("{pkcs11}token-label = \"x\"\npin = \"hunter2\"\n"), "line 4 is not understood"),
        (format!("{pkcs11}strength = \"service_attested\"\n"), "line 3 is not understood"),
        (
            "kind = \"openbao\"\naddress = \"https://x\"\n".into(),
            "it needs a token, or a role id with its secret id",
        ),
    ];
    for (text, fault) in cases {
        settings(&scene, &text);
        let feature = ["openbao", "pkcs11"].into_iter().find(|kind| text.contains(&format!("\"{kind}\"")));
        if built(feature) {
            status(&scene).fails(2, &format!("the key service file: {fault}"));
        }
    }
    settings(&scene, "kind = \"floppy\"\n");
    status(&scene).fails(2, "the key service file names no known kind: key-file, openbao, pkcs11 or tpm");
    fs::write(scene.path("keys.toml"), [0xff]).unwrap();
    status(&scene).fails(2, "the key service file is malformed");
    fs::remove_file(scene.path("keys.toml")).unwrap();
    status(&scene).fails(2, "the key service file does not exist");
}

/// Whether the binary has the feature, if one is needed.
fn built(feature: Option<&str>) -> bool {
    let features = [
        ("openbao", cfg!(feature = "openbao")),
        ("pkcs11", cfg!(feature = "pkcs11")),
        ("tpm", cfg!(feature = "tpm")),
    ];
    features.into_iter().all(|(name, built)| built || feature != Some(name))
}

#[test]
fn a_kind_that_was_not_built_in_names_its_feature() {
    let scene = protected();
    for kind in ["openbao", "pkcs11", "tpm"] {
        settings(&scene, &format!("kind = \"{kind}\"\nwhatever = 1\n"));
        let run = status(&scene);
        if built(Some(kind)) {
            assert_eq!(run.code(), Some(2));
        } else {
            let without = "this program was built without the feature";
            run.fails(2, &format!("{without} {kind}, which that key service needs"));
        }
    }
}

#[test]
fn a_key_file_that_is_not_there_is_never_made() {
    let scene = protected();
    settings(&scene, "kind = \"key-file\"\npath = \"other.keys\"\n");
    status(&scene).fails(2, "the key file does not exist");
    assert!(!scene.path("other.keys").exists());
    settings(&scene, "kind = \"tpm\"\n");
    scene.secret("new", SECOND);
    let rotate = ["keys", "rotate", "passphrase", "--new-passphrase-file", "new", "--keys", "keys.toml"];
    scene.run_anywhere(&rotate).fails(2, "only a key file has a passphrase");
}

#[cfg(feature = "openbao")]
#[test]
fn a_server_that_does_not_answer_or_is_plain_is_named_as_that() {
    let scene = protected();
    scene.secret("token", "hvs.token");
    let server = "kind = \"openbao\"\ntoken-file = \"token\"\ntimeout-ms = 500\naddress = ";
    settings(&scene, &format!("{server}\"http://127.0.0.1:1\"\n"));
    status(&scene).fails(1, "key service: setting cannot be used");
    settings(&scene, &format!("{server}\"http://127.0.0.1:1\"\nplaintext-loopback = true\n"));
    status(&scene).fails(1, "key service: storage is unavailable");
    settings(&scene, &format!("{server}\"https://127.0.0.1:1\"\nca-certificates = \"ca.pem\"\n"));
    status(&scene).fails(2, "the file of CA certificates does not exist");
}

#[cfg(feature = "pkcs11")]
#[test]
fn a_token_serves_a_folder() {
    use vouchsafe_keys::{Pkcs11, Pkcs11Config, TokenName};
    use vouchsafe_testkit::services::softhsm::{LABEL, PIN, with_token};

    with_token("key_services::a_token_serves_a_folder", |token| {
        let scene = Scene::new();
        let (pin, lock) = (SecretBytes::new(PIN.into()), scene.path("token.lock"));
        let config =
            Pkcs11Config::new(token.module(), TokenName::Label(LABEL.into()), pin).with_lock_file(lock);
        let service = scene.service_with(Arc::new(Pkcs11::open(config).unwrap()));
        enrol(&service.organisation("acme").unwrap(), "4711", 1);
        drop(service);
        scene.secret("pin", PIN);
        let module = token.module().display();
        let pkcs11 = format!(
            "kind = \"pkcs11\"\nmodule = \"{module}\"\ntoken-label = \"{LABEL}\"\npin-file = \"pin\"\n\
             lock-file = \"token.lock\"\n"
        );
        settings(&scene, &pkcs11);
        assert!(status(&scene).done().contains("\nstrength=host_only\n"));
        let rotated = scene.run(&[&["keys", "rotate", "state"], &KEYS[..]].concat()).done();
        assert!(rotated.ends_with("after_generation=2 held=2\nrotated=state\n"), "{rotated}");
        assert!(
            scene.run(&[&["keys", "state", "check"], &KEYS[..]].concat()).done().ends_with("gate=open\n")
        );
        settings(&scene, &format!("{pkcs11}strength = \"service_excluded_from_backup\"\n"));
        let declared = scene.run_anywhere(&["keys", "strength", "--keys", "keys.toml"]).done();
        assert!(declared.starts_with("strength=service_excluded_from_backup\n"), "{declared}");
        assert!(declared.contains("means=declared by the operator and checked by nobody"), "{declared}");
        // The folder never had a key file, and gets none.
        let said = "the key file is missing: restore the keys, or name the key service with --keys";
        scene.run(&["keys", "status"]).fails(1, said);
        scene.secret("pin", "0000-wrong");
        status(&scene).fails(1, "key service: pin is wrong, locked, or has one try left");
    });
}

#[cfg(feature = "openbao")]
#[test]
fn a_server_serves_a_folder() {
    use vouchsafe_keys::{OpenBao, OpenBaoConfig, OpenBaoCredentials};
    use vouchsafe_testkit::services::openbao::OpenBaoServer;

    let Some(server) = OpenBaoServer::launch() else { return };
    let scene = Scene::new();
    let config = |token: &str| {
        let credentials = OpenBaoCredentials::Token(SecretBytes::new(token.into()));
        OpenBaoConfig::new(&server.address(), &server.ca_certificate(), credentials)
    };
    let policy = config("any").policy();
    let token = server.token(&policy, &Value::Null);
    let service = scene.service_with(Arc::new(OpenBao::connect(config(&token)).unwrap()));
    enrol(&service.organisation("acme").unwrap(), "4711", 1);
    drop(service);
    fs::write(scene.path("ca.pem"), server.ca_certificate()).unwrap();
    scene.secret("token", &token);
    let address = server.address();
    let openbao = format!("kind = \"openbao\"\naddress = \"{address}\"\nca-certificates = \"ca.pem\"\n");
    settings(&scene, &format!("{openbao}token-file = \"token\"\n"));
    let out = status(&scene).done();
    assert!(out.contains("\nstrength=host_only\ndestroys=older_than_newest\n"), "{out}");
    let (role, secret_id) = server.role(&policy, &Value::Null);
    scene.secret("secret-id", &secret_id);
    let more = "secret-id-file = \"secret-id\"\nstorage-excluded-from-backup = true\n";
    settings(&scene, &format!("{openbao}role-id = \"{role}\"\n{more}"));
    let rotated = scene.run(&[&["keys", "rotate", "state"], &KEYS[..]].concat()).done();
    assert!(rotated.ends_with("after_generation=2 held=2\nrotated=state\n"), "{rotated}");
    assert!(status(&scene).done().contains("\nstrength=service_excluded_from_backup\n"));
    settings(&scene, &format!("{openbao}token-file = \"secret-id\"\n"));
    status(&scene).fails(1, "key service: access is refused or too open");
}

#[cfg(feature = "tpm")]
#[test]
fn a_tpm_serves_a_folder() {
    use vouchsafe_keys::{Tpm, TpmConfig};
    use vouchsafe_testkit::services::swtpm::Swtpm;

    const AUTH: &str = "sixteen bytes or more";
    let Some(tpm) = Swtpm::new().unwrap() else { return };
    let scene = Scene::new();
    let (tcti, auth) = (tpm.tcti(), SecretBytes::new(AUTH.into()));
    let config = TpmConfig::new(&tcti, 0x0180_0000, &auth, scene.path("tpm.keys")).unwrap();
    let keys = Tpm::provision(config, &SecretBytes::new(Vec::new())).unwrap();
    let service = scene.service_with(Arc::new(keys));
    enrol(&service.organisation("acme").unwrap(), "4711", 1);
    drop(service);
    scene.secret("auth", AUTH);
    let named = format!("kind = \"tpm\"\ntcti = \"{tcti}\"\nnv-index = 0x01800000\nfile = \"tpm.keys\"\n");
    settings(&scene, &format!("{named}auth-file = \"auth\"\nstrength = \"service_excluded_from_backup\"\n"));
    assert!(status(&scene).done().contains("\nstrength=service_excluded_from_backup\n"));
    let rotated = scene.run(&[&["keys", "rotate", "state"], &KEYS[..]].concat()).done();
    assert!(rotated.ends_with("after_generation=2 held=2\nrotated=state\n"), "{rotated}");
}

/// The program waits in the middle for a settings file that is a pipe; what the system says of it is read then.
#[cfg(target_os = "linux")]
#[test]
fn no_core_is_ever_dumped() {
    let scene = protected();
    fs::remove_file(scene.path("keys.toml")).unwrap();
    let pipe = scene.path("keys.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    program.args(["keys", "strength", "--keys", "keys.toml"]).current_dir(scene.dir.path());
    let mut child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Opens when the program has opened the other end.
    let writer = fs::File::options().write(true).open(&pipe).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    drop(writer);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
}
