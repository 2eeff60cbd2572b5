#!/usr/bin/env python3
"""Sign in with an OAuth 2.1 server and use the token: the authorization code flow with PKCE.

Needs nothing but Python 3.8. Opens the browser, waits for the answer on a loopback address, redeems
the code, refreshes once, and calls a URL if one is given.

    python3 login.py --client-id my-tool
    python3 login.py --client-id my-tool --scope "projects:read" --call https://api.example.com/projects

The client must have the redirect URI registered (http://localhost:8765/callback unless --redirect-uri
says otherwise). Each option can also come from the environment: AUTH_ISSUER, AUTH_CLIENT_ID,
AUTH_CLIENT_SECRET, AUTH_REDIRECT_URI, AUTH_SCOPE. A secret belongs there, not on a command line.

Standard output carries one JSON document a line: the token response, the answer to the refresh, and
the answer to --call (as a JSON string if it is no JSON). All talk goes to standard error, the address
to open on a line of its own. The exit code is 0 when all of it worked.
"""

import argparse
import base64
import hashlib
import html
import http.server
import json
import os
import queue
import secrets
import socket
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import webbrowser


class Failure(Exception):
    """What went wrong, in a sentence for the person at the keyboard."""


def main():
    options = read_options()
    metadata = discover(options.issuer)
    code, verifier = authorize(options, metadata)
    tokens = redeem(options, metadata, code, verifier)
    show("Tokens", tokens)
    if "refresh_token" in tokens:
        fresh = refresh(options, metadata, tokens["refresh_token"])
        show("Refreshed", fresh)
        # Keep what the answer brings: the old refresh token is spent once the new one has been used.
        tokens.update(fresh)
    if options.call:
        show("Called", call(options.call, tokens["access_token"]))


def read_options():
    env = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--issuer", default=env("AUTH_ISSUER", "http://127.0.0.1:8080"))
    parser.add_argument("--client-id", default=env("AUTH_CLIENT_ID"))
    parser.add_argument("--client-secret", default=env("AUTH_CLIENT_SECRET"), help="none for a public client")
    parser.add_argument("--redirect-uri", default=env("AUTH_REDIRECT_URI", "http://localhost:8765/callback"))
    parser.add_argument("--scope", default=env("AUTH_SCOPE"), help="separated by spaces; the server's default if absent")
    parser.add_argument("--call", metavar="URL", help="what to call with the access token")
    parser.add_argument("--timeout", type=float, default=300, help="seconds to wait for the browser")
    parser.add_argument("--no-browser", action="store_true", help="only print the address to open")
    options = parser.parse_args()
    if not options.client_id:
        parser.error("--client-id or AUTH_CLIENT_ID is needed")
    uri = urllib.parse.urlsplit(options.redirect_uri)
    if uri.scheme != "http" or uri.hostname not in ("localhost", "127.0.0.1", "::1") or not uri.port:
        parser.error("--redirect-uri must be http on a loopback address, with a port")
    return options


# The protocol, in the order in which it happens.


def discover(issuer):
    """Reads the server's metadata (RFC 8414) and makes sure that it speaks for this issuer."""
    uri = urllib.parse.urlsplit(issuer)
    well_known = "/.well-known/oauth-authorization-server" + uri.path.rstrip("/")
    metadata = send_for_object(urllib.request.Request(f"{uri.scheme}://{uri.netloc}{well_known}"))
    if metadata.get("issuer") != issuer:
        raise Failure(f"the metadata is of another issuer: {metadata.get('issuer')}")
    return metadata


def authorize(options, metadata):
    """Sends the person to the server and waits for them to come back with a code."""
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(32)
    challenge = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": options.client_id,
        "redirect_uri": options.redirect_uri,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if options.scope:
        query["scope"] = options.scope
    address = metadata["authorization_endpoint"] + "?" + urllib.parse.urlencode(query)
    with Callback(options.redirect_uri, state) as callback:
        say(f"Sign in here:\n{address}")
        if not options.no_browser:
            webbrowser.open(address)
        answer = callback.wait(options.timeout)
    # Who answered? Errors are checked too, for they can be forged like anything else (RFC 9207).
    issuer_is_named = metadata.get("authorization_response_iss_parameter_supported", False)
    if answer.get("iss", None if issuer_is_named else options.issuer) != options.issuer:
        raise Failure("the answer does not come from the server that was asked (iss)")
    if "error" in answer:
        raise Failure(f"the server answered {answer['error']}: {answer.get('error_description', 'no description')}")
    if "code" not in answer:
        raise Failure("the answer has neither a code nor an error")
    return answer["code"], verifier


def redeem(options, metadata, code, verifier):
    return post_to_token_endpoint(options, metadata, {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": options.redirect_uri,
        "code_verifier": verifier,
    })


def refresh(options, metadata, refresh_token):
    return post_to_token_endpoint(options, metadata, {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    })


def post_to_token_endpoint(options, metadata, form):
    headers = {"Accept": "application/json"}
    if options.client_secret:
        # Both halves are form-encoded before they are joined (RFC 6749, section 2.3.1).
        pair = ":".join(urllib.parse.quote_plus(half) for half in (options.client_id, options.client_secret))
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form["client_id"] = options.client_id
    body = urllib.parse.urlencode(form).encode()
    tokens = send_for_object(urllib.request.Request(metadata["token_endpoint"], body, headers))
    if "access_token" not in tokens or str(tokens.get("token_type")).lower() != "bearer":
        raise Failure("the answer of the token endpoint carries no bearer token")
    return tokens


def call(url, access_token):
    return send(urllib.request.Request(url, headers={"Authorization": f"Bearer {access_token}"}))


# Loopback: where the browser brings the answer.


class Callback:
    """A small web server for one answer, the first that carries our state."""

    def __init__(self, redirect_uri, state):
        uri = urllib.parse.urlsplit(redirect_uri)
        answers = self.answers = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self):
                asked = urllib.parse.urlsplit(self.path)
                pairs = urllib.parse.parse_qsl(asked.query, keep_blank_values=True)
                answer = dict(pairs)
                if asked.path != (uri.path or "/"):
                    self.reply(404, "There is nothing here.")
                elif len(answer) != len(pairs) or not secrets.compare_digest(
                    answer.get("state", "").encode(), state.encode()
                ):
                    say("Ignored an answer that does not belong to this sign-in.")
                    self.reply(400, "This answer does not belong to the sign-in that is under way.")
                elif "error" in answer:
                    self.reply(200, f"The server said no: {answer['error']}. You can close this window.")
                    answers.put(answer)
                else:
                    self.reply(200, "You can close this window and go back to the program.")
                    answers.put(answer)

            def reply(self, status, text):
                body = f"<!doctype html><meta charset=utf-8><title>Sign-in</title><p>{html.escape(text)}</p>\n"
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body.encode())))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass  # The request line holds the code.

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if uri.hostname == "::1" else socket.AF_INET

        # `localhost` leads to both addresses; browsers try the other when one does not answer.
        host = "::1" if uri.hostname == "::1" else "127.0.0.1"
        try:
            self.server = Server((host, uri.port), Handler)
        except OSError as error:
            raise Failure(f"cannot listen on {host} port {uri.port}: {error.strerror}")

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, seconds):
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            raise Failure(f"nobody came back from the browser within {seconds:g} seconds")


# Plain HTTP.


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could carry the credentials to another host."""

    def redirect_request(self, *_):
        return None


def send(request):
    """The answer: what its JSON says, or its text if it is no JSON."""
    handlers = [NoRedirect]
    if urllib.parse.urlsplit(request.full_url).hostname in ("localhost", "127.0.0.1", "::1"):
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=30) as response:
            body = response.read(1024 * 1024)
    except urllib.error.HTTPError as error:
        raise Failure(f"{request.full_url} answered {error.code}: {error.read(4096).decode(errors='replace').strip()}")
    except OSError as error:
        raise Failure(f"cannot reach {request.full_url}: {getattr(error, 'reason', error)}")
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def send_for_object(request):
    answer = send(request)
    if not isinstance(answer, dict):
        raise Failure(f"{request.full_url} did not answer with a JSON object")
    return answer


def show(title, document):
    say(f"{title}:")
    print(json.dumps(document), flush=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit("stopped")
