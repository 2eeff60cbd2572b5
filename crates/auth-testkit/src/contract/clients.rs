//! Clients: [`ClientStore`] and [`ClientRegistry`].

use super::world::{ALICE, BOB, EVIL, WEB, World, at, id};
use super::{Fresh, StoreUnderTest};
use crate::sample;
use auth_core::client::{
    Changed, Client, ClientAuthMethod, ClientRegistry, ClientSecretRecord, ClientStore, GrantType,
    Inserted, Retired,
};
use auth_core::resource::ResourceUri;
use auth_core::secret::ClientSecretDigest;

/// Every field of a client, its redirect URIs in their order and its secrets included, is what was
/// registered; the list is ordered by identifier.
pub fn a_client_comes_back_as_it_was_registered<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::empty(fresh);
    let mut rich = sample::web();
    rich.id = id("a:b c%\u{e9}");
    rich.name = "Caf\u{e9} <\"'&> \u{6f22}".into();
    rich.require_pkce = true;
    rich.auth_method = Some(ClientAuthMethod::ClientSecretPost);
    rich.rotate_refresh_tokens = false;
    rich.created_at = at(3);
    rich.redirect_uris.reverse();
    rich.secrets.insert(0, secret(&world, "newer", 9));
    let mut bare = sample::public();
    bare.id = id("Z");
    bare.redirect_uris.clear();
    bare.scope = sample::scope("");
    bare.grant_types = [GrantType::RefreshToken, GrantType::ClientCredentials].into();
    let mut api = sample::confidential("Z-api", &[]);
    api.grant_types.clear();
    api.resource_server = ResourceUri::parse("https://API.test/v1?a=%20").ok();
    for client in [&rich, &bare, &api] {
        let inserted = ClientRegistry::insert(world.one(), client);
        assert_eq!(inserted, Ok(Inserted::Inserted));
        assert_eq!(found(&world, client), Some(client.clone()));
    }
    let listed = ClientRegistry::list(world.other());
    let uri =
        |clients: &[Client]| clients[1].resource_server.clone().map(|it| it.as_str().to_owned());
    assert_eq!(uri(listed.as_deref().expect("list")).as_deref(), Some("https://API.test/v1?a=%20"));
    assert_eq!(listed, Ok(vec![bare, api, rich]), "ordered by identifier");
    let unknown = ClientStore::find(world.one(), &id("nobody"));
    assert_eq!(unknown, Ok(None));
    let otherwise_written = ClientStore::find(world.one(), &id("z"));
    assert_eq!(otherwise_written, Ok(None), "identifiers are exact");
}

/// An identifier belongs to the client that had it first, however many try at once.
pub fn a_client_identifier_is_registered_once<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let mut imposter = sample::evil();
    imposter.id = id(WEB);
    let inserted = ClientRegistry::insert(world.other(), &imposter);
    assert_eq!(inserted, Ok(Inserted::NameTaken));
    assert_eq!(found(&world, &sample::web()), Some(sample::web()));
    for round in 0..3 {
        let name = format!("racer-{round}");
        let outcomes = world.race(|store, number| {
            let mut client = sample::confidential(&name, &[]);
            client.name = number.to_string();
            ClientRegistry::insert(store, &client).expect("insert")
        });
        let won = |number: &usize| outcomes[*number] == Inserted::Inserted;
        let winners: Vec<usize> = (0..outcomes.len()).filter(won).collect();
        let stored = found(&world, &sample::confidential(&name, &[])).expect("the winner");
        assert_eq!(winners.len(), 1, "registrations that won");
        assert_eq!(stored.name, winners[0].to_string());
    }
}

/// An update replaces what an administrator may change, and nothing else.
pub fn updating_a_client_keeps_its_secrets_and_dates<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    ClientRegistry::set_disabled(world.one(), &id(WEB), Some(at(5))).expect("disable");
    let mut changed = sample::public();
    changed.id = id(WEB);
    changed.name = "Another name".into();
    changed.scope = sample::scope("profile");
    changed.grant_types = [GrantType::AuthorizationCode].into();
    changed.require_pkce = true;
    changed.rotate_refresh_tokens = false;
    changed.created_at = at(99);
    changed.secrets = vec![secret(&world, "smuggled", 9)];
    assert_eq!(world.one().update(&changed), Ok(Changed::Changed));
    let expected = Client {
        secrets: sample::web().secrets,
        created_at: sample::web().created_at,
        disabled_at: Some(at(5)),
        ..changed.clone()
    };
    assert_eq!(found(&world, &changed), Some(expected));
    assert_eq!(found(&world, &sample::evil()), Some(sample::evil()));
    changed.id = id("nobody");
    assert_eq!(world.one().update(&changed), Ok(Changed::NotFound));
    assert_eq!(found(&world, &changed), None, "an update adds no client");
}

/// Disabling ends the client's grants, and nobody else's; enabling brings none back.
pub fn disabling_a_client_ends_its_grants_for_good<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let mine = [ALICE, BOB].map(|owner| world.bought(WEB, owner).0);
    let (other, _) = world.bought(EVIL, ALICE);
    let set = |at| ClientRegistry::set_disabled(world.one(), &id(WEB), at);
    assert_eq!(set(Some(at(5))), Ok(Changed::Changed));
    let disabled_at = |world: &World<S>| {
        let client = found(world, &sample::web()).expect("it is still registered");
        client.disabled_at
    };
    assert_eq!(disabled_at(&world), Some(at(5)));
    for grant in &mine {
        assert_eq!(world.grant_of(grant).revoked_at, Some(at(5)));
    }
    assert!(!world.is_revoked(&other), "another client's grant");
    assert_eq!(world.consent(ALICE, WEB), None, "people approve it anew");
    assert!(world.consent(ALICE, EVIL).is_some(), "another client's consent");
    assert_eq!(set(None), Ok(Changed::Changed));
    assert_eq!(disabled_at(&world), None);
    assert!(mine.iter().all(|grant| world.is_revoked(grant)));
    let nobody = ClientRegistry::set_disabled(world.one(), &id("nobody"), None);
    assert_eq!(nobody, Ok(Changed::NotFound));
}

/// A deleted client is gone with its secrets and consents, and what it held is worth nothing.
pub fn deleting_a_client_ends_its_grants_and_forgets_its_consents<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let (_, tokens) = world.bought(WEB, ALICE);
    let (other, _) = world.bought(EVIL, ALICE);
    assert_eq!(world.one().delete(&id(WEB), at(5)), Ok(Changed::Changed));
    assert_eq!(found(&world, &sample::web()), None);
    assert_eq!(world.consent(ALICE, WEB), None);
    let live = world.access(&tokens.access).is_some_and(|(_, grant)| grant.is_live(at(6)));
    assert!(!live, "its access token is still good");
    assert!(!world.is_revoked(&other));
    assert!(world.consent(ALICE, EVIL).is_some());
    assert_eq!(world.other().delete(&id(WEB), at(6)), Ok(Changed::NotFound));
    let again = ClientRegistry::insert(world.one(), &sample::web());
    assert_eq!(again, Ok(Inserted::Inserted), "the identifier is free");
    let secrets = found(&world, &sample::web()).map(|client| client.secrets);
    assert_eq!(secrets, Some(sample::web().secrets), "no old secret");
    assert_eq!(world.consent(ALICE, WEB), None);
}

/// CAUTH-14: a new secret is the newest, `keep` of the others stay, and a retired one is gone.
pub fn a_new_secret_stands_beside_the_newest_old_ones<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let add = |name: &str, second, keep| {
        let record = secret(&world, name, second);
        let changed = world.one().add_secret(&id(WEB), &record, keep);
        assert_eq!(changed, Ok(Changed::Changed));
        record
    };
    let first = sample::web().secrets[0].clone();
    let second = add("second", 10, 1);
    assert_eq!(secrets(&world, WEB), [second.clone(), first]);
    let third = add("third", 20, 1);
    assert_eq!(secrets(&world, WEB), [third.clone(), second.clone()]);
    let fourth = add("fourth", 30, 2);
    assert_eq!(secrets(&world, WEB), [fourth, third, second]);
    let retired = world.other().retire_secret(&id(WEB), "third");
    assert_eq!(retired, Ok(Retired::Retired));
    assert_eq!(secrets(&world, WEB).len(), 2);
    let unknown = world.one().retire_secret(&id(WEB), "third");
    assert_eq!(unknown, Ok(Retired::NotFound));
    let fifth = add("fifth", 40, 0);
    assert_eq!(secrets(&world, WEB), [fifth]);
    assert_eq!(secrets(&world, EVIL), sample::evil().secrets);
    let foreign = world.one().retire_secret(&id(EVIL), "fifth");
    assert_eq!(foreign, Ok(Retired::NotFound), "another client's secret");
    let record = secret(&world, "x", 50);
    let nobody = world.one().add_secret(&id("nobody"), &record, 1);
    assert_eq!(nobody, Ok(Changed::NotFound));
}

/// Retiring never locks a client out, even where two secrets are retired at once.
pub fn the_last_secret_is_never_retired<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let only = sample::web().secrets[0].id.clone();
    let retired = world.one().retire_secret(&id(WEB), &only);
    assert_eq!(retired, Ok(Retired::LastOne));
    assert_eq!(secrets(&world, WEB).len(), 1);
    for round in 0..10 {
        let names = [format!("a{round}"), format!("b{round}")];
        for (keep, name) in names.iter().enumerate() {
            let record = secret(&world, name, 10 + round);
            world.one().add_secret(&id(WEB), &record, keep).expect("add");
        }
        let outcomes = world.race(|store, number| {
            let name = &names[(number / 2) % 2];
            store.retire_secret(&id(WEB), name).expect("retire")
        });
        let retired = |outcome: &&Retired| **outcome == Retired::Retired;
        assert_eq!(outcomes.iter().filter(retired).count(), 1);
        assert_eq!(secrets(&world, WEB).len(), 1, "one secret is left");
    }
}

fn secret<S: StoreUnderTest>(world: &World<S>, name: &str, second: i64) -> ClientSecretRecord {
    ClientSecretRecord {
        id: name.to_owned(),
        digest: ClientSecretDigest::from_bytes(world.bytes()),
        created_at: at(second),
    }
}

fn secrets<S: StoreUnderTest>(world: &World<S>, client: &str) -> Vec<ClientSecretRecord> {
    let found = ClientStore::find(world.other(), &id(client)).expect("find");
    found.expect("the client").secrets
}

fn found<S: StoreUnderTest>(world: &World<S>, client: &Client) -> Option<Client> {
    ClientStore::find(world.other(), &client.id).expect("find")
}
