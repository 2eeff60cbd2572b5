//! Two servers that start at the same moment.

use crate::postgres::{self, name_of};
use crate::server::{REDIRECT_URI, SETTINGS};
use crate::support::at_once;
use crate::support::person::Person;
use crate::support::server::{Site, free_address};
use std::path::Path;

/// On an empty database, one of them makes the schema and the other finds it made.
#[test]
fn two_servers_that_start_on_an_empty_database_make_its_schema_once() {
    if !postgres::is_available() {
        return;
    }
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let migrations = std::fs::read_dir(migrations).expect("the migrations").count();
    let cluster = postgres::shared();
    for _ in 0..5 {
        let database = cluster.create_database("template1");
        let addresses = [free_address(), free_address()];
        // No proxy here: the issuer is the first server's address.
        let site = Site::behind(addresses[0], &database);
        let servers = at_once(2, |index| site.serve_at(addresses[index], &SETTINGS));

        let migrated =
            servers.iter().map(|it| it.output().matches("the database was migrated").count());
        assert_eq!(migrated.sum::<usize>(), migrations, "{}", servers[0].output());
        let noted = "SELECT count(*), count(DISTINCT version) FROM __diesel_schema_migrations";
        let noted = cluster.run(name_of(&database), noted);
        assert_eq!(noted, format!("{migrations}|{migrations}"));

        site.add_user("alice");
        let client = site.add_client("Web", &[REDIRECT_URI], &[]);
        let code = Person::at(addresses[0]).code(&client, REDIRECT_URI);
        assert_eq!(servers[1].redeem(&client, &code).status, 200);
    }
}
