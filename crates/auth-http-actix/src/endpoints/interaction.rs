//! What follows an authorization request: a page, or a redirect; and its continuation after sign-in.

use super::Api;
use crate::app::{App, Visitor};
use crate::csrf::{self, Purpose};
use crate::error_page::{self, Words};
use crate::pages::{ClientIdentity, ConsentPage, Destination, ResourceInWords, ScopeInWords};
use crate::redirect;
use crate::security_headers::policy_towards;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::error::Fault;
use auth_core::policy::Policy;
use auth_core::redirect_uri::RedirectTarget;
use auth_core::resource::Audience;
use auth_core::scope::Scope;
use auth_core::secret::InteractionId;
use auth_core::session::AuthenticatedOwner;
use auth_core::usecase::authorize::{Authorize, Prompted, Refusal};

/// An authorization request that its owner signed in for.
pub(super) async fn get(app: Data<App>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let id = InteractionId::presented(&id);
    let visitor = app.visitor(&request);
    let outcome = app.engine(move |engine| {
        let owner = visitor.owner(engine)?;
        let next = match &visitor.browser {
            Some(browser) => engine.resume(&id, &browser.digest(), owner.as_ref())?,
            None => Authorize::Refused(Refusal::InteractionGone),
        };
        Ok((next, visitor, owner))
    });
    show(&app, Api::OAuth, outcome.await, false)
}

type Outcome = (Authorize, Visitor, Option<AuthenticatedOwner>);

/// Renders what the engine decided.
pub(super) fn show(
    app: &App,
    api: Api,
    outcome: Result<Outcome, Fault>,
    new_browser: bool,
) -> HttpResponse {
    let (next, visitor, owner) = match outcome {
        Ok(outcome) => outcome,
        Err(fault) => return error_page::fault(app, &fault),
    };
    let mut response = match next {
        Authorize::Refused(refusal) => return error_page::page(app, &Words::from(refusal)),
        Authorize::Redirect(response) => return redirect::to_client(&response),
        Authorize::NeedsSignIn(prompted) => {
            redirect::to_own(app, &format!("/login?interaction={}", prompted.interaction.expose()))
        }
        Authorize::NeedsConsent(prompted) => {
            consent_page(app, api, &prompted, &visitor, owner.as_ref())
        }
    };
    if let (true, Some(browser)) = (new_browser, &visitor.browser) {
        // A cookie of our own making is a valid header.
        let _ = response.add_cookie(&app.cookies.set_browser(browser));
    }
    response
}

fn consent_page(
    app: &App,
    api: Api,
    prompted: &Prompted,
    visitor: &Visitor,
    owner: Option<&AuthenticatedOwner>,
) -> HttpResponse {
    let (Some(browser), Some(owner)) = (&visitor.browser, owner) else {
        return error_page::page(app, &Words::from(Refusal::SignInFirst));
    };
    let purpose = Purpose::Consent(&prompted.interaction, visitor.session.as_ref());
    let page = ConsentPage {
        server: app.host.clone(),
        client_name: prompted.client.name.clone(),
        identity: ClientIdentity::RegisteredBy {
            name: format!("the administrators of {}", app.host),
        },
        username: owner.owner().username.to_string(),
        switch_account: app.path(&format!("/login?interaction={}", prompted.interaction.expose())),
        scopes: scopes_in_words(&app.engine.policy, &prompted.request.scope),
        resources: resources_in_words(&app.engine.policy, &prompted.request.audience),
        destination: match prompted.redirect_uri.target() {
            RedirectTarget::Web(host) => Destination::Host { host: host.to_owned() },
            RedirectTarget::Loopback(address) => {
                Destination::Device { address: address.to_owned() }
            }
            RedirectTarget::App(scheme) => Destination::Device { address: format!("{scheme}:") },
        },
        duration: duration(&app.engine.policy),
        action: app.path(&format!("{}/consent", api.prefix())),
        csrf_token: csrf::token(browser, &purpose),
    };
    let uri = &prompted.redirect_uri;
    let mut response = HttpResponse::Ok();
    response.insert_header((
        header::CONTENT_SECURITY_POLICY,
        policy_towards(uri.target(), uri.as_str()),
    ));
    error_page::render(app, response, &page)
}

/// Each scope with its description, in the operator's order.
fn scopes_in_words(policy: &Policy, scope: &Scope) -> Vec<ScopeInWords> {
    let asked = |token| scope.iter().any(|asked| asked == token);
    let definitions = policy.scopes.iter().filter(|definition| asked(&definition.token));
    definitions
        .map(|definition| ScopeInWords {
            name: definition.token.as_str().to_owned(),
            description: definition.description.clone(),
        })
        .collect()
}

/// Each resource server by name and host, in the operator's order.
fn resources_in_words(policy: &Policy, audience: &Audience) -> Vec<ResourceInWords> {
    let asked = policy.resources.iter().filter(|resource| audience.contains(&resource.uri));
    asked
        .map(|resource| {
            let uri = resource.uri.as_str();
            let host = uri.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
            let address = host.unwrap_or(uri).to_owned();
            ResourceInWords { name: resource.name.clone(), address }
        })
        .collect()
}

/// How long an approval lasts, as a sentence.
fn duration(policy: &Policy) -> String {
    let pause = in_days(policy.refresh_token_lifetime);
    match policy.grant_lifetime {
        Some(lifetime) => format!(
            "For {} at most, or until it is withdrawn; it ends sooner if it is not used for {pause}.",
            in_days(lifetime)
        ),
        None => format!("Until it is withdrawn, or not used for {pause}."),
    }
}

fn in_days(duration: time::Duration) -> String {
    let (count, unit) = match duration.whole_seconds() {
        seconds if seconds % 86_400 == 0 => (seconds / 86_400, "day"),
        seconds if seconds % 3600 == 0 => (seconds / 3600, "hour"),
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
