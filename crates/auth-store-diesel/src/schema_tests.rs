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
