"""A real OpenID Connect provider on loopback: discovery, keys, code with PKCE, signed tokens."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "sphinx", "secret-du-client"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "one"})


@dataclass
class Provider:
    """`person` is who is logged in there; `claims` and `sign` may spoil what it says."""

    address: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] = _sign
    discovery: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.discovery,
        }

    def keys(self) -> dict[str, Any]:
        """One that signs, and one that encrypts, as Keycloak has."""
        known = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        other = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))
        return {
            "keys": [
                {**other, "kid": "two", "use": "enc", "alg": "RSA-OAEP"},
                {**known, "kid": "one", "use": "sig", "alg": "RS256"},
            ]
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes, with a code."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def exchange(self, form: dict[str, str]) -> dict[str, Any] | None:
        """A code for a token, once; None when anything of it is wrong."""
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None:
            self.refusals.append("code")
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = {
            "client": (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET),
            "redirect": form.get("redirect_uri") == asked["redirect_uri"],
            "method": asked.get("code_challenge_method") == "S256",
            "challenge": asked.get("code_challenge") == challenge,
        }
        if wrong := [name for name, is_right in right.items() if not is_right]:
            self.refusals += wrong
            return None
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.claims,
        }
        return {
            "access_token": secrets.token_urlsafe(8),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.sign({k: v for k, v in claims.items() if v is not None}),
        }


@contextmanager
def provider() -> Iterator[Provider]:
    """One that runs as long as the block."""
    it = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            it.asked.append(parts.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self.answer(it.describe())
            elif parts.path == "/keys":
                self.answer(it.keys())
            elif parts.path == "/authorize" and query["client_id"] == CLIENT:
                self.send_response(302)
                self.send_header("Location", it.authorize(query))
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            it.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            given = it.exchange(form)
            self.answer(given or {"error": "invalid_grant"}, 200 if given else 400)

        def answer(self, what: Any, status: int = 200) -> None:
            data = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_said: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
