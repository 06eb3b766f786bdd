//! The runbooks of the database, command by command.

use std::fs;
use std::sync::Arc;

use vouchsafe::keys::KeyFile;
use vouchsafe::store::PostgresStore;
use vouchsafe::store::test_util::{Database, Postgres};
use vouchsafe::{Ports, Timestamp, Vouchsafe};

use crate::drill::Drill;
use crate::scene::{FACE, Scene, enrol};

const ON_SQLITE: &str = include_str!("../../../vouchsafe/docs/runbook-store-sqlite.md");
const ON_POSTGRES: &str = include_str!("../../../vouchsafe/docs/runbook-store-postgres.md");

/// Commands on an organisation, which are shown without it.
const ON_THE_FOLDER: [&str; 2] = ["log publish", "recover"];

/// Promise: WB-3-30days
#[test]
fn every_command_of_the_runbook_of_sqlite_does_what_it_says() {
    let scene = Scene::new();
    fs::create_dir(scene.path("store")).unwrap();
    let drill = Drill::new(ON_SQLITE, &ON_THE_FOLDER, scene);
    let scene = &drill.scene;
    drill.set("BACKUP", "backup".to_owned());

    // The first day; the keys come with the service.
    assert!(drill.run("store migrate --create --dir store").done().ends_with("schema  8, made\n"));
    let service = scene.service();
    let organisation = service.organisation("acme").unwrap();
    enrol(&organisation, "gone", 1);
    enrol(&organisation, "stays", 2);
    drill.run("log publish").done();
    let looked = drill.run("store doctor --dir store").done();
    assert!(looked.contains("\nok    database     sqlite opens as the service opens it\n"), "{looked}");
    assert!(!looked.contains("fail"), "{looked}");
    assert!(drill.run("store migrate --dir store").done().ends_with("schema  8, nothing to do\n"));

    // Backups, while the service has the folder open.
    drill.set("KEY", organisation.verifier_key().unwrap().to_string());
    let taken = drill.run("store backup --to BACKUP --dir store").done();
    assert!(taken.starts_with("engine    sqlite\n") && taken.contains("\nholds     acme, "), "{taken}");
    let checked = drill.run("store check BACKUP --log-key KEY").done();
    assert!(checked.contains("\nsigned    acme, ") && checked.ends_with("\nsound\n"), "{checked}");
    assert!(drill.run("store check --payloads --dir store").done().ends_with("\nsound\n"));

    // The database is lost.
    let _ = organisation.subject("gone").unwrap().withdraw(FACE).unwrap();
    enrol(&organisation, "later", 3);
    drop(service);
    fs::remove_dir_all(scene.path("store/data")).unwrap();
    let restored = drill.run("store restore BACKUP --dir store").done();
    assert!(restored.contains("\nclosed    acme, until `vouchsafe recover` ran on it\n"), "{restored}");
    assert!(restored.contains("\nlog       of acme has "), "{restored}");
    let closed = scene.run(&["log", "publish"]);
    assert!(closed.err.contains("run the recovery"), "{}", closed.err);
    let recovered = drill.run("recover").done();
    assert!(recovered.contains("\ndestroyed      1 holding(s), again"), "{recovered}");
    assert!(drill.run("store check --payloads --dir store").done().ends_with("\nsound\n"));
    drill.finished();
}

/// Promise: WB-3-30days
#[test]
fn every_command_of_the_runbook_of_postgresql_does_what_it_says() {
    let Some(server) = Postgres::shared().unwrap() else { return };
    let (scene, database) = (Scene::new(), server.empty_database().unwrap());
    point(&scene, server, &database);
    drop(scene.service());
    fs::remove_dir_all(scene.path("store/data")).unwrap();
    let drill = Drill::new(ON_POSTGRES, &ON_THE_FOLDER, scene);
    let scene = &drill.scene;
    drill.give(&["--store", "store.toml"]);
    drill.set("SERVICE", database.service_role().to_owned());
    drill.set("BACKUP", "backup".to_owned());

    let create = "store migrate --create --service-role SERVICE --dir store --store owner.toml";
    assert!(drill.run(create).done().contains("\nschema  8, made\n"));
    let again = "store migrate --service-role SERVICE --dir store --store owner.toml";
    assert!(drill.run(again).done().contains("\nschema  8, nothing to do\n"));
    let service = serve(scene, &database);
    let organisation = service.organisation("acme").unwrap();
    enrol(&organisation, "gone", 1);
    enrol(&organisation, "stays", 2);
    drill.run("log publish").done();
    let looked = drill.run("store doctor --dir store --store store.toml").done();
    for line in [
        "row-level security is forced on every table",
        "owns no table",
        "no superuser",
        "the server is 0 s ahead",
    ] {
        assert!(looked.contains(line), "{line}\n{looked}");
    }
    drill.set("KEY", organisation.verifier_key().unwrap().to_string());
    let taken = drill.run("store backup --to BACKUP --dir store --store store.toml").done();
    assert!(taken.starts_with("engine    postgres\n"), "{taken}");
    assert!(drill.run("store check BACKUP --log-key KEY").done().ends_with("\nsound\n"));
    let check = "store check --payloads --dir store --store store.toml";
    assert!(drill.run(check).done().ends_with("\nsound\n"));

    // The database is lost.
    let _ = organisation.subject("gone").unwrap().withdraw(FACE).unwrap();
    drop(service);
    let second = server.empty_database().unwrap();
    point(scene, server, &second);
    drill.run(create).done();
    let restored =
        drill.run("store restore BACKUP --dir store --store owner.toml --serving store.toml").done();
    assert!(restored.contains("\nclosed    acme, until"), "{restored}");
    assert!(drill.run("recover").done().contains("\ndestroyed      1 holding(s), again"));
    assert!(drill.run(check).done().ends_with("\nsound\n"));

    // An organisation that began on SQLite.
    let third = server.empty_database().unwrap();
    point(scene, server, &third);
    drill.run(create).done();
    for folder in ["store", "backup"] {
        fs::remove_dir_all(scene.path(folder)).unwrap();
    }
    let local = scene.service();
    let organisation = local.organisation("acme").unwrap();
    enrol(&organisation, "moves", 4);
    let _head = organisation.publish_log().unwrap();
    drop(local);
    drill.run("store backup --to moving --dir store").done();
    let moved = drill
        .run("store restore moving --dir store --store owner.toml --serving store.toml --recover")
        .done();
    assert!(moved.starts_with("restored  a backup of sqlite into postgres\n"), "{moved}");
    let service = serve(scene, &third);
    let person = service.organisation("acme").unwrap();
    assert!(person.subject("moves").unwrap().permit(FACE).unwrap().or_refuse().is_ok());
    drill.finished();
}

/// Writes the files of settings of both roles.
pub(crate) fn point(scene: &Scene, server: &Postgres, database: &Database<'_>) {
    let through = database.through(server.port().unwrap());
    let words = || through.split(' ').filter(|word| !word.starts_with("password="));
    for (name, role) in [("store", database.service_role()), ("owner", database.owner_role())] {
        let address: Vec<_> = words()
            .map(|word| if word.starts_with("user=") { format!("user={role}") } else { word.to_owned() })
            .collect();
        scene.secret(&format!("{name}.address"), &address.join(" "));
        scene.secret(&format!("{name}.password"), role);
        let settings = format!(
            "kind = \"postgres\"\naddress-file = \"{name}.address\"\npassword-file = \"{name}.password\"\n"
        );
        fs::write(scene.path(&format!("{name}.toml")), settings).unwrap();
    }
}

/// The service, with its rows on a server.
pub(crate) fn serve(scene: &Scene, database: &Database<'_>) -> Vouchsafe {
    let store = PostgresStore::open(&database.service().unwrap(), Timestamp::now()).unwrap();
    let file = scene.path("store/keys/service.keys");
    if !file.exists() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        drop(KeyFile::create_new(&file).unwrap());
    }
    let keys = Arc::new(KeyFile::open(&file).unwrap());
    Scene::opened(Ports::in_folder_on(&scene.path("store"), keys, Arc::new(store)).unwrap())
}
