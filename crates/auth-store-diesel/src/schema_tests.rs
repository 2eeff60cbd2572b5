//! What this crate believes of the tables is what the migrations made, in every database.
#![cfg(feature = "sqlite")]

use crate::failure::TEXT_COLUMNS;
use std::collections::BTreeSet;

#[cfg(feature = "postgres")]
#[test]
fn both_databases_have_the_same_catalogue() {
    use crate::{postgres, sqlite};
    if !postgres::scratch::is_available() {
        return;
    }
    let one = sqlite::scratch::catalogue(&mut sqlite::scratch::Scratch::new().connect());
    let other = postgres::scratch::catalogue(&mut postgres::scratch::Scratch::new().connect());
    let ours = |catalogue: BTreeSet<String>| -> BTreeSet<String> {
        catalogue.into_iter().filter(|line| !line.contains("__diesel_schema_migrations")).collect()
    };
    assert_eq!(ours(one), ours(other));
}

/// `(column, type)` of our tables.
fn columns() -> Vec<(String, String)> {
    use crate::sqlite::scratch::{Scratch, catalogue};
    let catalogue = catalogue(&mut Scratch::new().connect());
    let columns = catalogue.iter().filter_map(|line| line.strip_prefix("column "));
    let ours = columns.filter(|line| !line.starts_with("__diesel_schema_migrations"));
    let split = |line: &str| {
        let mut words = line.split(['.', ' ']).skip(1).map(str::to_owned);
        Some((words.next()?, words.next()?))
    };
    ours.filter_map(split).collect()
}

#[test]
fn our_tables_have_three_types() {
    let types: BTreeSet<_> = columns().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(Vec::from_iter(types), ["BIGINT", "BYTES", "TEXT"]);
}

#[test]
fn every_text_column_can_be_named_in_an_error() {
    let text = columns().into_iter().filter(|(_, kind)| kind == "TEXT");
    let text: BTreeSet<_> = text.map(|(column, _)| column).collect();
    assert_eq!(Vec::from_iter(text), TEXT_COLUMNS);
}

/// A column that somebody adds must move house, too.
#[test]
fn what_is_moved_is_every_column_of_every_table_with_its_type_and_key() {
    use crate::sqlite::scratch::{Scratch, catalogue};
    use crate::transfer::tables::{Storage, TABLES};
    let catalogue = catalogue(&mut Scratch::new().connect());
    let of = |prefix: &'static str| -> BTreeSet<&str> {
        let lines = catalogue.iter().filter_map(|line| line.strip_prefix(prefix));
        // What describes the schema is made by the migrations of wherever it goes.
        let of_schema = ["__diesel_schema_migrations", "schema_floor"];
        lines.filter(|line| !of_schema.iter().any(|table| line.starts_with(table))).collect()
    };
    let (mut columns, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for table in &TABLES {
        for column in table.columns {
            let storage = match column.kind.storage() {
                Storage::Text => "TEXT",
                Storage::Bytes => "BYTES",
                Storage::Integer => "BIGINT",
            };
            let null = if column.nullable { "" } else { " NOT NULL" };
            columns.insert(format!("{}.{} {storage}{null}", table.name, column.name));
        }
        let key: Vec<_> = table.columns[..table.key].iter().map(|column| column.name).collect();
        keys.insert(format!("{}: {}", table.name, key.join(",")));
    }
    assert_eq!(columns.iter().map(String::as_str).collect::<BTreeSet<_>>(), of("column "));
    assert_eq!(keys.iter().map(String::as_str).collect::<BTreeSet<_>>(), of("key of "));

    let place = |name: &str| TABLES.iter().position(|table| table.name == name).unwrap();
    let references = of("reference ");
    assert!(references.len() >= 5, "{references:?}");
    for reference in references {
        let (child, rest) = reference.split_once('.').unwrap();
        let (_, rest) = rest.split_once(" to ").unwrap();
        let (parent, _) = rest.split_once('.').unwrap();
        assert!(place(parent) < place(child), "{reference}");
    }
}
