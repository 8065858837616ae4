"""A receiver of events that speaks real HTTP on this machine, and does what it is told with each post."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone


@dataclass
class Heard:
    """One post, as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    def as_request(self, origin: str) -> requests.PreparedRequest:
        """The same as the signatures' library wants to see it."""
        return requests.Request(
            "POST", origin + self.path, headers=self.headers, data=self.body
        ).prepare()


@dataclass
class Receiver:
    """What was heard, and what to answer: statuses in turn (200 when there are none left)."""

    origin: str = ""
    heard: list[Heard] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answer: bytes = b"thanks"
    headers: dict[str, str] = field(default_factory=dict)
    before_answering: Callable[[], None] = lambda: None
    drip: threading.Event | None = None  # answers one byte at a time until it is set,
    drips_in: str = "body"  # or in "headers"

    @property
    def ids(self) -> list[str]:
        """The events' numbers, in the order in which they came."""
        return [one.headers["Event-Id"] for one in self.heard]


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1, over TLS if a certificate is given."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heard.append(Heard(self.path, dict(self.headers.items()), body))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.before_answering()
            try:
                if receiver.drip is not None and receiver.drips_in == "headers":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
                    self._drip(receiver.drip)
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.answer)
                if receiver.drip is not None:
                    self._drip(receiver.drip)
            except OSError:
                pass  # whoever posted has hung up

        def _drip(self, until: threading.Event) -> None:
            while not until.wait(0.05):
                self.wfile.write(b".")
                self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass  # a caller that does not trust our certificate

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.origin = f"http{'' if tls is None else 's'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of that name that vouches for itself: its file, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = timezone.localtime()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(public, private)
    return public, served
