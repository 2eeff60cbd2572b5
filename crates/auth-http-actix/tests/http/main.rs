//! The server as programs and browsers meet it: requests in, answers out. Every test's comment names
//! the rules that it proves; what holds for every answer is checked on every answer ([`answer`]).

mod answer;
mod apis;
mod authorize;
mod browser;
mod client_authentication;
mod client_credentials;
mod code;
mod csrf;
mod faults;
mod harness;
mod hostile;
mod inactive_tokens;
mod interaction;
mod introspection;
mod limits;
mod metadata;
mod pages;
mod path;
mod pkce;
mod prompt;
mod redirect_uri;
mod refresh;
mod request_rules;
mod resources;
mod revocation;
mod sign_in;
mod sockets;
mod token;
mod token_body;
mod v1_api;
