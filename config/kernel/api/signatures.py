"""Message signatures (RFC 9421): who sent this very body, once, within five minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import http_sf
from django.db.models import Q
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

from config.kernel.api.problems import Problem
from config.kernel.models import ApiClient, SigningKey
from config.kernel.services import bulk, sealed

COVERED = ("@method", "@path", "@query", "content-digest", "idempotency-key")
LIFETIME = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=5)
NONCE_MIN, NONCE_MAX = 16, 128
ALGORITHMS = {
    SigningKey.Algorithm.HMAC_SHA256: algorithms.HMAC_SHA256,
    SigningKey.Algorithm.ED25519: algorithms.ED25519,
}
_USE_NONCE = (
    "INSERT INTO kernel_usednonce (client_id, nonce, used_at) VALUES (%s, %s, %s)"
    " ON CONFLICT DO NOTHING RETURNING id"
)


@dataclass(frozen=True)
class _Message:
    """The request as the verifier wants to see it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class _Signed:
    """What a signature says of itself."""

    key_id: str
    nonce: str
    created: datetime
    expires: datetime


def verify(*, request: Any, client: ApiClient, body: bytes, at: datetime) -> None:
    """Refuse a request that this client did not sign, or not now, or that was taken already.

    Raises Problem with a code of its own for each reason. The nonce is used up with the effect: a
    request that is refused for its content may be corrected and signed again.
    """
    if not (request.headers.get("Signature") and request.headers.get("Signature-Input")):
        raise Problem("signature_missing")
    if not request.headers.get("Content-Digest"):
        raise Problem("digest_missing")
    signed = _read(request.headers["Signature-Input"])
    if not (signed.created <= at + CLOCK_SKEW and at <= signed.expires + CLOCK_SKEW):
        raise Problem("signature_expired")
    if signed.expires - signed.created > LIFETIME:
        raise Problem("signature_expired")
    key = _key(client, signed.key_id, at)
    if key is None:
        raise Problem("signature_key_unknown")
    _check(request, key, body)
    if not bulk.rows(_USE_NONCE, [client.pk, signed.nonce, at]):
        raise Problem("signature_replayed")


def _read(text: str) -> _Signed:
    try:
        found: Any = http_sf.parse(text.encode("ascii"), tltype="dictionary")
        ((_, one),) = found.items()
        parts, params = one
        covered = {name for name, _ in parts}
        created, expires = params["created"], params["expires"]
        key_id, nonce = params["keyid"], params["nonce"]
        is_whole = all(type(moment) is int for moment in (created, expires)) and all(
            isinstance(text, str) for text in (key_id, nonce)
        )
        if not is_whole or not covered.issuperset(COVERED):
            raise Problem("signature_malformed")
        if not NONCE_MIN <= len(nonce) <= NONCE_MAX:
            raise Problem("signature_malformed")
        moments = [datetime.fromtimestamp(moment).astimezone() for moment in (created, expires)]
        return _Signed(key_id, nonce, *moments)
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise Problem("signature_malformed") from error


def _key(client: ApiClient, key_id: str, at: datetime) -> SigningKey | None:
    keys = SigningKey.objects.filter(client=client, key_id=key_id)
    return keys.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at)).first()


def _check(request: Any, key: SigningKey, body: bytes) -> None:
    material = sealed.unseal(key.material).encode()
    resolver = MappingKeyResolver(public_keys={key.key_id: material}, private_keys={})
    algorithm = ALGORITHMS[SigningKey.Algorithm(key.algorithm)]
    verifier = HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=resolver)
    message = _Message(request.method, request.build_absolute_uri(), dict(request.headers))
    try:
        results = verifier.verify(
            message, max_age=None, require_components=tuple(f'"{c}"' for c in COVERED)
        )
    except InvalidSignature as error:
        raise Problem("signature_invalid") from error
    try:
        verifier.verify_body(message, results, body)
    except InvalidSignature as error:
        raise Problem("digest_mismatch") from error
