//! The store, asked as a server asks it.

use crate::rows::{ACCESS, Item, Kind, REFRESH, SCOPE};
use auth_core::code::{CodeStore as _, Redeemed, Redemption};
use auth_core::scope::Scope;
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    NewAccessToken, NewRefreshToken, RefreshReuse, Rotated, Rotation, TokenStore as _,
};
use auth_store_diesel::{DieselStore, StoreOptions};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// How long so many threads take to do all of this together.
pub fn run(url: &str, kind: Kind, items: &[Item], threads: usize) -> Duration {
    let store = DieselStore::open(url, StoreOptions::default()).expect("a store");
    let start = Barrier::new(threads + 1);
    let began = std::thread::scope(|scope| {
        for share in items.chunks(items.len().div_ceil(threads)) {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                let work: Vec<_> = share.iter().map(|item| (item, new_tokens(item))).collect();
                start.wait();
                for (item, (access, refresh)) in &work {
                    one(store, kind, item, access, refresh);
                }
            });
        }
        start.wait();
        Instant::now()
    });
    began.elapsed()
}

fn new_tokens(item: &Item) -> (NewAccessToken, NewRefreshToken) {
    let created_at = Timestamp::from_unix(item.at);
    let expires_at = Timestamp::from_unix(item.at + ACCESS);
    let scope = Scope::parse(SCOPE).expect("a scope");
    let access = NewAccessToken { digest: item.access, scope, created_at, expires_at };
    let expires_at = Timestamp::from_unix(item.at + REFRESH);
    (access, NewRefreshToken { digest: item.refresh, created_at, expires_at })
}

fn one(
    store: &DieselStore,
    kind: Kind,
    item: &Item,
    access: &NewAccessToken,
    refresh: &NewRefreshToken,
) {
    let at = Timestamp::from_unix(item.at);
    match kind {
        Kind::Redemption => {
            let redeemed = store.redeem(&Redemption {
                code: &item.code,
                grant_id: &item.grant,
                at,
                access,
                refresh: Some(refresh),
            });
            assert_eq!(redeemed, Ok(Redeemed::First));
        }
        Kind::Rotation => {
            let rotated = store.rotate(&Rotation {
                presented: &item.presented,
                grant_id: &item.grant,
                at,
                reuse: RefreshReuse::UntilSuccessorUsed,
                access,
                successor: Some(refresh),
            });
            assert_eq!(rotated, Ok(Rotated::Done));
        }
    }
}
