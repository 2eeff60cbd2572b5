//! A database in a directory of its own, and what to put into it.
#![allow(dead_code)] // each test file uses its part

use auth_core::client::{Client, ClientRegistry};
use auth_core::code::{CodeRecord, CodeStore, Redeemed, Redemption};
use auth_core::error::StoreError;
use auth_core::grant::{Approval, Decided, Grant, GrantId, GrantStore};
use auth_core::pkce::CodeChallenge;
use auth_core::secret::{CodeDigest, SessionSecret, TokenDigest};
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    NewAccessToken, NewRefreshToken, RefreshReuse, Rotated, Rotation, TokenStore,
};
use auth_store_diesel::{DieselStore, StoreOptions};
use auth_testkit::sample;
use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;

#[cfg(feature = "postgres")]
#[path = "../cluster/mod.rs"]
pub mod cluster;

/// A database for one test.
pub enum Scratch {
    #[cfg(feature = "sqlite")]
    Sqlite(File),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Scratch {
    /// One of every kind that there is here.
    pub fn each() -> Vec<Self> {
        vec![
            #[cfg(feature = "sqlite")]
            Some(Self::Sqlite(File::new())),
            #[cfg(feature = "postgres")]
            cluster::is_available().then(|| Self::Postgres(postgres_database())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub fn url(&self) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(file) => file.url(),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => url.clone(),
        }
    }

    pub fn open(&self) -> DieselStore {
        DieselStore::open(&self.url(), StoreOptions::default()).unwrap()
    }

    /// Runs several statements behind the store's back.
    pub fn run(&self, sql: &str) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(file) => file.raw().batch_execute(sql).unwrap(),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                let mut conn: diesel::PgConnection = diesel::Connection::establish(url).unwrap();
                conn.batch_execute(sql).unwrap();
            }
        }
    }

    /// Runs SQL behind the store's back, and answers how many rows it changed. A literal of bytes is
    /// written `x'00'`.
    pub fn execute(&self, sql: &str) -> usize {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(file) => file.execute(sql),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                let sql = sql.replace("x'", "'\\x");
                let mut conn: diesel::PgConnection = diesel::Connection::establish(url).unwrap();
                diesel::sql_query(sql).execute(&mut conn).unwrap()
            }
        }
    }
}

/// An SQLite file in a directory of its own.
#[cfg(feature = "sqlite")]
pub struct File {
    pub directory: tempfile::TempDir,
}

#[cfg(feature = "sqlite")]
impl File {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("auth.db")
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    pub fn open(&self) -> DieselStore {
        DieselStore::open(&self.url(), StoreOptions::default()).unwrap()
    }

    /// The database behind the store's back.
    pub fn raw(&self) -> diesel::SqliteConnection {
        diesel::Connection::establish(&self.path().display().to_string()).unwrap()
    }

    pub fn execute(&self, sql: &str) -> usize {
        diesel::sql_query(sql).execute(&mut self.raw()).unwrap()
    }
}

/// The URL of a new PostgreSQL database with all tables and no rows.
#[cfg(feature = "postgres")]
pub fn postgres_database() -> String {
    static TEMPLATE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let url = cluster::shared().create_database("template1");
        auth_store_diesel::migrate(&url).expect("migrations");
        cluster::name_of(&url).to_owned()
    });
    cluster::shared().create_database(template)
}

pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// 32 bytes for this name, as random as those of a SHA-256.
fn digest_of(name: &str) -> [u8; 32] {
    *SessionSecret::presented(name).digest().as_bytes()
}

/// The id of the grant of this name.
pub fn grant_id(name: &str) -> GrantId {
    GrantId::from_bytes(*digest_of(name).first_chunk().unwrap())
}

/// The code of this grant.
pub fn code(grant: &GrantId) -> CodeDigest {
    CodeDigest::new(*grant, digest_of(&format!("the code of {grant}")))
}

/// The access token of this name under this grant.
pub fn access(grant: &GrantId, name: &str) -> NewAccessToken {
    NewAccessToken {
        digest: TokenDigest::new(*grant, digest_of(&format!("access token {name}"))),
        scope: sample::scope("api.read"),
        audience: sample::audience("https://api.test/"),
        created_at: at(20),
        expires_at: at(4_000),
    }
}

/// The refresh token of this name under this grant.
pub fn refresh(grant: &GrantId, name: &str) -> NewRefreshToken {
    NewRefreshToken {
        digest: TokenDigest::new(*grant, digest_of(&format!("refresh token {name}"))),
        created_at: at(20),
        expires_at: at(9_000),
    }
}

/// Approves a grant of this name at 10; its code lasts until 70.
pub fn approve(store: &DieselStore, name: &str) -> GrantId {
    let (grant, decided) = try_approve(store, name);
    assert_eq!(decided, Ok(Decided::First));
    grant
}

pub fn try_approve(store: &DieselStore, name: &str) -> (GrantId, Result<Decided, StoreError>) {
    let grant = grant(name);
    let client = Client { id: grant.client_id.clone(), ..sample::web() };
    if let Err(error) = ClientRegistry::insert(store, &client) {
        return (grant.id, Err(error));
    }
    let decided = store.approve(&Approval {
        interaction: None,
        grant: &grant,
        code: &code(&grant.id),
        record: &record_of(&grant),
        remember: None,
    });
    (grant.id, decided)
}

/// The grant of this name.
pub fn grant(name: &str) -> Grant {
    Grant {
        id: grant_id(name),
        subject: Some(sample::alice().subject),
        client_id: sample::client_id("web"),
        scope: sample::scope("api.read"),
        audience: sample::audience("https://api.test/"),
        created_at: at(10),
        expires_at: None,
        revoked_at: None,
    }
}

/// What the code of this grant stands for.
pub fn record_of(grant: &Grant) -> CodeRecord {
    CodeRecord {
        client_id: grant.client_id.clone(),
        redirect_uri: "https://rp.test/cb".into(),
        redirect_uri_sent: true,
        code_challenge: CodeChallenge::parse(sample::CHALLENGE),
        created_at: at(10),
        expires_at: at(70),
    }
}

/// Redeems the code of this grant for tokens of these names.
pub fn redeem(store: &DieselStore, grant: &GrantId, when: Timestamp, names: &str) -> Redeemed {
    try_redeem(store, grant, when, names).unwrap()
}

pub fn try_redeem(
    store: &DieselStore,
    grant: &GrantId,
    when: Timestamp,
    names: &str,
) -> Result<Redeemed, StoreError> {
    store.redeem(&Redemption {
        code: &code(grant),
        at: when,
        access: &access(grant, names),
        refresh: Some(&refresh(grant, names)),
    })
}

/// Presents a refresh token and gets a pair of tokens of another name for it.
pub fn rotate(store: &DieselStore, grant: &GrantId, presented: &str, names: &str) -> Rotated {
    rotate_into(store, presented, &access(grant, names), &refresh(grant, names))
}

pub fn rotate_into(
    store: &DieselStore,
    presented: &str,
    access: &NewAccessToken,
    successor: &NewRefreshToken,
) -> Rotated {
    let rotated = store.rotate(&Rotation {
        presented: &refresh(&successor.digest.grant(), presented).digest,
        at: at(30),
        reuse: RefreshReuse::UntilSuccessorUsed,
        access,
        successor: Some(successor),
    });
    rotated.unwrap()
}

pub fn knows_access(store: &DieselStore, grant: &GrantId, name: &str) -> bool {
    TokenStore::find(store, &access(grant, name).digest).unwrap().is_some()
}

pub fn knows_refresh(store: &DieselStore, grant: &GrantId, name: &str) -> bool {
    TokenStore::find(store, &refresh(grant, name).digest).unwrap().is_some()
}
