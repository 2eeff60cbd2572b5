"""The code flow with Authlib's session for Requests, for one client.

META-01: the metadata is found from the issuer alone, and Authlib finds nothing wrong with it.
PKCE-05, CODE-10: the code is refused with another verifier, and still good with its own.
CAUTH-01: with Basic or with the secret in the body, as it is told.
"""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on loopback

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from peer import AUTH_METHOD, CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, browse, refusal, report

found = requests.get(get_well_known_url(ISSUER, external=True), timeout=30)
found.raise_for_status()
metadata = AuthorizationServerMetadata(found.json())
metadata.validate()

session = OAuth2Session(
    CLIENT_ID,
    CLIENT_SECRET,
    token_endpoint_auth_method=AUTH_METHOD,
    scope=SCOPE,
    redirect_uri=REDIRECT_URI,
    code_challenge_method="S256",
    token_endpoint=metadata["token_endpoint"],
)
verifier = generate_token(48)
address, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
back = browse(address)


def redeem(code_verifier):
    return session.fetch_token(authorization_response=back, state=state, code_verifier=code_verifier)


refused = refusal(OAuthError, lambda: redeem(generate_token(48)))
tokens = redeem(verifier)
report(refused, tokens, session.refresh_token())
