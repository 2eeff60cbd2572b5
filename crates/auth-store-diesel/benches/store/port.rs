//! The store, asked as a server asks it.

use crate::rows::{ACCESS, AUDIENCE, Item, Items, Kind, REFRESH, SCOPE};
use auth_core::code::{CodeStore as _, Redeemed, Redemption};
use auth_core::resource::Audience;
use auth_core::scope::Scope;
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    NewAccessToken, NewRefreshToken, RefreshReuse, Rotated, Rotation, TokenStore as _,
};
use auth_store_diesel::{DieselStore, StoreOptions};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// How long so many threads take to do all of this together.
pub fn run(url: &str, kind: Kind, items: Items, threads: usize) -> Duration {
    let items: Vec<_> = items.iter().collect();
    let store = DieselStore::open(url, StoreOptions::default()).expect("a store");
    let start = Barrier::new(threads + 1);
    let began = std::thread::scope(|scope| {
        for share in items.chunks(items.len().div_ceil(threads)) {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                let work: Vec<_> = share.iter().map(|item| Work::new(*item)).collect();
                start.wait();
                for work in &work {
                    work.run(store, kind);
                }
            });
        }
        start.wait();
        Instant::now()
    });
    began.elapsed()
}

/// An item with everything that the use cases would have made before they ask the store.
struct Work {
    item: Item,
    at: Timestamp,
    access: NewAccessToken,
    refresh: NewRefreshToken,
}

impl Work {
    fn new(item: Item) -> Self {
        let at = Timestamp::from_unix(item.at());
        let ends = |lifetime| Timestamp::from_unix(item.at() + lifetime);
        let access = NewAccessToken {
            digest: item.token("access"),
            scope: Scope::parse(SCOPE).expect("a scope"),
            audience: Audience::parse(AUDIENCE).expect("an audience"),
            created_at: at,
            expires_at: ends(ACCESS),
        };
        let digest = item.token("refresh");
        let refresh = NewRefreshToken { digest, created_at: at, expires_at: ends(REFRESH) };
        Self { item, at, access, refresh }
    }

    fn run(&self, store: &DieselStore, kind: Kind) {
        match kind {
            Kind::Redemption => {
                let redeemed = store.redeem(&Redemption {
                    code: &self.item.code(),
                    at: self.at,
                    access: &self.access,
                    refresh: Some(&self.refresh),
                });
                assert_eq!(redeemed, Ok(Redeemed::First));
            }
            Kind::Rotation => {
                let rotated = store.rotate(&Rotation {
                    presented: &self.item.token("presented"),
                    at: self.at,
                    reuse: RefreshReuse::UntilSuccessorUsed,
                    access: &self.access,
                    successor: Some(&self.refresh),
                });
                assert_eq!(rotated, Ok(Rotated::Done));
            }
        }
    }
}
