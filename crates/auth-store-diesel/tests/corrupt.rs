//! A row that cannot be read is an error that names it, and never a panic or a wrong answer.

mod common;

use auth_core::client::{ClientRegistry, ClientStore};
use auth_core::code::CodeStore;
use auth_core::consent::{Consent, ConsentStore};
use auth_core::error::StoreError;
use auth_core::grant::{GrantFilter, GrantStore};
use auth_core::owner::{OwnerRegistry, OwnerStore};
use auth_core::secret::TokenDigest;
use auth_core::session::SessionRegistry;
use auth_core::token::TokenStore;
use auth_store_diesel::{DieselStore, integrity_problems};
use auth_testkit::sample;
use common::{Scratch, access, approve, at, code, grant_id, redeem};

type Read = fn(&DieselStore) -> Result<(), StoreError>;

fn web(store: &DieselStore) -> Result<(), StoreError> {
    ClientStore::find(store, &sample::client_id("web")).map(drop)
}

fn alice(store: &DieselStore) -> Result<(), StoreError> {
    OwnerStore::find(store, &sample::alice().subject).map(drop)
}

fn the_code(store: &DieselStore) -> Result<(), StoreError> {
    CodeStore::find(store, &code(&grant_id("grant"))).map(drop)
}

fn the_access_token(store: &DieselStore) -> Result<(), StoreError> {
    TokenStore::find(store, &the_token()).map(drop)
}

fn consent(store: &DieselStore) -> Result<(), StoreError> {
    let found = ConsentStore::find(store, &sample::alice().subject, &sample::client_id("web"));
    let _: Vec<Consent> = found?;
    Ok(())
}

fn the_token() -> TokenDigest {
    access(&grant_id("grant"), "token").digest
}

/// How an error names the row of a digest.
fn key(digest: &[u8; 32]) -> String {
    let start: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{start}..")
}

#[test]
fn a_row_that_does_not_parse_is_named() {
    let cases: Vec<(&str, Read, &str, &str, String)> = vec![
        ("UPDATE clients SET kind = 'secret'", web, "clients", "kind", "web".into()),
        ("UPDATE clients SET scope = 'a  b'", web, "clients", "scope", "web".into()),
        ("UPDATE clients SET require_pkce = 2", web, "clients", "require_pkce", "web".into()),
        (
            "UPDATE client_redirect_uris SET uri = 'nowhere'",
            web,
            "client_redirect_uris",
            "uri",
            "web".into(),
        ),
        (
            "UPDATE client_secrets SET secret_digest = x'00'",
            web,
            "client_secrets",
            "secret_digest",
            "web".into(),
        ),
        ("UPDATE owners SET role = 'god'", alice, "owners", "role", "sub-alice".into()),
        (
            "UPDATE codes SET code_challenge = 'short'",
            the_code,
            "codes",
            "code_challenge",
            key(code(&grant_id("grant")).as_bytes()),
        ),
        (
            "UPDATE grants SET client_id = ''",
            the_code,
            "grants",
            "client_id",
            grant_id("grant").to_string(),
        ),
        (
            "UPDATE tokens SET scope = '\"'",
            the_access_token,
            "tokens",
            "scope",
            key(the_token().as_bytes()),
        ),
        (
            "UPDATE tokens SET scope = NULL",
            the_access_token,
            "tokens",
            "scope",
            key(the_token().as_bytes()),
        ),
        (
            "UPDATE tokens SET kind = 'id'",
            the_access_token,
            "tokens",
            "kind",
            key(the_token().as_bytes()),
        ),
        (
            "UPDATE tokens SET audience = 'nowhere' WHERE kind = 'access'",
            the_access_token,
            "tokens",
            "audience",
            key(the_token().as_bytes()),
        ),
        (
            "INSERT INTO consents VALUES ('sub-alice', 'web', '', '\"', 0)",
            consent,
            "consents",
            "scope",
            "sub-alice".into(),
        ),
    ];
    for (damage, read, table, column, key) in cases {
        for scratch in Scratch::each() {
            let store = filled(&scratch);
            assert_eq!(read(&store), Ok(()), "before {damage}");
            assert!(scratch.execute(damage) > 0, "{damage}");
            let expected = StoreError::Corrupt { table, column, key: key.clone() };
            assert_eq!(read(&store), Err(expected), "{damage}");
        }
    }
}

/// A store with one row of each kind.
fn filled(scratch: &Scratch) -> DieselStore {
    let store = scratch.open();
    ClientRegistry::insert(&store, &sample::web()).unwrap();
    OwnerRegistry::insert(&store, &sample::alice(), &sample::password_hash_of("alice")).unwrap();
    let grant = approve(&store, "grant");
    redeem(&store, &grant, at(20), "token");
    store
}

/// PostgreSQL refuses such a text, SQLite keeps it.
#[cfg(feature = "sqlite")]
#[test]
fn a_text_that_is_not_utf_8_is_named() {
    let scratch = Scratch::Sqlite(common::File::new());
    let store = filled(&scratch);
    scratch.execute("UPDATE clients SET name = CAST(x'ff' AS TEXT)");
    let expected = StoreError::Corrupt { table: "clients", column: "name", key: "web".into() };
    assert_eq!(web(&store), Err(expected));
}

#[test]
fn a_list_with_a_row_that_does_not_parse_is_refused_as_a_whole() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        approve(&store, "grant");
        scratch.execute("UPDATE clients SET auth_method = 'none'");
        scratch.execute("UPDATE grants SET scope = '  '");
        let clients = ClientRegistry::list(&store).unwrap_err();
        assert_eq!(clients.to_string(), "store corrupt: clients.auth_method of web cannot be read");
        let filter = GrantFilter::default();
        let grants = GrantStore::list(&store, &filter, at(20)).unwrap_err();
        let id = grant_id("grant");
        assert_eq!(
            grants.to_string(),
            format!("store corrupt: grants.scope of {id} cannot be read")
        );
        assert_eq!(SessionRegistry::list(&store, None), Ok(Vec::new()));
    }
}

#[test]
fn a_table_that_is_gone_is_unavailable() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        scratch.execute("DROP TABLE tokens");
        let found = the_access_token(&store);
        assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn damage_is_found_by_looking_for_it() {
    let scratch = common::File::new();
    let problems = || integrity_problems(&scratch.url()).unwrap();
    assert_eq!(problems(), Vec::<String>::new(), "there is no database");
    let store = scratch.open();
    let grant = approve(&store, "grant");
    redeem(&store, &grant, at(20), "token");
    drop(store);
    assert_eq!(problems(), Vec::<String>::new());
    // One letter in a row, but not in the index that has it too.
    let mut bytes = std::fs::read(scratch.path()).unwrap();
    let row = bytes.windows(9).position(|it| it == b"sub-alice").expect("the grant");
    bytes[row] = b'x';
    std::fs::write(scratch.path(), bytes).unwrap();
    let found = problems();
    assert!(found.iter().any(|it| it.contains("grants_by_subject")), "{found:?}");
}

#[test]
fn a_row_that_refers_to_nothing_is_found_by_looking_for_it() {
    for scratch in Scratch::each() {
        drop(filled(&scratch));
        assert_eq!(integrity_problems(&scratch.url()).unwrap(), Vec::<String>::new());
        let careless = match &scratch {
            #[cfg(feature = "sqlite")]
            Scratch::Sqlite(_) => "PRAGMA foreign_keys = OFF; DELETE FROM grants",
            #[cfg(feature = "postgres")]
            Scratch::Postgres(_) => "SET session_replication_role = replica; DELETE FROM grants",
        };
        scratch.run(careless);
        let dangling = ["codes", "tokens", "tokens"]
            .map(|table| format!("a row of {table} refers to a row of grants that is not there"));
        let mut found = integrity_problems(&scratch.url()).unwrap();
        found.sort();
        assert_eq!(found, dangling);
    }
}
