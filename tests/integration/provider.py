"""A small identity provider over HTTP: keys, codes and signed ID tokens, honest unless told otherwise."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET, KID = "tiexi", "between-us-only", "k1"


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """Signs people in who ask at its start page; `claims`, `key` and `algorithm` can be spoilt."""

    def __init__(self):
        self.key = self.published = new_key()
        self.algorithm = "RS256"
        self.codes = {}
        self.tokens_given = 0
        handler = type("Handler", (_Handler,), {"provider": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, start, claims):
        """What the browser carries back after the person signed in at the start page."""
        asked = dict(parse_qsl(urlsplit(start).query))
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = (asked["code_challenge"], {"nonce": asked["nonce"], **claims})
        return {"code": code, "state": asked["state"]}

    def token_of(self, form):
        """The ID token for a code, once, to who knows the secret and asked the question."""
        assert (form["client_id"], form["client_secret"]) == ([CLIENT], [SECRET])
        challenge, claims = self.codes.pop(form["code"][0])
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        self.tokens_given += 1
        given = {name: value for name, value in claims.items() if value is not None}
        key = self.key if self.algorithm == "RS256" else SECRET * 4
        if self.algorithm == "none":
            key = None
        return jwt.encode(given, key, algorithm=self.algorithm, headers={"kid": KID})

    def keys(self):
        shown = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.published.public_key()))
        return {"keys": [{**shown, "kid": KID, "alg": "RS256", "use": "sig"}]}


class _Handler(BaseHTTPRequestHandler):
    provider = None

    def do_GET(self):
        self._send(200, self.provider.keys())

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        try:
            token = self.provider.token_of(form)
        except (AssertionError, KeyError):
            self._send(400, {"error": "invalid_grant"})
            return
        self._send(200, {"access_token": "a", "token_type": "Bearer", "id_token": token})

    def _send(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Quietly."""
