//! What the journey says about each message, and about how it ended.

use crate::client::Answer;
use crate::journey::{Message, Outcome};

const TO_SERVER: &str = "Demo → server";
const TO_DEMO: &str = "Server → demo";

pub(crate) const AUTHORIZATION_REQUEST: Message = Message {
    title: "Authorization request",
    way: "Demo → your browser → server",
    sections: &["RFC 6749 §4.1.1", "RFC 7636 §4.3", "RFC 8707 §2.1"],
    text: "The demo answered your button with a redirect to this address. The resource says which \
           API the tokens shall be for. The state ties the answer to this browser. The PKCE \
           verifier stays with the demo; only its SHA-256, the code_challenge, travels.",
};
pub(crate) const AUTHORIZATION_RESPONSE: Message = Message {
    title: "Authorization response",
    way: "Server → your browser → demo",
    sections: &["RFC 6749 §4.1.2", "RFC 9207 §2"],
    text: "The server sent your browser back with a code: good once, for a short time, and worth \
           nothing without the verifier. The demo checked that state is the one it kept and that \
           iss names the server it asked.",
};
pub(crate) const AUTHORIZATION_ERROR: Message = Message {
    title: "Authorization error",
    way: "Server → your browser → demo",
    sections: &["RFC 6749 §4.1.2.1", "RFC 9207 §2"],
    text: "The server sent your browser back with an error in place of a code. The demo checked \
           state and iss here too, for an error can be forged like anything else.",
};

/// A request of the demo with what a success and what a refusal say.
pub(crate) type Conversation = [Message; 3];

pub(crate) const TOKEN: Conversation = [
    Message {
        title: "Token request",
        way: TO_SERVER,
        sections: &["RFC 6749 §4.1.3", "RFC 7636 §4.5"],
        text: "Out of the browser’s sight, the demo trades the code for tokens. It proves who it is \
               and, with the verifier, that the code was meant for it. The same request again would \
               be a replay: the server refuses it and takes the tokens back.",
    },
    Message {
        title: "Token response",
        way: TO_DEMO,
        sections: &["RFC 6749 §5.1"],
        text: "An access token for calls to an API, and as a rule a refresh token for the next access \
               token. Nobody may store this answer on the way.",
    },
    Message {
        title: "Token error",
        way: TO_DEMO,
        sections: &["RFC 6749 §5.2"],
        text: "No tokens. The error code is for the program, the description for whoever wrote it.",
    },
];
pub(crate) const REFRESH: Conversation = [
    Message {
        title: "Refresh request",
        way: TO_SERVER,
        sections: &["RFC 6749 §6"],
        text: "Nobody has to sign in for this: the refresh token stands for the approval that you \
               gave.",
    },
    Message {
        title: "Refresh response",
        way: TO_DEMO,
        sections: &["RFC 6749 §5.1", "RFC 9700 §4.14"],
        text: "A fresh access token. Where a new refresh token comes along, the demo keeps that one; \
               the old one is spent, at the latest when the new one is used.",
    },
    Message {
        title: "Refresh error",
        way: TO_DEMO,
        sections: &["RFC 6749 §5.2"],
        text: "No new tokens. On invalid_grant an application forgets the refresh token and asks for a \
               new sign-in; the demo keeps it so that you can try again.",
    },
];
pub(crate) const CALL: Conversation = [
    Message {
        title: "API request",
        way: "Demo → API",
        sections: &["RFC 6750 §2.1"],
        text: "The access token goes along in a header. The API keeps no list of tokens: it asks the \
               server what this one is good for, out of the demo’s sight and with credentials of \
               its own.",
    },
    Message {
        title: "API response",
        way: "API → demo",
        sections: &["RFC 7662 §2.2"],
        text: "The server told the API that the token is active, meant for this API, and has the scope \
               that the call needs; and for whom the demo acts.",
    },
    Message {
        title: "API refusal",
        way: "API → demo",
        sections: &["RFC 6750 §3"],
        text: "The challenge says why, where there was a token to judge: invalid_token for one that is \
               not active or meant for another API, insufficient_scope for one that may do less.",
    },
];
pub(crate) const REVOCATION: Conversation = [
    Message {
        title: "Revocation request",
        way: TO_SERVER,
        sections: &["RFC 7009 §2.1"],
        text: "The demo gives its tokens back, as an application does when somebody signs out of it.",
    },
    Message {
        title: "Revocation response",
        way: TO_DEMO,
        sections: &["RFC 7009 §2.2"],
        text: "200 and no body: the token is worthless now, whatever it was before.",
    },
    Message {
        title: "Revocation error",
        way: TO_DEMO,
        sections: &["RFC 7009 §2.2.1"],
        text: "Nothing was revoked.",
    },
];

/// There is no answer; the reason.
pub(crate) fn silent(reason: &str) -> Outcome {
    Outcome::bad("No answer.", format!("It could not be reached: {reason}."))
}

/// What the API answered (RFC 6750 §3.1).
pub(crate) fn called(answer: &Answer) -> Outcome {
    let text = match answer.status {
        200 => {
            let text = "The API asked the server about the token and took it.";
            return Outcome::good("The API answered.", text);
        }
        401 => {
            "The token is not active any more: it has expired, or it was taken back. An application \
             would refresh, or ask for a new sign-in."
        }
        403 => "The token is good, but its scope does not allow this call.",
        503 => "The API could not ask the server about the token. Try again in a moment.",
        _ => "The API’s answer is the last step on this page.",
    };
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let error = challenge.split("error=\"").nth(1).and_then(|it| it.split('"').next());
    let title = match error {
        Some(error) => format!("The API refused: {error}"),
        None => format!("The API refused: {} {}", answer.status, answer.reason),
    };
    Outcome::bad(&title, text.to_owned())
}

/// An answer that is not the one hoped for: its error code (RFC 6749 §5.2) or status.
pub(crate) fn refused(code: &str) -> Outcome {
    let text = match code {
        "invalid_grant" => {
            "What was presented is unknown, expired, revoked or already used. The way on is a new \
             sign-in."
        }
        "invalid_client" => "The server does not know the demo under this identifier and secret.",
        "unauthorized_client" => "The demo’s client may not use this grant.",
        "invalid_scope" => "The server does not grant this scope to the demo’s client.",
        _ => "The server’s answer is the last step on this page.",
    };
    Outcome::bad(&format!("Refused: {code}"), text.to_owned())
}

/// An error of the authorization endpoint (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
pub(crate) fn no_code(error: &str, description: Option<&String>) -> Outcome {
    let text = match error {
        "access_denied" => "The request was denied, so the demo got nothing. You can ask again.",
        "login_required" => {
            "A silent request cannot show a sign-in page, and nobody is signed in. Sign in the usual \
             way first."
        }
        "consent_required" | "interaction_required" | "account_selection_required" => {
            "A silent request cannot ask you anything, and there is something to ask. Sign in the \
             usual way and approve first."
        }
        "invalid_scope" => "The server does not grant this scope to the demo’s client.",
        "unauthorized_client" => "The demo’s client may not use this grant.",
        "server_error" | "temporarily_unavailable" => {
            "The server could not handle the request. Try again in a moment."
        }
        _ => "The server refused the authorization request.",
    };
    let text = match description {
        Some(description) if !description.is_empty() => {
            format!("{text} The server says: “{description}”")
        }
        _ => text.to_owned(),
    };
    Outcome::bad(&format!("No sign-in: {error}"), text)
}
