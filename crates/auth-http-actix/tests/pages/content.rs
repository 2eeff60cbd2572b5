//! What each page says and offers.

use auth_http_actix::pages::{
    ClientIdentity, ConsentPage, Destination, ErrorPage, Home, Page, SignIn, SignedOut,
};
use scraper::Html;

use super::{POLYGLOT, every_shape, pages, select, text};

/// UI-23
#[test]
fn a_password_manager_finds_its_way_and_the_cursor_stands_where_to_type() {
    let samples = SignIn::samples();
    let render = |sample: &SignIn| Html::parse_document(&pages().render(sample).expect("renders"));
    let asked = render(&samples[0]);
    assert_eq!(select(&asked, "form[action='/login'] input[name=username][autocomplete=username][autocapitalize=none][autofocus]").len(), 1);
    assert_eq!(select(&asked, "form[action='/login'] input[name=password][type=password][autocomplete=current-password]").len(), 1);
    assert_eq!(
        select(&asked, "input[type=hidden][name=interaction][value=sample-interaction]").len(),
        1
    );
    assert!(text(&select(&asked, "main")[0]).contains("to continue to Photo Printer"));
    assert!(select(&asked, "[role=alert], [aria-invalid]").is_empty());
    assert!(text(&select(&asked, "footer")[0]).contains("auth.example.com"));

    let refused = render(&samples[1]);
    assert_eq!(select(&refused, "[autofocus]").len(), 1);
    assert_eq!(
        select(
            &refused,
            "input[name=password][autofocus][aria-invalid=true][aria-describedby=problem]"
        )
        .len(),
        1
    );
    assert_eq!(
        select(&refused, "input[name=password][value]").len(),
        0,
        "a password is never sent back"
    );
    assert!(
        text(&select(&refused, "[role=alert]")[0])
            .starts_with("That user name and password do not match.")
    );
    assert!(text(&select(&refused, "title")[0]).starts_with("Problem: "));

    let throttled = render(&samples[2]);
    assert!(text(&select(&throttled, "[role=alert]")[0]).contains("wait 42 seconds"));

    let uninvited = render(&SignIn { client_name: None, interaction: None, ..samples[0].clone() });
    assert!(select(&uninvited, "input[name=interaction]").is_empty());
    assert!(!text(&select(&uninvited, "main")[0]).contains("to continue to"));
}

/// UI-04
#[test]
fn the_consent_page_says_who_asks_for_what_from_whom_until_when_and_where_it_leads() {
    let page = ConsentPage::samples().swap_remove(0);
    let document = Html::parse_document(&pages().render(&page).expect("renders"));
    let main = text(&select(&document, "main")[0]);
    for said in [
        "Allow Photo Printer to use your account?",
        "Registered by Example Prints Ltd",
        "View project details and membership. projects:read",
        "Upload, update, and delete models. models:write",
        "Gives access to Model Archive api.example.com Your account alice Not you?",
        "Takes you to photos.example.org",
        "Until you withdraw it; unused access ends after 30 days.",
    ] {
        assert!(main.contains(said), "{said} is missing in {main}");
    }
    assert_eq!(select(&document, ".scopes > li").len(), 3);
    let switch = select(&document, "a");
    assert_eq!(switch.len(), 1);
    assert_eq!(switch[0].value().attr("href"), Some(page.switch_account.as_str()));

    let device = ConsentPage {
        destination: Destination::Device { address: "127.0.0.1:8765".into() },
        identity: ClientIdentity::Unverified,
        ..page
    };
    let document = Html::parse_document(&pages().render(&device).expect("renders"));
    let main = text(&select(&document, "main")[0]);
    assert!(main.contains("an app on this device 127.0.0.1:8765"), "{main}");
    assert!(main.contains("Nobody has verified who runs this application"), "{main}");
}

/// UI-04: the APIs are named where there are any, and not spoken of where there are none.
#[test]
fn the_consent_page_names_the_apis() {
    let said = |sample: usize| {
        let page = ConsentPage::samples().swap_remove(sample);
        let document = Html::parse_document(&pages().render(&page).expect("renders"));
        text(&select(&document, "dl.facts")[0])
    };
    assert!(said(1).starts_with("Your account"), "{}", said(1));
    let both =
        "Gives access to Model Archive api.example.com Issue Tracker urn:example:issues Your";
    assert!(said(2).starts_with(both), "{}", said(2));
}

/// UI-04
#[test]
fn denying_is_as_near_as_approving() {
    let page =
        ConsentPage { action: "/v1/auth/consent".into(), ..ConsentPage::samples().swap_remove(0) };
    let document = Html::parse_document(&pages().render(&page).expect("renders"));
    let buttons = select(
        &document,
        "form[method=post][action='/v1/auth/consent'] > .actions > button[type=submit][name=decision]",
    );
    let seen = buttons
        .iter()
        .map(|button| (button.value().attr("value").unwrap_or_default(), text(button)))
        .collect::<Vec<_>>();
    assert_eq!(seen, [("approve", "Approve".to_owned()), ("deny", "Deny".to_owned())]);
    assert_eq!(select(&document, "button").len(), 2);
    assert_eq!(select(&document, "button[autofocus], button[disabled]").len(), 0);
}

/// UI-12
#[test]
fn an_error_page_tells_what_happened_and_links_nowhere() {
    for sample in ErrorPage::samples() {
        let document = Html::parse_document(&pages().render(&sample).expect("renders"));
        assert!(select(&document, "a, form").is_empty());
    }
    let document =
        Html::parse_document(&pages().render(&ErrorPage::samples()[0]).expect("renders"));
    let main = text(&select(&document, "main")[0]);
    for said in [
        "Error 400",
        "This sign-in link does not work",
        "not registered",
        "Go back to the application",
        "01JB8Z5V6Q",
        "auth.example.com",
    ] {
        assert!(main.contains(said), "{said} is missing in {main}");
    }
}

#[test]
fn the_start_page_offers_signing_out_to_who_is_signed_in_and_signing_in_to_everybody_else() {
    let [signed_in, nobody] = [0, 1]
        .map(|n| Html::parse_document(&pages().render(&Home::samples()[n]).expect("renders")));
    assert_eq!(
        select(&signed_in, "form[method=post][action='/logout'] input[name=csrf_token]").len(),
        1
    );
    assert!(text(&select(&signed_in, "main")[0]).contains("alice"));
    assert!(select(&signed_in, "a").is_empty());
    assert_eq!(select(&nobody, "a[href='/login']").len(), 1);
    assert!(select(&nobody, "form").is_empty());
}

/// UI-04, UI-23
#[test]
fn the_pages_look_as_they_were_approved() {
    let pages = pages();
    insta::assert_snapshot!("sign_in", pages.render(&SignIn::samples()[0]).expect("renders"));
    insta::assert_snapshot!(
        "sign_in_mismatch",
        pages.render(&SignIn::samples()[1]).expect("renders")
    );
    insta::assert_snapshot!("consent", pages.render(&ConsentPage::samples()[0]).expect("renders"));
    insta::assert_snapshot!("error", pages.render(&ErrorPage::samples()[0]).expect("renders"));
    insta::assert_snapshot!("signed_out", pages.render(&SignedOut::samples()[0]).expect("renders"));
    insta::assert_snapshot!("home", pages.render(&Home::samples()[0]).expect("renders"));
    insta::assert_snapshot!(
        "consent_hostile",
        every_shape(|name| format!("{name}{POLYGLOT}"))[4].0
    );
}
