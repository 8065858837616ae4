"""Posting over TLS to a receiver of one's own: it is believed by its certificate, and cut off in time."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.kernel.services import posting

Speak = Callable[[socket.socket, ssl.SSLContext], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One for 127.0.0.1 that this process believes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "receiver.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.fixture
def receiver(certificate: Path, settings: Any) -> Iterator[Callable[[Speak], str]]:
    """Gives the address of one that does this with its only connection."""
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))
    threads = []

    def start(speak: Speak) -> str:
        def serve() -> None:
            link, _ = listening.accept()
            with link, contextlib.suppress(OSError):  # it was cut off
                speak(link, context)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"https://127.0.0.1:{listening.getsockname()[1]}/told"

    yield start
    for one in threads:
        one.join()
    listening.close()


def answering(said: bytes, *, then: bytes = b"") -> Speak:
    """Says this, and then that again and again for as long as somebody is there."""

    def speak(link: socket.socket, context: ssl.SSLContext) -> None:
        with context.wrap_socket(link, server_side=True) as spoken:
            heard = b""
            while not heard.endswith(b"\r\n\r\n{}"):
                heard += spoken.recv(65_536)
            spoken.sendall(said)
            while then:
                spoken.sendall(then)
                time.sleep(0.05)

    return speak


def post(url: str, **more: int) -> posting.Answer:
    return posting.post(url, headers={"Connection": "close"}, body=b"{}", **more)


def test_what_a_receiver_answers_over_tls_is_read(receiver: Callable[[Speak], str]) -> None:
    said = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"
    assert post(receiver(answering(said))) == posting.Answer(202, b"ok")


@pytest.mark.parametrize(
    ("said", "then", "more"),
    [
        (b"", b"", {}),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n", {}),
        (HEAD, b"x", {"most": 1 << 20}),
    ],
    ids=["silence", "headers without end", "a body without end"],
)
def test_one_that_answers_without_end_is_cut_off_within_tls(
    receiver: Callable[[Speak], str],
    monkeypatch: pytest.MonkeyPatch,
    said: bytes,
    then: bytes,
    more: dict[str, int],
) -> None:
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.4)
    over = threading.Event()

    def speak(link: socket.socket, context: ssl.SSLContext) -> None:
        answering(said, then=then)(link, context)
        over.wait(20)  # it never closes the connection itself

    with pytest.raises(posting.NoAnswer) as silence:
        post(receiver(speak), **more)
    over.set()
    assert silence.value.reached


def test_the_beginning_of_a_body_without_end_is_an_answer(
    receiver: Callable[[Speak], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.4)
    answer = post(receiver(answering(HEAD, then=b"x")))
    assert (answer.status, set(answer.body)) == (200, set(b"x"))


def test_one_that_never_shakes_hands_is_cut_off(
    receiver: Callable[[Speak], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends a byte of a record's header now and then, so that no single read is late."""
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.4)

    def speak(link: socket.socket, _context: ssl.SSLContext) -> None:
        link.sendall(b"\x16\x03\x03\x3f\xff\x02")
        while True:
            link.sendall(b"\0")
            time.sleep(0.05)

    with pytest.raises(posting.NoAnswer, match="TLS") as silence:
        post(receiver(speak))
    assert not silence.value.reached


def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(
    receiver: Callable[[Speak], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def speak(link: socket.socket, context: ssl.SSLContext) -> None:
        with context.wrap_socket(link, server_side=True) as spoken:
            heard.append(spoken.recv(65_536))

    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(posting.NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
        post(receiver(speak))
    assert heard == []
