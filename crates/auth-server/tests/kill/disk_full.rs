//! A disk without room: writes are refused clearly and for a while, reads go on, nothing is spoilt, and
//! no restart is needed when there is room again.

use crate::browser::{Browser, VERIFIER};
use crate::chance::{self, Chance};
use crate::server::{Installation, REDIRECT_URI, Server};
use crate::wire::{Answer, Connection};
use auth_store_diesel::integrity_problems;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The database on a file system of 2 MB that is then filled up. It exists in a mount namespace of the
/// server's, so that nothing is left of it when the server ends.
#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let own_namespace = ["-rm", "-m"].into_iter().find(|how| works(&["unshare", how, "true"]));
    let Some(how) = own_namespace else {
        return skip("this user may not mount a file system in a namespace of its own");
    };
    let directory = tempfile::tempdir().unwrap();
    let (installation, chance) = install(directory.path());
    let script = "cp disk/auth.db aside.db && mount -t tmpfs -o size=2m none disk \
                  && cp aside.db disk/auth.db && exec \"$0\" serve";
    let mut server = installation.start_by(&["unshare", how, "sh", "-c", script]);
    installation.wait(&mut server);
    let inside = format!("/proc/{}/root{}/disk", server.id(), directory.path().display());
    let filler = Path::new(&inside).join("filler");
    let fill = || {
        let mut file = File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    };
    let room = || std::fs::remove_file(&filler).unwrap();
    refuses_and_recovers(&installation, chance, &server, fill, room);
    let url = format!("sqlite://{inside}/auth.db");
    assert_eq!(integrity_problems(&url).unwrap(), Vec::<String>::new());
}

/// The same with a limit on the size of files, which the kernel answers with another error.
#[test]
fn files_that_may_not_grow_refuse_writes_until_they_may() {
    if !works(&["prlimit", "--version"]) {
        return skip("there is no prlimit");
    }
    let directory = tempfile::tempdir().unwrap();
    let (installation, chance) = install(directory.path());
    // A write beyond the limit ends a process that does not ignore the signal for it.
    let script = "trap '' XFSZ; exec \"$0\" serve";
    let mut server = installation.start_by(&["sh", "-c", script]);
    installation.wait(&mut server);
    let limit = |size: &str| {
        let id = server.id().to_string();
        assert!(works(&["prlimit", "--pid", &id, &format!("--fsize={size}:")]));
    };
    let size = || std::fs::metadata(directory.path().join("disk/auth.db-wal")).unwrap().len();
    let (fill, room) = (|| limit(&size().to_string()), || limit("unlimited"));
    refuses_and_recovers(&installation, chance, &server, fill, room);
    assert_eq!(integrity_problems(&installation.database_url()).unwrap(), Vec::<String>::new());
}

fn install(directory: &Path) -> (Installation, Chance) {
    let mut chance = Chance::new(chance::seed());
    std::fs::create_dir(directory.join("disk")).unwrap();
    let users = ["alice".to_owned()];
    (Installation::new(directory, "disk/auth.db", &users, &mut chance), chance)
}

fn refuses_and_recovers(
    installation: &Installation,
    chance: Chance,
    server: &Server,
    fill: impl Fn(),
    room: impl Fn(),
) {
    let mut client = Client::new(installation, chance);
    let (redeemed, kept) = (client.code(), client.code());
    let tokens = client.redeem(&redeemed);
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let refresh_token = text(&tokens, "refresh_token");

    fill();
    // What still fits into pages that are there already may be written.
    let refused = (0..500).any(|_| client.authorize().contains("error=temporarily_unavailable"));
    assert!(refused, "the disk is not full");
    for _ in 0..20 {
        for refused in [client.redeem(&kept), client.refresh(&refresh_token)] {
            assert_eq!(refused.status, 503, "{refused:?}");
            let seconds: Option<u32> = refused.header("retry-after").and_then(|it| it.parse().ok());
            assert!(seconds.is_some_and(|it| it > 0), "{refused:?}");
            assert_eq!(text(&refused, "error"), "temporarily_unavailable");
        }
        let location = client.authorize();
        assert!(location.contains("error=temporarily_unavailable"), "{location}");
    }
    for page in ["/login", "/.well-known/oauth-authorization-server", "/oauth/scopes", "/healthz"] {
        assert_eq!(client.get(page).status, 200, "{page}");
    }
    // A refusal that needs no write is still the same refusal.
    let misused = client.token(&format!("grant_type=refresh_token&refresh_token=x{refresh_token}"));
    assert_eq!(text(&misused, "error"), "invalid_grant");

    room();
    let tokens = [client.redeem(&kept), client.refresh(&refresh_token)];
    for tokens in &tokens {
        assert_eq!(tokens.status, 200, "{tokens:?}\n{}", installation.log_text());
    }
    for tokens in tokens {
        assert_eq!(client.refresh(&text(&tokens, "refresh_token")).status, 200);
    }
    assert!(client.authorize().contains("code="));
    assert_eq!(text(&client.redeem(&kept), "error"), "invalid_grant", "it is spent");
    assert!(Path::new(&format!("/proc/{}", server.id())).exists(), "without a restart");
}

/// A client, and its user's browser.
struct Client<'a> {
    installation: &'a Installation,
    connection: Connection,
    browser: Browser,
    chance: Chance,
}

impl<'a> Client<'a> {
    fn new(installation: &'a Installation, chance: Chance) -> Self {
        let connection = Connection::new(installation.address);
        Self { installation, connection, browser: Browser::new("alice".into()), chance }
    }

    fn code(&mut self) -> String {
        let connection = &mut self.connection;
        let code =
            self.browser.authorize(&mut self.chance, &mut |method, target, headers, body| {
                Ok(Some(connection.send(method, target, headers, body).unwrap()))
            });
        code.unwrap().expect("a code")
    }

    /// Where the browser is sent when the client asks for another code.
    fn authorize(&mut self) -> String {
        let cookie = self.browser.cookie();
        let target = Browser::request("state");
        let headers = [("Cookie", cookie.as_str())];
        let answer = self.connection.send("GET", &target, &headers, "").unwrap();
        answer.header("location").unwrap_or_default().to_owned()
    }

    fn get(&mut self, target: &str) -> Answer {
        self.connection.send("GET", target, &[], "").unwrap()
    }

    fn redeem(&mut self, code: &str) -> Answer {
        self.token(&format!(
            "grant_type=authorization_code&redirect_uri={REDIRECT_URI}&code={code}\
             &code_verifier={VERIFIER}"
        ))
    }

    fn refresh(&mut self, token: &str) -> Answer {
        self.token(&format!("grant_type=refresh_token&refresh_token={token}"))
    }

    fn token(&mut self, body: &str) -> Answer {
        let headers = [("Authorization", self.installation.authorization.as_str())];
        self.connection.send("POST", "/oauth/token", &headers, body).unwrap()
    }
}

/// A member of a JSON object.
fn text(answer: &Answer, name: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    body[name].as_str().unwrap_or_default().to_owned()
}

fn works(command: &[&str]) -> bool {
    let mut quiet = Command::new(command[0]);
    quiet.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn skip(why: &str) {
    let required = std::env::var("AUTH_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(!required, "{why}");
    eprintln!("skipped: {why}");
}
