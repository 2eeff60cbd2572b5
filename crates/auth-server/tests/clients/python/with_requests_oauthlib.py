"""The code flow with Requests-OAuthlib, for one client.

META-01: the metadata is where RFC 8414 puts it; the library does not read it by itself.
PKCE-05, CODE-10: the code is refused with another verifier, and still good with its own.
CAUTH-01: with Basic or with the secret in the body, as it is told.
"""

import os
from urllib.parse import parse_qs, urlsplit

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on loopback

import requests
from oauthlib.oauth2 import InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from peer import AUTH_METHOD, CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, browse, refusal, report

found = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=30)
found.raise_for_status()
metadata = found.json()

authentication = {
    "none": lambda: {"include_client_id": True},
    "client_secret_basic": lambda: {"auth": HTTPBasicAuth(CLIENT_ID, CLIENT_SECRET)},
    "client_secret_post": lambda: {"include_client_id": True, "client_secret": CLIENT_SECRET},
}[AUTH_METHOD]()


def begin():
    session = OAuth2Session(CLIENT_ID, scope=SCOPE.split(), redirect_uri=REDIRECT_URI, pkce="S256")
    address, _ = session.authorization_url(metadata["authorization_endpoint"])
    return session, address


def redeem(session, **code):
    return session.fetch_token(metadata["token_endpoint"], **code, **authentication)


session, address = begin()
back = browse(address)
code = parse_qs(urlsplit(back).query)["code"][0]
# A session that began another sign-in has another verifier: this is how an injected code looks.
stranger, _ = begin()
refused = refusal(InvalidGrantError, lambda: redeem(stranger, code=code))
tokens = redeem(session, authorization_response=back)

# To refresh, the library takes a public client's identifier and a posted secret as further parameters.
refresh = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
if AUTH_METHOD == "client_secret_basic":
    refresh = authentication
elif AUTH_METHOD == "none":
    del refresh["client_secret"]
fresh = session.refresh_token(metadata["token_endpoint"], **refresh)
report(refused, tokens, fresh)
