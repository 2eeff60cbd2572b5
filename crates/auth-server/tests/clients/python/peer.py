"""What the test tells a program, its way to the browser, and what it tells the test."""

import json
import os

ISSUER = os.environ["AUTH_ISSUER"]
CLIENT_ID = os.environ["AUTH_CLIENT_ID"]
CLIENT_SECRET = os.environ.get("AUTH_CLIENT_SECRET")
AUTH_METHOD = os.environ["AUTH_METHOD"]
REDIRECT_URI = os.environ["AUTH_REDIRECT_URI"]
SCOPE = os.environ["AUTH_SCOPE"]


def browse(address):
    """Opens an address in the browser and answers the one that the person came back to."""
    print(address, flush=True)
    return input()


def refusal(error_type, attempt):
    """The error that the library reports, or None if there was none."""
    try:
        attempt()
    except error_type as error:
        return error.error
    return None


def report(refused, first, second):
    print(json.dumps({"refused": refused, "first": first, "second": second}))
