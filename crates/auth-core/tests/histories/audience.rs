//! Whom a token is for, by the rules of RFC 8707 as the model understands them.

use auth_core::scope::Scope;
use auth_testkit::sample;
use std::collections::BTreeSet;

pub(crate) type Uris = BTreeSet<&'static str>;

/// The resource servers of [`sample::resources`]: URI, scopes, and whose credentials they have.
pub(crate) const RESOURCES: [(&str, &str, &str); 2] = [
    ("https://api.test/", "api.read api.write", "rs"),
    ("https://other.test/", "api.read profile", "rs2"),
];

/// What a request may send in `resource`.
pub(crate) const AT: [&[&str]; 5] = [
    &[],
    &[RESOURCES[0].0],
    &[RESOURCES[1].0],
    &[RESOURCES[0].0, RESOURCES[1].0],
    &["https://unknown.test/"],
];

fn known(at: &[&'static str]) -> Option<Uris> {
    let is_known = |uri: &&str| RESOURCES.iter().any(|(known, ..)| known == uri);
    at.iter().all(is_known).then(|| at.iter().copied().collect())
}

/// RES-07: whom a scope concerns.
fn concerned(scope: &Scope) -> Uris {
    let concerns = |scopes: &str| !sample::scope(scopes).intersection(scope).is_empty();
    RESOURCES.iter().filter(|(_, scopes, _)| concerns(scopes)).map(|(uri, ..)| *uri).collect()
}

/// RES-06: what of a scope concerns one of these, or nobody.
fn usable_at(scope: &Scope, at: &Uris) -> Scope {
    let usable = |token: &Scope| {
        let concerned = concerned(token);
        concerned.is_empty() || !concerned.is_disjoint(at)
    };
    let tokens = scope.iter().map(|token| [token.clone()].into_iter().collect());
    tokens.filter(usable).fold(Scope::default(), |all, token| all.union(&token))
}

/// What a request for this scope at these resources is for; `None` if it is refused.
pub(crate) fn requested(scope: &Scope, at: &[&'static str]) -> Option<Uris> {
    if at.is_empty() {
        return Some(concerned(scope));
    }
    known(at).filter(|at| usable_at(scope, at) == *scope)
}

/// What a token of this grant may do and where, if this is asked for; `None` if it is refused.
pub(crate) fn narrowed(
    granted: (&Scope, &Uris),
    scope: Option<&str>,
    at: &[&'static str],
) -> Option<(Scope, Uris)> {
    let scope = scope.map_or_else(|| granted.0.clone(), sample::scope);
    if !scope.is_within(granted.0) {
        return None;
    }
    if at.is_empty() {
        let fewer = &concerned(&scope) & granted.1;
        let is_narrowed = scope != *granted.0 && !fewer.is_empty();
        let audience = if is_narrowed { fewer } else { granted.1.clone() };
        return Some((scope, audience));
    }
    let at = known(at).filter(|at| at.is_subset(granted.1))?;
    let scope = usable_at(&scope, &at);
    (!scope.is_empty()).then_some((scope, at))
}
