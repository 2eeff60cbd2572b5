//! What each page is told. The fields take text as it came; serialization makes it fit to be seen, so that no template, not even an
//! operator's own, can show it otherwise.

use serde::Serialize;

use super::{Page, visible};

/// The sign-in form.
#[derive(Debug, Clone, Serialize)]
pub struct SignIn {
    /// Host of this server's issuer, with its port unless it is the scheme's own.
    #[serde(serialize_with = "visible::host")]
    pub server: String,
    /// The client that sent the person here; none when they came by themselves.
    #[serde(serialize_with = "visible::optional_name")]
    pub client_name: Option<String>,
    /// What the user name field holds already: what was typed before. May be empty.
    #[serde(serialize_with = "visible::identifier")]
    pub username: String,
    /// Token against cross-site requests, bound to this browser.
    pub csrf_token: String,
    /// The parked authorization request that goes on after sign-in.
    pub interaction: Option<String>,
    /// Why the form is shown again.
    pub problem: Option<SignInProblem>,
}

/// Why a sign-in did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SignInProblem {
    /// Unknown user, wrong password, disabled account: one message for all (UI-18).
    Mismatch,
    /// Too many failures for this account or address.
    Throttled {
        /// Seconds until another try is looked at, as in `Retry-After`.
        retry_after_seconds: u64,
    },
    /// The form's token is no longer valid.
    Stale,
}

impl Page for SignIn {
    const TEMPLATE: &'static str = "sign_in.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            server: "auth.example.com".into(),
            client_name: None,
            username: String::new(),
            csrf_token: "sample-csrf-token".into(),
            interaction: None,
            problem: None,
        };
        let asked = Self {
            client_name: Some("Photo Printer".into()),
            interaction: Some("sample-interaction".into()),
            ..plain.clone()
        };
        vec![
            asked.clone(),
            Self {
                username: "alice".into(),
                problem: Some(SignInProblem::Mismatch),
                ..asked.clone()
            },
            Self {
                username: "alice".into(),
                problem: Some(SignInProblem::Throttled { retry_after_seconds: 42 }),
                ..asked
            },
            Self { problem: Some(SignInProblem::Stale), ..plain.clone() },
            Self {
                server: long_host(),
                client_name: Some("Unbroken".repeat(40)),
                username: "a.very.long.user.name@".to_owned() + &long_host(),
                ..plain.clone()
            },
            plain,
        ]
    }
}

/// The question whether a client may act for the signed-in person.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentPage {
    /// Host of this server's issuer, with its port unless it is the scheme's own.
    #[serde(serialize_with = "visible::host")]
    pub server: String,
    /// The client's own name for itself.
    #[serde(serialize_with = "visible::name")]
    pub client_name: String,
    /// What is known about the client besides that name.
    pub identity: ClientIdentity,
    /// The account that approves.
    #[serde(serialize_with = "visible::name")]
    pub username: String,
    /// Path that lets somebody else sign in and then returns to this request.
    #[serde(serialize_with = "visible::local_path")]
    pub switch_account: String,
    /// What is asked for, in the operator's order; may be empty.
    pub scopes: Vec<ScopeInWords>,
    /// The APIs that it is asked for, in the operator's order; empty if none is configured for it.
    pub resources: Vec<ResourceInWords>,
    /// Where the browser goes after the decision.
    pub destination: Destination,
    /// How long the approval lasts, as a sentence.
    #[serde(serialize_with = "visible::prose")]
    pub duration: String,
    /// Path that takes the decision: `/oauth/consent` or `/v1/auth/consent`.
    #[serde(serialize_with = "visible::local_path")]
    pub action: String,
    /// Token against cross-site requests, bound to browser, session and interaction.
    pub csrf_token: String,
}

/// What this server knows about a client besides the name that the client gave itself (UI-04).
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientIdentity {
    /// The client proved that it speaks for this host.
    VerifiedHost {
        /// The host, ASCII.
        #[serde(serialize_with = "visible::host")]
        host: String,
    },
    /// A known person or operator registered the client.
    RegisteredBy {
        /// Their name.
        #[serde(serialize_with = "visible::name")]
        name: String,
    },
    /// Nothing is known.
    Unverified,
}

/// One scope of the request.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeInWords {
    /// The scope token.
    #[serde(serialize_with = "visible::identifier")]
    pub name: String,
    /// What it allows, from the catalog.
    #[serde(serialize_with = "visible::prose")]
    pub description: String,
}

/// One resource server that the request is for (RFC 8707).
#[derive(Debug, Clone, Serialize)]
pub struct ResourceInWords {
    /// What people call it.
    #[serde(serialize_with = "visible::name")]
    pub name: String,
    /// The host of its URI, with the port if one is named; the whole URI if it has no host.
    #[serde(serialize_with = "visible::host")]
    pub address: String,
}

/// Where the redirect URI leads.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Destination {
    /// An `https` redirect URI.
    Host {
        /// Its host, with its port unless it is the scheme's own.
        #[serde(serialize_with = "visible::host")]
        host: String,
    },
    /// A loopback or private-use-scheme redirect URI (RFC 8252 §7).
    Device {
        /// Host and port, or the scheme with its colon.
        #[serde(serialize_with = "visible::host")]
        address: String,
    },
}

impl Page for ConsentPage {
    const TEMPLATE: &'static str = "consent.html";

    fn samples() -> Vec<Self> {
        let scope = |name: &str, description: &str| ScopeInWords {
            name: name.into(),
            description: description.into(),
        };
        let resource = |name: &str, address: &str| ResourceInWords {
            name: name.into(),
            address: address.into(),
        };
        let printer = Self {
            server: "auth.example.com".into(),
            client_name: "Photo Printer".into(),
            identity: ClientIdentity::RegisteredBy { name: "Example Prints Ltd".into() },
            username: "alice".into(),
            switch_account: "/login?interaction=sample-interaction&switch=1".into(),
            scopes: vec![
                scope("projects:read", "View project details and membership."),
                scope("models:read", "View and download models."),
                scope("models:write", "Upload, update, and delete models."),
            ],
            resources: vec![resource("Model Archive", "api.example.com")],
            destination: Destination::Host { host: "photos.example.org".into() },
            duration: "Until you withdraw it; unused access ends after 30 days.".into(),
            action: "/oauth/consent".into(),
            csrf_token: "sample-csrf-token".into(),
        };
        vec![
            printer.clone(),
            Self {
                client_name: "Model Sync for Desktop".into(),
                identity: ClientIdentity::Unverified,
                scopes: vec![],
                resources: vec![],
                destination: Destination::Device { address: "127.0.0.1:8765".into() },
                action: "/v1/auth/consent".into(),
                ..printer.clone()
            },
            Self {
                client_name: "Ph\u{43e}to Printer".into(),
                identity: ClientIdentity::VerifiedHost { host: "xn--phto-55d.example".into() },
                resources: vec![
                    resource("Model Archive", "api.example.com"),
                    resource("Issue Tracker", "urn:example:issues"),
                ],
                destination: Destination::Device { address: "com.example.printer:".into() },
                ..printer.clone()
            },
            Self {
                server: long_host(),
                client_name: "Unbroken".repeat(40),
                identity: ClientIdentity::VerifiedHost { host: long_host() },
                username: "a.very.long.user.name@".to_owned() + &long_host(),
                scopes: (1..=12)
                    .map(|n| scope(&format!("https://api.example.com/auth/area-{n}.write"), "Upload, update, and delete everything that belongs to one area of a project, with its history."))
                    .collect(),
                resources: vec![resource(&"Unbroken".repeat(40), &long_host()); 3],
                destination: Destination::Host { host: long_host() },
                ..printer
            },
        ]
    }
}

/// A request that went wrong and must not, or cannot, be answered by a redirect.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage {
    /// Host of this server's issuer, with its port unless it is the scheme's own (UI-24).
    #[serde(serialize_with = "visible::host")]
    pub server: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The headline, in plain words.
    #[serde(serialize_with = "visible::name")]
    pub title: String,
    /// What was wrong.
    #[serde(serialize_with = "visible::prose")]
    pub explanation: String,
    /// What the person can do now.
    #[serde(serialize_with = "visible::prose")]
    pub advice: String,
    /// The id under which the log tells more.
    #[serde(serialize_with = "visible::identifier")]
    pub error_id: String,
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            server: "auth.example.com".into(),
            status: 400,
            title: "This sign-in link does not work".into(),
            explanation: "The application asked to send you to an address that is not registered for it.".into(),
            advice: "Go back to the application and start again. If that does not help, tell the people who run it.".into(),
            error_id: "01JB8Z5V6Q".into(),
        };
        vec![
            plain.clone(),
            Self {
                server: long_host(),
                status: 500,
                title: "Unbroken".repeat(20),
                explanation: "redirect_uri=".to_owned() + &"x".repeat(800),
                error_id: "f".repeat(64),
                ..plain
            },
        ]
    }
}

/// The end of a session.
#[derive(Debug, Clone, Serialize)]
pub struct SignedOut {
    /// Host of this server's issuer, with its port unless it is the scheme's own.
    #[serde(serialize_with = "visible::host")]
    pub server: String,
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed_out.html";

    fn samples() -> Vec<Self> {
        vec![Self { server: "auth.example.com".into() }, Self { server: long_host() }]
    }
}

/// The page at `/`.
#[derive(Debug, Clone, Serialize)]
pub struct Home {
    /// Host of this server's issuer, with its port unless it is the scheme's own.
    #[serde(serialize_with = "visible::host")]
    pub server: String,
    /// Who is signed in, if anybody is.
    pub account: Option<HomeAccount>,
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize)]
pub struct HomeAccount {
    /// Their user name.
    #[serde(serialize_with = "visible::name")]
    pub username: String,
    /// Token against cross-site requests, for the sign-out form.
    pub csrf_token: String,
}

impl Page for Home {
    const TEMPLATE: &'static str = "home.html";

    fn samples() -> Vec<Self> {
        let account = |username: &str| {
            Some(HomeAccount { username: username.into(), csrf_token: "sample-csrf-token".into() })
        };
        vec![
            Self { server: "auth.example.com".into(), account: account("alice") },
            Self { server: "auth.example.com".into(), account: None },
            Self { server: long_host(), account: account(&"unbroken".repeat(20)) },
        ]
    }
}

/// A host as long as hosts get.
fn long_host() -> String {
    format!("{}.{}.example.com:8443", "unbroken-label".repeat(4), "another-label".repeat(4))
}
