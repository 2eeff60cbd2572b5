//! What is particular to an SQLite file: opening, creating and migrating it, and what is in it.
#![cfg(feature = "sqlite")]

mod common;

use auth_core::client::{ClientRegistry, ClientStore};
use auth_core::code::{CodeStore, Redeemed, Redemption};
use auth_core::grant::{Approval, GrantStore as _};
use auth_core::owner::OwnerRegistry;
use auth_core::secret::{AccessToken, AuthorizationCode, RefreshToken, SessionSecret};
use auth_core::session::{Session, SessionId, SessionStore};
use auth_core::token::{NewAccessToken, NewRefreshToken};
use auth_store_diesel::{DieselStore, OpenError, StoreOptions, migrate, pending_migrations};
use auth_testkit::CountingEntropy;
use auth_testkit::sample;
use common::{File, access, approve, at, code, grant, record_of, refresh};

fn options(migrate: bool) -> StoreOptions {
    StoreOptions { migrate, ..StoreOptions::default() }
}

/// A new file holds password hashes soon: nobody else on the machine may read it.
#[cfg(unix)]
#[test]
fn a_new_database_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = File::new();
    let _store = file.open();
    let mut modes = Vec::new();
    for entry in std::fs::read_dir(file.directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        modes.push((entry.file_name().into_string().unwrap(), mode));
    }
    modes.sort();
    let names = ["auth.db", "auth.db-shm", "auth.db-wal"];
    assert_eq!(modes, names.map(|name| (name.to_owned(), 0o600)));
}

#[test]
fn what_cannot_be_opened_is_refused_with_the_reason() {
    let file = File::new();
    let directory = file.directory.path();
    std::fs::write(directory.join("letter.txt"), "Dear Alice, how are you?").unwrap();
    let open = |name: &str| {
        let url = format!("sqlite://{}", directory.join(name).display());
        DieselStore::open(&url, StoreOptions::default()).unwrap_err()
    };
    let missing = open("no/auth.db");
    assert!(matches!(&missing, OpenError::DirectoryMissing(path) if path.ends_with("no")));
    let letter = open("letter.txt");
    assert!(matches!(&letter, OpenError::NotADatabase(path) if path.ends_with("letter.txt")));
    assert!(letter.to_string().ends_with("letter.txt is not an SQLite database"));
    let itself = open(".");
    assert!(matches!(itself, OpenError::NotADatabase(_)), "{itself:?}");
    // A header and nothing behind it.
    std::fs::write(directory.join("half.db"), "SQLite format 3\0broken").unwrap();
    let half = open("half.db");
    assert!(matches!(half, OpenError::NotADatabase(_)), "{half:?}");
}

/// Nobody can create files in `/sys`, whoever they are.
#[cfg(target_os = "linux")]
#[test]
fn a_place_that_may_not_be_written_is_named() {
    let error = DieselStore::open("sqlite:///sys/auth.db", StoreOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::NotWritable(_)), "{error:?}");
    assert_eq!(error.to_string(), "/sys/auth.db is not writable by this user");
}

#[test]
fn a_database_that_needs_migrations_is_migrated_or_refused_as_told() {
    let file = File::new();
    let pending = pending_migrations(&file.url()).unwrap();
    assert!(!pending.is_empty());
    let refused = DieselStore::open(&file.url(), options(false)).unwrap_err();
    assert!(matches!(refused, OpenError::MigrationsPending(names) if names == pending));
    assert!(!file.path().exists(), "asking creates nothing");

    drop(DieselStore::open(&file.url(), options(true)).unwrap());
    assert_eq!(pending_migrations(&file.url()).unwrap(), Vec::<String>::new());
    assert_eq!(migrate(&file.url()).unwrap(), Vec::<String>::new());
    drop(DieselStore::open(&file.url(), options(false)).unwrap());
}

#[test]
fn an_empty_file_is_a_new_database() {
    let file = File::new();
    std::fs::write(file.path(), "").unwrap();
    assert!(file.open().is_ready());
}

#[test]
fn programs_that_start_at_once_agree_on_one_schema() {
    let file = File::new();
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(OwnerRegistry::list(&file.open()).unwrap(), []);
            });
        }
    });
}

#[test]
fn a_store_is_ready_while_its_schema_is_current() {
    let file = File::new();
    let store = file.open();
    assert!(store.is_ready());
    file.execute("DELETE FROM __diesel_schema_migrations");
    assert!(!store.is_ready());
    file.execute("DROP TABLE __diesel_schema_migrations");
    assert!(!store.is_ready());
}

/// CODE-13, CAUTH-13: the files hold what secrets hash to, and no secret.
#[test]
fn no_secret_is_in_the_files() {
    let file = File::new();
    let store = file.open();
    ClientRegistry::insert(&store, &sample::web()).unwrap();
    let hash = sample::password_hash_of("alice");
    OwnerRegistry::insert(&store, &sample::alice(), &hash).unwrap();
    let entropy = CountingEntropy::starting_at(1);
    let grant = grant("plain");
    let (code, code_digest) = AuthorizationCode::mint(&entropy, grant.id).unwrap();
    let (token, digest) = AccessToken::mint(&entropy, grant.id).unwrap();
    let access = NewAccessToken { digest, ..access(&grant.id, "") };
    let (other_token, digest) = RefreshToken::mint(&entropy, grant.id).unwrap();
    let refresh = NewRefreshToken { digest, ..refresh(&grant.id, "") };
    let approval = Approval {
        interaction: None,
        grant: &grant,
        code: &code_digest,
        record: &record_of(&grant),
        remember: None,
    };
    store.approve(&approval).unwrap();
    let redemption =
        Redemption { code: &code_digest, at: at(20), access: &access, refresh: Some(&refresh) };
    assert_eq!(store.redeem(&redemption), Ok(Redeemed::First));
    let session = SessionSecret::presented("plain-session-value");
    let row = Session {
        id: SessionId::new("session-1".into()),
        digest: session.digest(),
        subject: sample::alice().subject,
        created_at: at(0),
        last_seen_at: at(0),
    };
    SessionStore::insert(&store, &row, None).unwrap();

    let mut files = Vec::new();
    for entry in std::fs::read_dir(file.directory.path()).unwrap() {
        files.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |bytes: &[u8]| files.windows(bytes.len()).any(|window| window == bytes);
    let secret = sample::secret_of("web");
    let plain = [code.expose(), token.expose(), other_token.expose()];
    for plain in plain.into_iter().chain(["plain-session-value", secret.as_str()]) {
        assert!(!holds(plain.as_bytes()), "{plain}");
    }
    let client = ClientStore::find(&store, &sample::client_id("web")).unwrap().unwrap();
    for digest in [
        code_digest.as_bytes(),
        access.digest.as_bytes(),
        refresh.digest.as_bytes(),
        session.digest().as_bytes(),
        client.secrets[0].digest.as_bytes(),
    ] {
        assert!(holds(digest));
    }
}

/// Somebody who writes for long, in whatever process, keeps no reader waiting.
#[test]
fn readers_do_not_wait_for_a_writer() {
    let file = File::new();
    let store = file.open();
    let grant = approve(&store, "grant");
    let mut other = file.raw();
    let hold = "BEGIN IMMEDIATE; UPDATE grants SET revoked_at = 15";
    diesel::connection::SimpleConnection::batch_execute(&mut other, hold).unwrap();
    let found = CodeStore::find(&store, &code(&grant));
    let (_, grant) = found.unwrap().expect("the code is there");
    assert_eq!(grant.revoked_at, None, "what is not committed is not seen");
}
