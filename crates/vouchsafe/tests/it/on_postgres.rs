//! The same tests once more, with the rows of every scene on a PostgreSQL server.

use std::process::Command;

use vouchsafe::store::test_util::Postgres;

use crate::scene::{ENGINE, is_on_postgres};

/// Promise: WB-5-revoke
#[test]
fn the_whole_suite_runs_on_postgresql() {
    // Skips loudly, or fails where services are required.
    if is_on_postgres() || Postgres::shared().unwrap().is_none() {
        return;
    }
    let suite = Command::new(std::env::current_exe().unwrap())
        .args(std::env::args().skip(1).filter(|argument| argument == "--nocapture"))
        .env(ENGINE, "postgres")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&suite.stdout);
    assert!(suite.status.success(), "{said}{}", String::from_utf8_lossy(&suite.stderr));
    let passed = said.lines().filter(|line| line.starts_with("test ") && line.ends_with(" ok")).count();
    assert!(passed > 100, "{said}");
}
