//! Transitions that decide by what they read, run by two servers at once.

mod common;

use auth_core::client::{Changed, ClientRegistry, ClientSecretRecord, ClientStore, Retired};
use auth_core::consent::{Consent, ConsentStore};
use auth_core::grant::{Approval, Decided, Grant, GrantFilter, GrantId, GrantStore};
use auth_core::housekeeping::Housekeeping as _;
use auth_core::secret::ClientSecretDigest;
use auth_core::token::Rotated;
use auth_store_diesel::DieselStore;
use auth_testkit::sample;
use common::{Scratch, approve, at, code, grant_id, knows_refresh, redeem, rotate};
use std::sync::Barrier;

/// Runs a task for each number below `count`, all at once and over two servers.
fn race<T: Send>(
    scratch: &Scratch,
    count: usize,
    task: impl Fn(&DieselStore, usize) -> T + Sync,
) -> Vec<T> {
    let stores = [scratch.open(), scratch.open()];
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let run = |number: usize| {
            let (task, start, store) = (&task, &start, &stores[number % 2]);
            scope.spawn(move || {
                start.wait();
                task(store, number)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Whoever approves different scopes in two tabs has approved both.
#[test]
fn consents_that_are_given_at_once_add_up() {
    for scratch in Scratch::each() {
        let scopes: Vec<String> = (0..8).map(|it| format!("scope.{it}")).collect();
        ClientRegistry::insert(&scratch.open(), &sample::web()).unwrap();
        race(&scratch, scopes.len(), |store, number| {
            let grant = Grant {
                scope: sample::scope(&scopes[number]),
                ..common::grant(&format!("grant-{number}"))
            };
            let consent = Consent {
                subject: sample::alice().subject,
                client_id: grant.client_id.clone(),
                scope: grant.scope.clone(),
                audience: grant.audience.clone(),
                given_at: at(10),
            };
            let decided = store.approve(&Approval {
                interaction: None,
                grant: &grant,
                code: &code(&grant.id),
                record: &common::record_of(&grant),
                remember: Some(&consent),
            });
            assert_eq!(decided, Ok(Decided::First));
        });
        let store = scratch.open();
        let (subject, web) = (sample::alice().subject, sample::client_id("web"));
        let consent = ConsentStore::find(&store, &subject, &web).unwrap().pop().unwrap();
        assert_eq!(consent.scope, sample::scope(&scopes.join(" ")));
    }
}

/// CAUTH-14
#[test]
fn of_two_secrets_that_are_retired_at_once_one_stays() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let web = sample::web();
        for round in 0..10 {
            let mut client = web.clone();
            client.id = sample::client_id(&format!("web-{round}"));
            let secret = |name: &str, seed: u8| ClientSecretRecord {
                id: name.into(),
                digest: ClientSecretDigest::from_bytes([seed; 32]),
                created_at: at(0),
            };
            client.secrets = vec![secret("one", 1), secret("two", 2)];
            ClientRegistry::insert(&store, &client).unwrap();
            let mut retired = race(&scratch, 2, |store, number| {
                store.retire_secret(&client.id, ["one", "two"][number]).unwrap()
            });
            retired.sort_by_key(|it| *it == Retired::LastOne);
            assert_eq!(retired, [Retired::Retired, Retired::LastOne]);
        }
    }
}

/// Neither an edit nor a new secret is lost to another that happens meanwhile, and no edit enables a client
/// that was just disabled.
#[test]
fn changes_of_one_client_do_not_undo_each_other() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        let web = sample::client_id("web");
        let changed = race(&scratch, 12, |store, number| match number {
            0 => store.set_disabled(&web, Some(at(50))),
            1..6 => store.update(&sample::web()),
            _ => {
                let secret = ClientSecretRecord {
                    id: format!("secret-{number}"),
                    digest: ClientSecretDigest::from_bytes([7; 32]),
                    created_at: at(0),
                };
                store.add_secret(&web, &secret, 100)
            }
        });
        assert_eq!(changed, vec![Ok(Changed::Changed); 12]);
        let client = ClientStore::find(&store, &web).unwrap().unwrap();
        assert_eq!(client.disabled_at, Some(at(50)));
        assert_eq!(client.redirect_uris, sample::web().redirect_uris);
        assert_eq!(client.secrets.len(), sample::web().secrets.len() + 6);
    }
}

/// Sweeps over the same grants from different sides, refreshes and replays under them, and purging: all
/// end, and none of them is refused.
#[test]
fn transitions_on_the_same_grants_never_wait_in_a_circle() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        let grants: Vec<GrantId> = (0..20)
            .map(|it| {
                let grant = approve(&store, &format!("grant-{it}"));
                redeem(&store, &grant, at(20), &format!("r-{it}"));
                grant
            })
            .collect();
        let (subject, web) = (sample::alice().subject, sample::client_id("web"));
        let lifetimes = sample::policy().sessions;
        race(&scratch, 16, |store, number| match number % 4 {
            0 => drop(store.withdraw(&subject, None, at(40)).unwrap()),
            1 => drop(store.set_disabled(&web, Some(at(40))).unwrap()),
            2 => drop(store.purge(at(5_000), lifetimes, 100).unwrap()),
            _ => {
                for (it, grant) in grants.iter().enumerate().rev() {
                    // One of them is the first; whoever comes later presents the same token again.
                    let names = format!("r-{it}-{number}");
                    let rotated = rotate(store, grant, &format!("r-{it}"), &names);
                    assert!(matches!(rotated, Rotated::Done | Rotated::GrantEnded), "{rotated:?}");
                    redeem(store, grant, at(41), &format!("again-{it}"));
                }
            }
        });
        let live = GrantStore::list(&store, &GrantFilter::default(), at(40)).unwrap();
        assert_eq!(live, []);
    }
}

/// Two servers purge the same rows: each row goes once, and every grant with its last row.
#[test]
fn servers_that_purge_at_once_share_the_work_and_leave_no_grant_behind() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let lifetimes = sample::policy().sessions;
        let count = 60;
        for it in 0..count {
            let grant = approve(&store, &format!("grant-{it}"));
            redeem(&store, &grant, at(20), &format!("r-{it}"));
        }
        let removed: usize = race(&scratch, 8, |store, _| {
            let mut removed = 0;
            // What another has locked is passed over: as often as it takes.
            while !GrantStore::list(store, &everything(), at(0)).unwrap().is_empty() {
                removed += store.purge(at(10_000), lifetimes, 7).unwrap();
            }
            removed
        })
        .into_iter()
        .sum();
        assert_eq!(removed, 4 * count, "a code, two tokens and a grant of each");
        assert!(!knows_refresh(&store, &grant_id("grant-0"), "r-0"));
    }
}

fn everything() -> GrantFilter {
    GrantFilter { ended: true, ..GrantFilter::default() }
}
