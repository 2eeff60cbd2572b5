"""A client that acts for itself, with Authlib's session for Requests.

CC-01, RES-04: a token for one API, and nothing to refresh it with.
INTRO-03, REVOKE-05: what is known of the token, before and after it was given back.
"""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on loopback

import json

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from peer import AUTH_METHOD, CLIENT_ID, CLIENT_SECRET, ISSUER, SCOPE

found = requests.get(get_well_known_url(ISSUER, external=True), timeout=30)
found.raise_for_status()
metadata = AuthorizationServerMetadata(found.json())
metadata.validate()

session = OAuth2Session(
    CLIENT_ID,
    CLIENT_SECRET,
    token_endpoint_auth_method=AUTH_METHOD,
    revocation_endpoint_auth_method=AUTH_METHOD,
    scope=SCOPE,
)
tokens = session.fetch_token(
    metadata["token_endpoint"],
    grant_type="client_credentials",
    resource=os.environ["AUTH_RESOURCE"],
)


def introspect():
    answer = session.introspect_token(metadata["introspection_endpoint"], token=tokens["access_token"])
    answer.raise_for_status()
    return answer.json()


before = introspect()
session.revoke_token(metadata["revocation_endpoint"], token=tokens["access_token"]).raise_for_status()
print(json.dumps({"tokens": tokens, "before": before, "after": introspect()}))
