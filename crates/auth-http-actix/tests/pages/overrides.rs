//! An operator's own templates.

use std::fs;

use auth_http_actix::pages::{Home, Page, Pages, SignedOut};

#[test]
fn a_file_of_the_same_name_replaces_a_page_or_the_stylesheet() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("signed_out.html"), "{% extends \"base.html\" %}{% block content %}<h1>Bye from {{ server }}</h1>{% endblock content %}")
        .expect("written");
    fs::write(directory.path().join("style.css"), "p { color: red }").expect("written");
    fs::write(directory.path().join("README"), "ours").expect("written");
    let pages = Pages::with_overrides(directory.path()).expect("good overrides");
    let html = pages.render(&SignedOut { server: "<b>".into() }).expect("renders");
    assert!(
        html.contains("<h1>Bye from &lt;b&gt;</h1>") && html.contains("/assets/style.css"),
        "{html}"
    );
    assert_eq!(pages.stylesheet(), "p { color: red }");
    assert!(pages.render(&Home::samples()[0]).expect("renders").contains("You are signed in"));
}

#[test]
fn a_broken_override_is_refused_at_start_with_its_place_and_reason() {
    let refusal = |file: &str, content: &[u8]| {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join(file), content).expect("written");
        Pages::with_overrides(directory.path()).err().expect("a refusal").to_string()
    };
    let unknown_field = refusal("consent.html", b"<h1>\n{{ client_nam }}</h1>");
    assert!(
        unknown_field.starts_with("consent.html cannot be rendered")
            && unknown_field.contains("client_nam"),
        "{unknown_field}"
    );
    let only_sometimes =
        refusal("sign_in.html", b"{% if problem %}{{ problem.reason }}{% endif %}");
    assert!(
        only_sometimes.contains("sign_in.html") && only_sometimes.contains("reason"),
        "{only_sometimes}"
    );
    let syntax = refusal("base.html", b"{% if server %}");
    assert!(syntax.contains("base.html"), "{syntax}");
    let misspelt = refusal("signin.html", b"<h1>Hello</h1>");
    assert!(
        misspelt.contains("signin.html replaces no page") && misspelt.contains("sign_in.html"),
        "{misspelt}"
    );
    let unreadable = refusal("home.html", &[0xff, 0xfe]);
    assert!(unreadable.contains("cannot read") && unreadable.contains("home.html"), "{unreadable}");
    let missing =
        Pages::with_overrides("/does/not/exist".as_ref()).err().expect("a refusal").to_string();
    assert!(missing.starts_with("cannot read /does/not/exist"), "{missing}");
}

#[test]
fn a_copy_of_the_whole_template_directory_is_a_good_start_for_ones_own() {
    let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates");
    let pages = Pages::with_overrides(templates.as_ref()).expect("the product's own templates");
    assert_eq!(pages.stylesheet(), super::pages().stylesheet());
}
