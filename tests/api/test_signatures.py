"""Message signatures on what moves money: who sent this very body, now, and once (reference §4.6, R38, R39)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.utils import timezone
from http_message_signatures import HTTPMessageSigner, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

from config.kernel.api.signatures import COVERED
from config.kernel.models import IdempotencyKey, SigningKey, UsedNonce
from config.kernel.services import clients
from config.kernel.services.clients import Refused, Terms
from config.settings.api import API_SCOPES
from loans.models import PreAllocation
from tests.api.machine import Machine
from tests.api.test_strict_json import refused
from tests.api.treasury import Treasury, paid

pytestmark = pytest.mark.django_db
SECRET = "a-shared-secret-of-at-least-32-bytes"
HOST = "http://testserver"
PATH = "/api/v1/pre-allocations/"
Algorithm = SigningKey.Algorithm


class Message:
    """A request as the signer wants to see it."""

    def __init__(self, headers: dict[str, str], method: str = "POST", path: str = PATH) -> None:
        self.method, self.headers, self.url = method, headers, HOST + path


class Signer:
    """Signs as one client."""

    def __init__(
        self, key_id: str, material: bytes, algorithm: Any = algorithms.HMAC_SHA256
    ) -> None:
        resolver = MappingKeyResolver(public_keys={}, private_keys={key_id: material})
        self.signer = HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=resolver)
        self.key_id, self.count = key_id, 0

    def headers(
        self,
        body: bytes,
        key: str,
        *,
        created: datetime | None = None,
        lasts: timedelta = timedelta(minutes=5),
        nonce: str | None = None,
        covered: tuple[str, ...] = COVERED,
        path: str = PATH,
    ) -> dict[str, str]:
        """The three headers of a signature over this body under this key."""
        self.count += 1
        at = created or timezone.localtime()
        message = Message({"Idempotency-Key": key}, path=path)
        self.signer.sign(
            message,
            key_id=self.key_id,
            created=at,
            expires=at + lasts,
            nonce=nonce or f"nonce-{self.count:012d}",
            label="sig1",
            covered_component_ids=tuple(name for name in covered if name != "content-digest"),
            body=body,
        )
        return {n: v for n, v in message.headers.items() if n != "Idempotency-Key"}


@pytest.fixture
def book(tmp_path):
    return Treasury(tmp_path)


def signing(machine: Machine) -> Machine:
    terms = Terms(scopes=tuple(API_SCOPES), requires_signature=True, requests_per_minute=100_000)
    clients.change(client_id=machine.client.pk, terms=terms)
    return machine


@pytest.fixture
def treasury(book):
    machine = signing(book.finance)
    clients.add_signing_key(
        client_id=machine.client.pk, key_id="mof-1", algorithm=Algorithm.HMAC_SHA256,
        material=SECRET, actor="root", at=timezone.localtime(),
    )  # fmt: skip
    return machine


@pytest.fixture
def signer() -> Signer:
    return Signer("mof-1", SECRET.encode())


def posted(treasury: Any, body: bytes, key: str, headers: dict[str, str]) -> Any:
    return treasury.post("pre-allocations/", body, key=key, **headers)


def raw(number: int) -> bytes:
    return json.dumps(paid("1.00", f"财金〔2026〕{number}号"), ensure_ascii=False).encode()


KEY = "a-key-of-the-treasury"


def stored() -> list[int]:
    return [model.objects.count() for model in (PreAllocation, IdempotencyKey, UsedNonce)]


def test_a_signed_post_is_taken(treasury, signer, as_role):
    body = raw(1)
    with as_role("app"):
        answer = posted(treasury, body, KEY, signer.headers(body, KEY))
    assert answer.status_code == 201, answer.content
    assert stored() == [1, 1, 1]


def test_a_retry_is_signed_anew_and_gets_the_first_answer(treasury, signer, as_role):
    body = raw(1)
    with as_role("app"):
        first = posted(treasury, body, KEY, signer.headers(body, KEY))
        again = posted(treasury, body, KEY, signer.headers(body, KEY))
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert stored() == [1, 1, 2]


def test_the_same_signature_is_taken_once(treasury, signer, as_role):
    body = raw(1)
    headers = signer.headers(body, KEY)
    with as_role("app"):
        assert posted(treasury, body, KEY, headers).status_code == 201
        refused(posted(treasury, body, KEY, headers), 401, "signature_replayed")
        other = signer.headers(raw(2), "another-key-of-it", nonce="nonce-000000000001")
        refused(posted(treasury, raw(2), "another-key-of-it", other), 401, "signature_replayed")
    assert stored() == [1, 1, 1]


def test_a_body_that_was_refused_may_be_signed_again_under_the_same_nonce(
    treasury, signer, as_role
):
    bad = json.dumps(paid("x", "财金〔2026〕1号")).encode()
    with as_role("app"):
        told = signer.headers(bad, KEY, nonce="nonce-of-one-try")
        refused(posted(treasury, bad, KEY, told), 400, "invalid")
        told = signer.headers(raw(1), KEY, nonce="nonce-of-one-try")
        assert posted(treasury, raw(1), KEY, told).status_code == 201


def _altered(name: str, value: str) -> Any:
    return lambda headers: {**headers, name: value}


def _without(*names: str) -> Any:
    return lambda headers: {n: v for n, v in headers.items() if n not in names}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_without("Signature"), "signature_missing"),
        (_without("Signature-Input"), "signature_missing"),
        (_without("Content-Digest"), "digest_missing"),
        (_altered("Signature-Input", "no structure"), "signature_malformed"),
        (_altered("Signature-Input", 'sig1=("@method");created=1'), "signature_malformed"),
        (_altered("Signature", "sig1=:AAAA:"), "signature_invalid"),
        (_altered("Signature", "garbage"), "signature_invalid"),
        (_altered("Content-Digest", "sha-256=:AAAA:"), "signature_invalid"),
    ],
)
def test_what_is_no_signature_is_401_and_says_which_way(treasury, signer, as_role, change, code):
    body = raw(1)
    with as_role("app"):
        refused(posted(treasury, body, KEY, change(signer.headers(body, KEY))), 401, code)
    assert stored() == [0, 0, 0]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"created": timedelta(minutes=6)}, "signature_expired"),
        ({"created": timedelta(minutes=-6)}, "signature_expired"),
        ({"lasts": timedelta(minutes=6)}, "signature_expired"),
        ({"nonce": "short"}, "signature_malformed"),
        ({"covered": COVERED[:1]}, "signature_malformed"),
        ({"path": "/api/v1/notes/"}, "signature_invalid"),
    ],
)
def test_a_signature_of_another_time_or_place(treasury, signer, as_role, told, code):
    body = raw(1)
    if "created" in told:
        told = {"created": timezone.localtime() + told["created"]}
    with as_role("app"):
        refused(posted(treasury, body, KEY, signer.headers(body, KEY, **told)), 401, code)
    assert stored() == [0, 0, 0]


def test_another_body_or_key_than_was_signed(treasury, signer, as_role):
    body = raw(1)
    headers = signer.headers(body, KEY)
    with as_role("app"):
        refused(posted(treasury, raw(2), KEY, headers), 401, "digest_mismatch")
        refused(posted(treasury, body, "another-key-of-it", headers), 401, "signature_invalid")
    assert stored() == [0, 0, 0]


def test_a_key_that_is_unknown_or_ended_or_another_clients(book, treasury, signer, as_role):
    other = signing(Machine("mof-2", book.finance.client.department))
    body = raw(1)
    with as_role("app"):
        nobody = Signer("mof-9", SECRET.encode())
        refused(
            posted(treasury, body, KEY, nobody.headers(body, KEY)), 401, "signature_key_unknown"
        )
        refused(posted(other, body, KEY, signer.headers(body, KEY)), 401, "signature_key_unknown")
    clients.end_signing_key(key_id="mof-1", ends_at=timezone.localtime() - timedelta(seconds=1))
    with as_role("app"):
        refused(
            posted(treasury, body, KEY, signer.headers(body, KEY)), 401, "signature_key_unknown"
        )
    assert stored() == [0, 0, 0]


def test_ed25519_needs_no_shared_secret(treasury, as_role):
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    clients.add_signing_key(
        client_id=treasury.client.pk, key_id="mof-ed", algorithm=Algorithm.ED25519,
        material=public.decode(), actor="root", at=timezone.localtime(),
    )  # fmt: skip
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    body = raw(1)
    with as_role("app"):
        told = Signer("mof-ed", pem, algorithms.ED25519).headers(body, KEY)
        assert posted(treasury, body, KEY, told).status_code == 201
        stolen = Signer("mof-ed", b"x" * 32).headers(raw(2), "another-key-of-it")
        refused(posted(treasury, raw(2), "another-key-of-it", stolen), 401, "signature_invalid")


def test_keys_are_sealed_and_checked_when_they_are_registered(treasury):
    kept = SigningKey.objects.get(key_id="mof-1").material
    assert SECRET not in kept
    told = {"client_id": treasury.client.pk, "actor": "root", "at": timezone.localtime()}
    for key_id, algorithm, material in (
        ("mof-1", Algorithm.HMAC_SHA256, SECRET),
        ("mof-2", Algorithm.HMAC_SHA256, "short"),
        ("mof-3", Algorithm.ED25519, "no key"),
    ):
        with pytest.raises(Refused):
            clients.add_signing_key(key_id=key_id, algorithm=algorithm, material=material, **told)
    assert SigningKey.objects.count() == 1


def test_reading_needs_no_signature(treasury, as_role):
    with as_role("app"):
        assert treasury.get("pre-allocations/").json()["results"] == []
