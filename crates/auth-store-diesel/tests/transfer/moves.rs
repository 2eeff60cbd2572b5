//! What arrives is what left.

use crate::common::{
    Scratch, access, approve, at, code, grant_id, knows_access, redeem, refresh, rotate,
};
use crate::{export_of, filled, import_into, pending, session};
use auth_core::client::ClientRegistry;
use auth_core::code::{CodeStore, Redeemed};
use auth_core::consent::{ConsentStore, PendingAuthorizationStore};
use auth_core::grant::{GrantFilter, GrantStore};
use auth_core::housekeeping::Housekeeping as _;
use auth_core::owner::{OwnerRegistry, OwnerStore as _};
use auth_core::session::SessionStore;
use auth_core::token::{Rotated, TokenStore};
use auth_store_diesel::{DieselStore, export};
use auth_testkit::sample;
use std::io::Write;

/// A file without its first line, which tells the time.
fn rows(file: &str) -> &str {
    file.split_once('\n').unwrap().1
}

/// From each kind of database into each, and back: byte for byte the same file.
#[test]
fn a_database_moves_to_another_kind_and_back_and_nothing_changes() {
    for from in Scratch::each() {
        let file = filled(&from);
        for there in Scratch::each() {
            let counts = import_into(&there, file.as_bytes()).unwrap();
            assert!(counts.iter().all(|(_, count)| count > 0), "rows in every table: {counts:?}");
            assert_eq!(counts.total() + 2, file.lines().count() as u64);
            let copy = export_of(&there);
            assert_eq!(rows(&copy), rows(&file));
            for back in Scratch::each() {
                import_into(&back, copy.as_bytes()).unwrap();
                assert_eq!(rows(&export_of(&back)), rows(&file));
            }
        }
    }
}

/// CODE-05, CODE-06, REFRESH-13: what was spent or revoked stays so, what was good stays good.
#[test]
fn what_was_issued_before_the_move_means_the_same_after_it() {
    for from in Scratch::each() {
        let file = filled(&from);
        let before = from.open();
        for there in Scratch::each() {
            import_into(&there, file.as_bytes()).unwrap();
            let after = there.open();
            assert_same(&before, &after);

            let live = grant_id("live");
            assert_eq!(rotate(&after, &live, "r3", "r4"), Rotated::Done);
            assert_eq!(rotate(&after, &live, "r1", "thief"), Rotated::Replayed);
            assert_eq!(rotate(&after, &live, "r4", "r5"), Rotated::GrantEnded);
            let waiting = grant_id("waiting");
            assert_eq!(redeem(&after, &waiting, at(40), "first"), Redeemed::First);
            assert_eq!(redeem(&after, &waiting, at(41), "again"), Redeemed::Replayed);
            let plain = grant_id("plain");
            assert_eq!(redeem(&after, &plain, at(42), "late"), Redeemed::Replayed);
            let revoked = grant_id("revoked");
            assert_eq!(rotate(&after, &revoked, "of-revoked", "none"), Rotated::GrantEnded);
        }
    }
}

fn assert_same(before: &DieselStore, after: &DieselStore) {
    assert_eq!(ClientRegistry::list(before), ClientRegistry::list(after));
    assert_eq!(OwnerRegistry::list(before), OwnerRegistry::list(after));
    let hash = |store: &DieselStore| {
        let (_, hash) = store.find_by_username(&sample::alice().username).unwrap().unwrap();
        hash.as_str().to_owned()
    };
    assert_eq!(hash(before), hash(after));
    let digest = session().digest;
    assert!(SessionStore::find(after, &digest).unwrap().is_some());
    assert_eq!(SessionStore::find(before, &digest), SessionStore::find(after, &digest));
    for (name, state) in [("one", Some("a\0b\r\n\u{1f680}")), ("two", Some("")), ("three", None)] {
        let interaction = pending(name, None).interaction;
        let found = PendingAuthorizationStore::find(after, &interaction).unwrap().unwrap();
        assert_eq!(found.request.state.as_deref(), state);
        assert_eq!(PendingAuthorizationStore::find(before, &interaction), Ok(Some(found)));
    }
    let (subject, web) = (sample::alice().subject, sample::client_id("web"));
    let consent = ConsentStore::find(after, &subject, &web).unwrap();
    assert_eq!(consent.len(), 1);
    assert_eq!(ConsentStore::find(before, &subject, &web), Ok(consent));
    let everything = GrantFilter { ended: true, ..GrantFilter::default() };
    let grants = GrantStore::list(after, &everything, at(50)).unwrap();
    assert_eq!(grants.len(), 4);
    assert_eq!(GrantStore::list(before, &everything, at(50)), Ok(grants));
    for name in ["live", "revoked", "waiting", "plain"] {
        let digest = code(&grant_id(name));
        assert_eq!(CodeStore::find(before, &digest), CodeStore::find(after, &digest));
    }
    for (grant, name) in [
        ("live", "r1"),
        ("live", "r2"),
        ("live", "r3"),
        ("plain", "of-plain"),
        ("revoked", "of-revoked"),
    ] {
        let grant = grant_id(grant);
        for token in [access(&grant, name).digest, refresh(&grant, name).digest] {
            assert_eq!(TokenStore::find(before, &token), TokenStore::find(after, &token));
        }
        assert!(knows_access(after, &grant, name));
    }
    assert!(!knows_access(after, &grant_id("own"), "of-own"), "taken back");
}

#[test]
fn an_empty_database_moves_too() {
    for from in Scratch::each() {
        drop(from.open());
        let file = export_of(&from);
        assert_eq!(file.lines().count(), 2, "{file}");
        for there in Scratch::each() {
            assert_eq!(import_into(&there, file.as_bytes()).unwrap().total(), 0);
        }
    }
}

/// CODE-13, CAUTH-13: the file holds what secrets hash to, and no secret.
#[test]
fn no_secret_is_in_the_file() {
    for scratch in Scratch::each() {
        let file = filled(&scratch);
        let secret = sample::secret_of("web");
        for plain in ["a session", "a browser", &secret] {
            assert!(!file.contains(plain), "{plain}");
        }
        let grant = grant_id("live");
        let hex: String = code(&grant).as_bytes().map(|it| format!("{it:02x}")).concat();
        let ids = format!("\"grant_id\":\"{grant}\",\"code_digest\":\"{hex}\"");
        assert!(file.contains(&format!("{{\"table\":\"codes\",{ids}")), "{file}");
        assert!(file.contains(sample::password_hash_of("alice").as_str()));
        assert!(file.contains("\"state\":\"a\\u0000b\\r\\n\u{1f680}\""));
        let header = file.lines().next().unwrap();
        assert!(
            header.starts_with("{\"format\":\"auth-server-export\",\"version\":1,\"schema\":\"20")
                && header.ends_with("\",\"exported_at\":\"1970-01-01T00:16:40Z\"}"),
            "{header}"
        );
    }
}

/// A reader of an export that approves something more at the first bytes of it.
struct Busy<'a> {
    file: Vec<u8>,
    store: &'a DieselStore,
    approved: usize,
}

impl Write for Busy<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.approved += 1;
        let name = format!("meanwhile-{}", self.approved);
        let grant = approve(self.store, &name);
        assert_eq!(redeem(self.store, &grant, at(20), &name), Redeemed::First);
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Servers go on working, and the file is of one moment: a code of a grant is in it with its grant or not
/// at all.
#[test]
fn an_export_of_a_database_in_use_is_of_one_moment() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        for number in 0..500 {
            let name = format!("before-{number}");
            let grant = approve(&store, &name);
            assert_eq!(redeem(&store, &grant, at(20), &name), Redeemed::First);
        }
        let mut busy = Busy { file: Vec::new(), store: &store, approved: 0 };
        let counts = export(&scratch.url(), at(1_000), &mut busy).unwrap();
        assert!(busy.approved > 2, "the file came in {} pieces", busy.approved);
        let file = String::from_utf8(busy.file).unwrap();
        let holds = |grant: &str| file.contains(&grant_id(grant).to_string());
        assert!(holds("before-499") && !holds("meanwhile-1"));
        for (table, count) in counts.iter() {
            let expected = match table {
                "grants" | "codes" => 500,
                "tokens" => 1_000,
                "clients" => 1,
                "client_redirect_uris" => sample::web().redirect_uris.len() as u64,
                "client_secrets" => sample::web().secrets.len() as u64,
                _ => 0,
            };
            assert_eq!(count, expected, "{table}");
        }
        for there in Scratch::each() {
            assert_eq!(import_into(&there, file.as_bytes()).unwrap(), counts);
        }
    }
}

/// Purging removes a grant with the last code or token under it, and would never meet one without.
#[test]
fn a_grant_with_nothing_under_it_stays_behind_and_all_that_moved_can_be_purged() {
    for from in Scratch::each() {
        filled(&from);
        from.execute(
            "INSERT INTO grants (id, subject, client_id, scope, audience, created_at)
             VALUES (x'000102030405060708090a0b0c0d0e0f', 'hollow', 'web', '', '', 1)",
        );
        let file = export_of(&from);
        assert!(!file.contains("hollow"));
        for there in Scratch::each() {
            import_into(&there, file.as_bytes()).unwrap();
            let store = there.open();
            while store.purge(at(1 << 40), sample::policy().sessions, 100).unwrap() > 0 {}
            let left = export_of(&there);
            for gone in ["grants", "codes", "tokens", "sessions"] {
                assert!(left.contains(&format!("\"{gone}\":0")), "{left}");
            }
            let everything = GrantFilter { ended: true, ..GrantFilter::default() };
            assert_eq!(GrantStore::list(&store, &everything, at(50)), Ok(Vec::new()));
        }
    }
}

/// Rows are in the order of bytes, whatever the language of the database.
#[cfg(feature = "postgres")]
#[test]
fn the_order_of_rows_does_not_depend_on_a_databases_collation() {
    use crate::common::cluster;
    if !cluster::is_available() {
        return;
    }
    let cluster = cluster::shared();
    let locale = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de'";
    cluster.run("postgres", &format!("CREATE DATABASE german {locale}"));
    let german = Scratch::Postgres(cluster.url("german"));
    let store = german.open();
    for id in ["b", "A", "a", "B", "\u{e4}", "z", "a b", "a-b"] {
        let client = sample::confidential(id, &["https://rp.test/cb"]);
        ClientRegistry::insert(&store, &client).unwrap();
    }
    let by_language = "SELECT string_agg(id, ',' ORDER BY id) FROM clients";
    let found = cluster.run("german", by_language);
    assert!(found.starts_with("a,A,"), "in German it is another order: {found}");
    let file = export_of(&german);
    let id = |line: &str| line.split('"').nth(7).map(str::to_owned);
    let is_client = |line: &&str| line.starts_with("{\"table\":\"clients\"");
    let ids: Vec<_> = file.lines().filter(is_client).filter_map(id).collect();
    assert_eq!(ids, ["A", "B", "a", "a b", "a-b", "b", "z", "\u{e4}"]);
    for there in Scratch::each() {
        import_into(&there, file.as_bytes()).unwrap();
        assert_eq!(rows(&export_of(&there)), rows(&file));
    }
}

/// The file that the documentation shows is one that an import takes.
#[test]
fn the_documented_file_can_be_imported() {
    let page = include_str!("../../../../docs/src/backup.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    for there in Scratch::each() {
        drop(there.open());
        let empty = export_of(&there);
        let header = empty.lines().next().unwrap();
        let file = format!("{header}\n{}", rows(example));
        assert_eq!(import_into(&there, file.as_bytes()).unwrap().total(), 1);
        assert_eq!(rows(&export_of(&there)), rows(example));
        // Its first line is a real one, but for the schema and the time.
        let shape = |line: &str| line.replace(|it: char| it.is_ascii_digit(), "0");
        assert_eq!(shape(example.lines().next().unwrap()), shape(header));
    }
}
