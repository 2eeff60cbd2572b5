//! How much room a grant takes, tables and indexes together. The numbers stand in the documentation, where
//! people buy disks by them, and must stay true.
#![cfg(feature = "sqlite")]

mod common;

use auth_core::client::{Client, ClientId, ClientRegistry};
use auth_core::code::Redeemed;
use auth_core::grant::{Approval, Decided, Grant, GrantId, GrantStore};
use auth_core::owner::SubjectId;
use auth_core::token::Rotated;
use auth_store_diesel::DieselStore;
use auth_testkit::sample;
use common::{Scratch, at, code, record_of, redeem, rotate};
#[cfg(feature = "sqlite")]
use diesel::RunQueryDsl as _;

/// How often each grant is refreshed in the second half.
const REFRESHES: usize = 4;

/// What the documentation says, in bytes: a grant with its code and its first two tokens, and what each
/// refresh adds to it, in SQLite and in PostgreSQL.
const DOCUMENTED: [[u64; 2]; 2] = [[880, 350], [1_110, 640]];

#[test]
fn a_grant_takes_as_much_room_as_the_documentation_says() {
    let grants = std::env::var("AUTH_TEST_GRANTS");
    let grants: usize =
        grants.map_or(1_000, |it| it.parse().expect("AUTH_TEST_GRANTS is a number"));
    let mut wrong = Vec::new();
    for scratch in Scratch::each() {
        let id = ClientId::parse(&identifier(2_000_000)).unwrap();
        let client = Client { id, ..sample::web() };
        ClientRegistry::insert(&scratch.open(), &client).unwrap();
        let empty = size(&scratch);
        fill(&scratch, grants, begin);
        let begun = size(&scratch);
        fill(&scratch, grants, go_on);
        let gone_on = size(&scratch);

        let per = |bytes: u64, rows: usize| bytes / rows as u64;
        let measured = [per(begun - empty, grants), per(gone_on - begun, grants * REFRESHES)];
        println!("{grants} grants: {measured:?} bytes; {}", details(&scratch));
        let documented = DOCUMENTED[usize::from(!matches!(scratch, Scratch::Sqlite(_)))];
        let close = |(measured, documented): (u64, u64)| {
            (documented * 3 / 4..=documented * 5 / 4).contains(&measured)
        };
        if !measured.into_iter().zip(documented).all(close) {
            wrong.push(format!("{measured:?} bytes instead of {documented:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// One after the other: PostgreSQL makes its files longer than it must where many write at once.
fn fill(scratch: &Scratch, grants: usize, work: fn(&DieselStore, usize)) {
    let store = scratch.open();
    (0..grants).for_each(|number| work(&store, number));
}

/// As grants' ids are minted: growing with time, here one in a millisecond.
fn grant_id(number: usize) -> GrantId {
    let millis = 1_795_600_000_000 + number as u128;
    let random = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 48;
    GrantId::from_bytes((millis << 80 | random).to_be_bytes())
}

/// Identifiers as they are minted: 32 hexadecimal digits in no order.
fn identifier(number: usize) -> String {
    let number = number as u128 + 1;
    format!("{:032x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn begin(store: &DieselStore, number: usize) {
    let grant = Grant {
        id: grant_id(number),
        subject: Some(SubjectId::new(identifier(number + 1_000_000))),
        client_id: ClientId::parse(&identifier(2_000_000)).unwrap(),
        scope: sample::scope("api.read api.write"),
        audience: sample::audience("https://api.test/"),
        created_at: at(10),
        expires_at: None,
        revoked_at: None,
    };
    let approval = Approval {
        interaction: None,
        grant: &grant,
        code: &code(&grant.id),
        record: &record_of(&grant),
        remember: None,
    };
    assert_eq!(store.approve(&approval), Ok(Decided::First));
    assert_eq!(redeem(store, &grant.id, at(20), &format!("{number}-0")), Redeemed::First);
}

fn go_on(store: &DieselStore, number: usize) {
    for round in 0..REFRESHES {
        let [presented, next] = [round, round + 1].map(|it| format!("{number}-{it}"));
        assert_eq!(rotate(store, &grant_id(number), &presented, &next), Rotated::Done);
    }
}

#[cfg(feature = "sqlite")]
#[derive(diesel::QueryableByName)]
struct Size {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    bytes: i64,
}

/// The bytes of all tables and indexes.
fn size(scratch: &Scratch) -> u64 {
    match scratch {
        #[cfg(feature = "sqlite")]
        Scratch::Sqlite(file) => {
            let query = "SELECT page_count * page_size AS bytes
                         FROM pragma_page_count(), pragma_page_size()";
            let size: Size = diesel::sql_query(query).get_result(&mut file.raw()).unwrap();
            size.bytes.try_into().unwrap()
        }
        #[cfg(feature = "postgres")]
        Scratch::Postgres(_) => {
            ask(scratch, "SELECT sum(pg_total_relation_size(oid)) FROM").parse().expect("a number")
        }
    }
}

/// The tables one by one, where the database tells.
fn details(scratch: &Scratch) -> String {
    match scratch {
        #[cfg(feature = "sqlite")]
        Scratch::Sqlite(_) => String::new(),
        #[cfg(feature = "postgres")]
        Scratch::Postgres(_) => ask(
            scratch,
            "SELECT string_agg(relname || ' ' || pg_relation_size(oid) || ' with indexes '
                               || pg_total_relation_size(oid), ', ' ORDER BY relname) FROM",
        ),
    }
}

#[cfg(feature = "postgres")]
fn ask(scratch: &Scratch, what: &str) -> String {
    let tables = "pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                  AND relname IN ('grants', 'codes', 'tokens')";
    common::cluster::shared()
        .run(common::cluster::name_of(&scratch.url()), &format!("{what} {tables}"))
}
