use super::*;

fn column(table: &str, column: &str) -> &'static Column {
    let table = TABLES.iter().find(|it| it.name == table).unwrap();
    table.columns.iter().find(|it| it.name == column).unwrap()
}

#[test]
fn a_value_is_of_its_columns_type_and_may_be_null_only_where_nothing_is_known_yet() {
    let text = |text: &str| Value::Text(text.into());
    for (place, good, bad) in [
        (("clients", "kind"), vec![text("public")], vec![text("Public"), Value::Null]),
        (("clients", "scope"), vec![text(""), text("a b")], vec![text("a  b"), text("a\0")]),
        (("clients", "name"), vec![text(""), text("Ёлка 🚀")], vec![text("a\0b")]),
        (
            ("clients", "require_pkce"),
            vec![Value::Integer(0), Value::Integer(1)],
            vec![Value::Integer(2), text("1"), Value::Null],
        ),
        (
            ("client_redirect_uris", "uri"),
            vec![text("https://rp.test/cb")],
            vec![text("http://rp.test/cb"), text("javascript:alert(1)")],
        ),
        (
            ("owners", "password_hash"),
            vec![text("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA")],
            vec![text("correct horse"), text("hunter2"), text("$hunter2"), text("")],
        ),
        (
            ("grants", "id"),
            vec![Value::Bytes(vec![7; 16])],
            vec![Value::Bytes(vec![7; 32]), text("07"), Value::Null],
        ),
        (
            ("tokens", "kind"),
            vec![text("access"), text("refresh")],
            vec![text("Access"), text(""), Value::Null],
        ),
        (("grants", "revoked_at"), vec![Value::Null, Value::Integer(-1)], vec![text("now")]),
        (
            ("tokens", "parent_digest"),
            vec![Value::Null, Value::Bytes(vec![7; 32])],
            vec![Value::Bytes(vec![7; 31]), text("07")],
        ),
        (
            ("pending_authorizations", "state"),
            vec![Value::Null, Value::Bytes(b"\0".to_vec())],
            vec![Value::Bytes(vec![0xff])],
        ),
    ] {
        let column = column(place.0, place.1);
        for value in good {
            assert_eq!(column.check(&value), Ok(()), "{place:?} {value:?}");
        }
        for value in bad {
            assert!(column.check(&value).is_err(), "{place:?} {value:?}");
        }
    }
}
