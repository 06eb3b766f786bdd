//! A root certificate, and one of 127.0.0.1 under it, by the `openssl` command.
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

const ROOT: &str = "[req]\ndistinguished_name = name\nx509_extensions = root\nprompt = no\n[name]\nCN = test root\n\
    [root]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n";
const SERVER: &str = "[req]\ndistinguished_name = name\nx509_extensions = server\nprompt = no\n[name]\n\
    CN = test server\n[server]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = IP:127.0.0.1\n\
    extendedKeyUsage = serverAuth\n";

/// Makes `ca.pem`, `server.pem` and `server.key`, valid for a day.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    std::fs::write(folder.join("ca.cnf"), ROOT)?;
    std::fs::write(folder.join("server.cnf"), SERVER)?;
    openssl(folder, "ca", &[])?;
    openssl(folder, "server", &["-CA", "ca.pem", "-CAkey", "ca.key"])
}

fn openssl(folder: &Path, name: &str, more: &[&str]) -> io::Result<()> {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
        ])
        .args(["-config", &format!("{name}.cnf"), "-keyout", &format!("{name}.key")])
        .args(["-out", &format!("{name}.pem")])
        .args(more)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() { Ok(()) } else { Err(io::Error::other("openssl made no certificate")) }
}
