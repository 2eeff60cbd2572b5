//! The demonstration keeps its promises: nothing shipped, nothing open, nothing to read for others.

use crate::support::form;
use crate::support::person::Person;
use crate::support::server::{Demo, PROGRAM};
use std::process::Command;

const CREDENTIALS: [&str; 4] =
    ["alice_password", "admin_password", "demo_app_secret", "demo_api_secret"];

#[test]
fn two_demonstrations_share_no_secret_and_one_keeps_its_own() {
    let directories = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let demos = directories.each_ref().map(|it| Demo::start(it.path()));
    for name in CREDENTIALS {
        let [one, other] = demos.each_ref().map(|demo| demo.credential(name));
        assert_ne!(one, other, "{name}");
        assert!(one.len() >= 14, "{name} can be guessed: {one}");
        let printed = demos[0].process.output();
        assert!(printed.contains(one), "{name} is not told");
        assert!(!printed.contains(other), "{name} of the other");
    }
    let [one, _other] = demos;
    let before = CREDENTIALS.map(|name| one.credential(name).to_owned());
    let (status, output) = one.process.stop();
    assert_eq!(status.code(), Some(0), "{output}");
    let again = Demo::start(directories[0].path());
    assert_eq!(CREDENTIALS.map(|name| again.credential(name).to_owned()), before);
}

/// What is printed works, also after the file with the credentials was lost.
#[test]
fn lost_credentials_are_made_anew_and_work() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(Demo::start(directory.path()));
    std::fs::remove_file(directory.path().join("credentials.json")).expect("removed");
    let demo = Demo::start(directory.path());
    let mut alice = Person::at(demo.process.address);
    let page = alice.get("/login");
    let password = demo.credential("alice_password");
    let signed_in = alice.fill(&page, &[("username", "alice"), ("password", password)]);
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    let client = [("client_id", "demo-app"), ("client_secret", demo.credential("demo_app_secret"))];
    let request = [("grant_type", "refresh_token"), ("refresh_token", "nobody's")];
    // The client is known; its token is not.
    let refused = alice.post("/oauth/token", &[client, request].concat());
    assert!(refused.text().contains("invalid_grant"), "{refused:?}");
}

/// A directory of a version that had no API gets one, and the API is where this run has it.
#[test]
fn the_api_of_a_demonstration_is_known_by_the_address_of_this_run() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(Demo::start(directory.path()));
    let file = directory.path().join("credentials.json");
    let text = std::fs::read(&file).expect("the credentials");
    let mut kept: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    kept.as_object_mut().expect("an object").remove("demo_api_secret");
    std::fs::write(&file, kept.to_string()).expect("written");
    let demo = Demo::start(directory.path());
    assert_eq!(demo.credential("alice_password"), kept["alice_password"]);
    let mut command = Command::new(PROGRAM);
    command.args(["client", "show", "demo-api", "--json", "--config"]);
    let shown = command.arg(directory.path().join("auth.toml")).output().expect("an answer");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["resource_server"], format!("{}/api", demo.app));
    let asked = form(&[
        ("client_id", "demo-api"),
        ("client_secret", demo.credential("demo_api_secret")),
        ("token", "nobody's"),
    ]);
    let answer = demo.process.post("/oauth/introspect", &asked).expect("an answer");
    assert_eq!(answer.text(), r#"{"active":false}"#);
}

#[cfg(unix)]
#[test]
fn others_on_the_machine_can_read_neither_credentials_nor_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let _demo = Demo::start(directory.path());
    for name in ["credentials.json", "auth.db", "auth.db-wal", "auth.db-shm"] {
        let file = std::fs::metadata(directory.path().join(name)).expect("a file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

/// Both ports, looked up where the kernel keeps them.
#[cfg(target_os = "linux")]
#[test]
fn the_demonstration_listens_on_loopback_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(directory.path());
    let app = demo.app.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let sockets = ["tcp", "tcp6"].map(|it| std::fs::read_to_string(format!("/proc/net/{it}")));
    let sockets = sockets.map(Result::unwrap_or_default).concat();
    for port in [demo.process.address.port(), app] {
        // Local addresses stand in hexadecimal, loopback backwards; state 0A listens.
        let listening: Vec<&str> = sockets
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|fields| fields.get(3) == Some(&"0A"))
            .map(|fields| fields[1])
            .filter(|address| address.ends_with(&format!(":{port:04X}")))
            .collect();
        assert_eq!(listening, [format!("0100007F:{port:04X}")]);
    }
}
