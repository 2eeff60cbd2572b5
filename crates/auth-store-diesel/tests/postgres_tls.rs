//! TLS to the database: what crosses a network is encrypted, and the other side is the right one.
#![cfg(feature = "postgres-tls")]

mod common;

use auth_core::owner::OwnerRegistry as _;
use auth_store_diesel::{DieselStore, OpenError, StoreOptions};
use common::cluster::{self, Cluster};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

fn open(url: &str) -> Result<DieselStore, OpenError> {
    DieselStore::open(url, StoreOptions { readers: 1, ..StoreOptions::default() })
}

/// A certificate for loopback that vouches for itself, and its key.
fn make_certificate(certificate: &Path, key: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=database"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1", "-out"]).arg(certificate);
    let output = openssl.arg("-keyout").arg(key).output().expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_database_is_spoken_to_over_tls_and_must_be_the_right_one() {
    if !cluster::is_available() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let listen = format!("port={port}");
    let cluster = Cluster::create(&["listen_addresses=127.0.0.1", &listen, "ssl=on", "fsync=off"]);
    let (certificate, key) = (cluster.data().join("server.crt"), cluster.data().join("server.key"));
    make_certificate(&certificate, &key);
    let other = cluster.data().join("other.crt");
    make_certificate(&other, &cluster.data().join("other.key"));
    let rules = cluster.data().join("pg_hba.conf");
    std::fs::write(&rules, "local all all trust\nhostssl all all 127.0.0.1/32 trust\n").unwrap();
    for file in [&certificate, &key, &rules] {
        cluster.give(file);
    }
    cluster.start_server();

    let url =
        |parameters: &str| format!("postgres://postgres@127.0.0.1:{port}/postgres?{parameters}");
    let root = |file: &Path| format!("sslmode=verify-full&sslrootcert={}", file.display());
    let store = open(&url(&root(&certificate))).unwrap();
    assert_eq!(store.list().unwrap(), []);
    let sessions = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                    WHERE application_name = 'auth-server'";
    assert_eq!(cluster.run("postgres", sessions), "t");

    let error = open(&url(&root(&other))).unwrap_err().to_string();
    assert!(error.contains("certificate verify failed"), "{error}");
    let error = open(&url("sslmode=disable")).unwrap_err().to_string();
    assert!(error.contains("no encryption"), "{error}");
}
