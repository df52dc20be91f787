# SPDX-License-Identifier: Apache-2.0
"""A small issuer of OpenID Connect for checks: discovery, keys, the authorization code flow with PKCE, and refreshing.

It signs everybody in who comes, as a viewer. It is as strict as Keycloak with what the client has to send.
"""
import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """An issuer on a port of its own of the loopback interface."""

    def __init__(self, client, audience):
        self.client, self.audience = client, audience
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes, self.refreshing, self.granted = {}, set(), []
        self.lifetime = 300
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self):
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": self.audience, "sub": "somebody", "typ": "Bearer", "iat": now,
            "exp": now + self.lifetime, "realm_access": {"roles": ["cozy-telemetry-viewer"]},
        }
        parts = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1"}, claims))
        signature = self.key.sign(parts.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{parts}.{encoded(signature)}"

    def keys(self):
        numbers = self.key.public_key().public_numbers()
        return {"keys": [{
            "kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256",
            "n": encoded(numbers.n.to_bytes(256, "big")), "e": encoded(numbers.e.to_bytes(3, "big")),
        }]}

    def authorize(self, query):
        """Where the browser is sent back to."""
        assert query["response_type"] == "code" and query["client_id"] == self.client, query
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split(), query
        code = secrets.token_urlsafe()
        self.codes[code] = (query["code_challenge"], query["redirect_uri"])
        answer = urllib.parse.urlencode({"code": code, "state": query["state"], "iss": self.url})
        return f"{query['redirect_uri']}?{answer}"

    def trade(self, form):
        """Tokens for a code or for a refresh token, each of which is good once."""
        assert form["client_id"] == self.client, form
        if form["grant_type"] == "authorization_code":
            challenge, address = self.codes.pop(form["code"])
            assert form["redirect_uri"] == address, form
            assert encoded(hashlib.sha256(form["code_verifier"].encode()).digest()) == challenge, form
        else:
            self.refreshing.remove(form["refresh_token"])
        refresh = secrets.token_urlsafe()
        self.refreshing.add(refresh)
        self.granted.append(form["grant_type"])
        return {"access_token": self.token(), "refresh_token": refresh, "token_type": "Bearer", "expires_in": self.lifetime}

    def handler(issuer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, body, status=200):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/.well-known/openid-configuration":
                    self.answer({
                        "issuer": issuer.url, "jwks_uri": issuer.url + "/keys",
                        "authorization_endpoint": issuer.url + "/authorize", "token_endpoint": issuer.url + "/token",
                        "revocation_endpoint": issuer.url + "/revoke",
                    })
                elif path == "/keys":
                    self.answer(issuer.keys())
                elif path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", issuer.authorize(dict(urllib.parse.parse_qsl(query))))
                    self.end_headers()
                else:
                    self.answer({"error": "not_found"}, 404)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path == "/revoke":
                    return self.answer({})
                try:
                    self.answer(issuer.trade(dict(urllib.parse.parse_qsl(body))))
                except (AssertionError, KeyError):
                    self.answer({"error": "invalid_grant"}, 400)

            def log_message(self, *arguments):
                pass

        return Handler
