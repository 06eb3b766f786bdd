//! Databases and backups that are not what was meant: each refused with what to do next.

use std::fs;
use std::net::TcpListener;

use rusqlite::Connection;
use serde_json::Value;
use vouchsafe::store::test_util::Postgres;

use crate::runbook_store::{point, serve};
use crate::scene::{Run, Scene, enrol};

/// A folder in use, with a backup of it.
fn backed_up() -> Scene {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    scene.run(&["log", "publish"]).done();
    scene.run_anywhere(&["store", "backup", "--to", "backup", "--dir", "store"]).done();
    scene
}

fn on(scene: &Scene, arguments: &[&str]) -> Run {
    scene.run_anywhere(&[&["store"], arguments, &["--dir", "store"]].concat())
}

#[test]
fn a_database_is_made_by_create_alone() {
    let scene = Scene::new();
    on(&scene, &["migrate"]).fails(2, "the folder does not exist");
    fs::create_dir(scene.path("store")).unwrap();
    on(&scene, &["migrate"]).fails(2, "there is no database yet: make one with --create, or mend the path");
    for command in [&["backup", "--to", "b"][..], &["check"]] {
        on(&scene, command).fails(2, "the folder holds no vouchsafe database");
    }
    assert_eq!(fs::read_dir(scene.path("store")).unwrap().count(), 0);
    let looked = on(&scene, &["doctor"]);
    assert_eq!(looked.code(), Some(1), "{}", looked.out);
    assert!(looked.out.contains("next: make one with `vouchsafe store migrate --create`"), "{}", looked.out);
    on(&scene, &["migrate", "--create"]).done();
    // Without rows no key is lost: the service makes its own.
    drop(scene.service());
}

#[test]
fn a_database_that_was_edited_half_restored_or_is_newer_says_what_to_do() {
    let scene = backed_up();
    let file = scene.path("store/data/vouchsafe.sqlite");
    let run = |sql: &str| Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let edited =
        "storage: database schema was edited by hand: restore it, or move the rows to a new database";
    run("CREATE INDEX mine ON entry (number)");
    on(&scene, &["check"]).fails(1, edited);
    let looked = on(&scene, &["doctor"]);
    assert!(looked.out.contains("next: undo what was edited by hand"), "{}", looked.out);
    run("DROP INDEX mine");
    on(&scene, &["check"]).done();

    run("PRAGMA user_version = 99");
    let newer = "storage: database schema is newer than this program: upgrade the program";
    for command in [&["check"][..], &["migrate"], &["backup", "--to", "b"]] {
        on(&scene, command).fails(1, newer);
    }
    assert!(on(&scene, &["doctor"]).out.contains("next: upgrade the program"));
    run("PRAGMA user_version = 8; PRAGMA application_id = 0x76636872");
    let half = "storage: database is half restored: restore again, into an empty database";
    for command in [&["check"][..], &["migrate"], &["backup", "--to", "b"]] {
        on(&scene, command).fails(1, half);
    }
    scene.run(&["recover"]).fails(1, half);
    assert!(on(&scene, &["doctor"]).out.contains("next: restore the backup again"));
    run("PRAGMA application_id = 0x76636873");

    // Rows that were edited: the log and the keys contradict them.
    run("UPDATE entry SET bytes = zeroblob(55) WHERE number = 2");
    let found = on(&scene, &["check"]);
    assert_eq!(found.code(), Some(1));
    assert!(found.out.contains("\nfinding   log: "), "{}", found.out);
}

#[test]
fn rows_that_were_deleted_by_hand_are_found() {
    let scene = backed_up();
    let file = Connection::open(scene.path("store/data/vouchsafe.sqlite")).unwrap();
    file.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM subject").unwrap();
    drop(file);
    let found = on(&scene, &["check"]);
    assert_eq!(found.code(), Some(1));
    assert!(found.out.contains("row(s) of holding belong to nothing any more"), "{}", found.out);
}

#[test]
fn a_damaged_or_newer_backup_and_a_living_database_are_refused() {
    let scene = backed_up();
    let over = "there are rows already: a backup is restored into an empty database only";
    on(&scene, &["restore", "backup"]).fails(1, over);
    let taken = "the folder of the backup exists already: name a new one";
    on(&scene, &["backup", "--to", "backup"]).fails(1, &format!("backup: {taken}"));
    fs::remove_dir_all(scene.path("store/data")).unwrap();

    let path = scene.path("backup/holding.rows");
    let plain = fs::read(&path).unwrap();
    let mut flipped = plain.clone();
    flipped[plain.len() / 2] ^= 4;
    fs::write(&path, flipped).unwrap();
    let damaged = "the backup is damaged: holding is not as it was written; take another backup";
    let check = || scene.run_anywhere(&["store", "check", "backup"]);
    check().fails(1, damaged);
    on(&scene, &["restore", "backup"]).fails(1, damaged);
    fs::remove_file(&path).unwrap();
    let missing = "the backup is not complete: holding is missing; take another backup";
    check().fails(1, missing);
    on(&scene, &["restore", "backup"]).fails(1, missing);
    fs::write(&path, &plain).unwrap();
    check().fails(1, "the store is not sound: 1 finding(s)");

    let path = scene.path("backup/manifest.json");
    let plain = fs::read_to_string(&path).unwrap();
    fs::write(&path, plain.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let newer = "the backup is of a newer format or schema than this program: upgrade the program";
    on(&scene, &["restore", "backup"]).fails(1, newer);
    fs::write(&path, &plain).unwrap();
    assert!(!scene.path("store/data/vouchsafe.sqlite").exists(), "not a row was written");

    // The disk with the outside copy is lost as well.
    fs::remove_dir_all(scene.path("store/outside")).unwrap();
    on(&scene, &["restore", "backup", "--recover"]);
    let lost = scene.run(&["recover"]);
    assert_eq!(lost.code(), Some(1));
    assert!(scene.run(&["log", "prove", "0"]).code() == Some(0), "what was published is proven");
    let accepted = scene.run(&["recover", "--accept-unexplained"]).done();
    assert!(accepted.contains("what was withdrawn or destroyed later is unknown"), "{accepted}");
}

#[test]
fn a_read_only_file_system_is_said() {
    let scene = backed_up();
    let file = scene.path("store/data/vouchsafe.sqlite");
    // Root writes wherever it likes; a directory in the place of the backup's parent does not depend on that.
    fs::write(scene.path("plain"), "a file").unwrap();
    let refused = on(&scene, &["backup", "--to", "plain/backup"]);
    assert_eq!(refused.code(), Some(1), "{}", refused.err);
    assert!(refused.err.contains("the folder of the backup cannot be used"), "{}", refused.err);
    assert!(file.exists());
}

#[test]
fn the_doctor_speaks_json() {
    let scene = backed_up();
    let said = on(&scene, &["doctor", "--json"]).done();
    let lines: Value = serde_json::from_str(&said).unwrap();
    let lines = lines.as_array().unwrap();
    assert!(lines.iter().all(|line| line["what"].is_string() && line["stand"] != "fail"), "{said}");
    assert!(lines.iter().any(|line| line["stand"] == "warn" && line["next"].is_string()), "{said}");
}

#[test]
fn a_store_file_says_what_is_wrong_with_it() {
    let scene = backed_up();
    let fails = |text: &str, code: i32, said: &str| {
        fs::write(scene.path("store.toml"), text).unwrap();
        scene.run_anywhere(&["store", "check", "--dir", "store", "--store", "store.toml"]).fails(code, said);
    };
    fails("kind = \"oracle\"", 2, "the store file names no known kind: postgres or sqlite");
    fails("kind = \"sqlite\"\npath = \"nowhere\"", 2, "the folder holds no vouchsafe database");
    fails("kind = \"postgres\"", 2, "the store file: the address is missing");
    scene.secret("address", "host=127.0.0.1 user=u password=hunter2 dbname=d");
    let password = "the store file: the address holds a password: name it with password-file or password-env";
    fails("kind = \"postgres\"\naddress-file = \"address\"", 2, password);
    scene.secret("address", "host=127.0.0.1 port=x");
    let malformed = "storage: connection string or root certificates are malformed";
    fails("kind = \"postgres\"\naddress-file = \"address\"", 1, malformed);
    #[cfg(feature = "objects")]
    a_logs_file_says_what_is_wrong_with_it(&scene);
}

#[cfg(feature = "objects")]
fn a_logs_file_says_what_is_wrong_with_it(scene: &Scene) {
    fs::write(scene.path("logs.toml"), "kind = \"bucket\"\nendpoint = \"x\"").unwrap();
    scene
        .run_anywhere(&["store", "check", "--dir", "store", "--logs", "logs.toml"])
        .fails(2, "the logs file: `published` is missing");
}

#[test]
fn a_server_that_cannot_be_served_from_says_why() {
    let Some(server) = Postgres::shared().unwrap() else { return };
    let (scene, database) = (Scene::new(), server.database().unwrap());
    fs::create_dir(scene.path("store")).unwrap();
    point(&scene, server, &database);
    let service = serve(&scene, &database);
    let organisation = service.organisation("acme").unwrap();
    enrol(&organisation, "4711", 1);
    let _head = organisation.publish_log().unwrap();
    let on = |file: &str, arguments: &[&str]| {
        scene.run_anywhere(&[&["store"], arguments, &["--dir", "store", "--store", file]].concat())
    };
    on("store.toml", &["check"]).done();
    let owner = "storage: row-level security is not active: connect as a role that neither owns the tables nor \
                 bypasses it";
    on("owner.toml", &["check"]).fails(1, owner);
    assert!(on("owner.toml", &["doctor"]).out.contains("owns the tables\n"));
    let living = "there are rows already: a backup is restored into an empty database only";
    on("store.toml", &["backup", "--to", "backup"]).done();
    on("owner.toml", &["restore", "backup"]).fails(1, living);
    let owner =
        "the owner of the tables recovers nothing: name the settings of the role that serves with --serving";
    on("owner.toml", &["restore", "backup", "--recover"]).fails(2, owner);

    let sql = |sql: &str| assert!(database.alter(sql).is_ok(), "{sql}");
    sql("ALTER TABLE vouchsafe.consent ADD COLUMN mine text");
    let edited =
        "storage: database schema was edited by hand: restore it, or move the rows to a new database";
    on("store.toml", &["check"]).fails(1, edited);
    assert!(on("store.toml", &["doctor"]).out.contains("next: undo what was edited by hand"));
    sql("ALTER TABLE vouchsafe.consent DROP COLUMN mine");
    for (comment, said) in [
        ("vouchsafe 99", "storage: database schema is newer than this program: upgrade the program"),
        (
            "vouchsafe 1",
            "storage: database schema is missing or older than this program: run `vouchsafe store migrate`",
        ),
        (
            "vouchsafe 8 restoring",
            "storage: database is half restored: restore again, into an empty database",
        ),
    ] {
        sql(&format!("COMMENT ON SCHEMA vouchsafe IS '{comment}'"));
        on("store.toml", &["check"]).fails(1, said);
        assert_eq!(on("store.toml", &["doctor"]).code(), Some(1), "{comment}");
    }
    sql("COMMENT ON SCHEMA vouchsafe IS 'vouchsafe 8'");

    // Clocks that are more than nothing apart.
    let plain = fs::read_to_string(scene.path("store.toml")).unwrap();
    fs::write(scene.path("skew.toml"), format!("{plain}clock-skew-ms = 0\n")).unwrap();
    let skew = "storage: clocks of server and client differ by too much: synchronise both";
    on("skew.toml", &["check"]).fails(1, skew);

    scene.secret("store.password", "wrong");
    let denied = "storage: server denies access: check user, password, database and grants";
    on("store.toml", &["check"]).fails(1, denied);
    let looked = on("store.toml", &["doctor"]);
    assert!(looked.out.contains("next: check user, password, database, pg_hba.conf"), "{}", looked.out);

    // Another machine without TLS, and a port that nobody listens on.
    scene.secret("store.address", "host=192.0.2.1 user=u dbname=d sslmode=disable");
    let plaintext =
        "storage: connection would not be encrypted: require TLS on server and client (sslmode=require)";
    on("store.toml", &["check"]).fails(1, plaintext);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    scene.secret("store.address", &format!("host=127.0.0.1 port={port} user=u dbname=d sslmode=disable"));
    fs::write(scene.path("store.toml"), format!("{plain}wait-ms = 200\nconnect-timeout-ms = 200\n")).unwrap();
    on("store.toml", &["check"]).fails(1, "storage: storage does not answer");
}
