"""The same key and the same request give the first answer again: one effect, whatever the network does.

The answer is kept in the transaction of the effect (contract §5). What is kept: success, and a rule's
refusal, which is final. What is not: a request that was wrong in itself, and faults of ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from rest_framework.response import Response

from config.kernel.api.authentication import Caller
from config.kernel.api.problems import MEDIA_TYPE, Problem
from config.kernel.api.uploads import Received
from config.kernel.services import statements

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_DAYS = 400
KEY_LOCKS = (
    0x6964  # advisory locks of this class mean "a request of this client and key is under way"
)
KEY = "[A-Za-z0-9_.:-]{16,255}"
_KEPT = """
SELECT row_id, fingerprint, method, path, status, body, location, at FROM kernel_answered(%s, %s, %s)
"""
_KEEP = """
INSERT INTO kernel_idempotencykey (client_id, key, fingerprint, method, path, status, body, location, at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
_KEY = re.compile(rf'(")?({KEY})(?(1)")')


@dataclass(frozen=True)
class Asked:
    """A request under a key: bound to its client and to all that it says."""

    caller: Caller
    key: str
    method: str
    path: str
    fingerprint: str
    at: datetime


class Kept(NamedTuple):
    """What was asked under a key before, and the answer."""

    key: str
    fingerprint: str
    method: str
    path: str
    status: int
    body: str
    location: str
    at: datetime


def key_of(request: Any) -> str:
    """The request's key, bare or quoted; Problem if it is missing or none."""
    given = request.headers.get(HEADER, "")
    if not given:
        raise Problem("idempotency_key_missing")
    found = _KEY.fullmatch(given)
    if found is None:
        raise Problem("idempotency_key_invalid")
    return found[2]


def asked(*, request: Any, caller: Caller, at: datetime) -> Asked:
    """What is asked, with the digest of method, address (it names the version) and body.

    A file stands for itself by its own digest.
    """
    key = key_of(request)
    is_file = isinstance(request.data, Received)
    body = request.data.sha256 if is_file else _canonical(request.data)
    whole = "\n".join((request.method, request.get_full_path(), body))
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return Asked(caller, key, request.method, request.path, digest, at)


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def once(*, request: Asked, act: Callable[[], Response]) -> Response:
    """Do it, or give the answer it got before; Problem `idempotency_key_reused` for another request.

    Who comes while the first is under way waits for it a moment, and is then told to come again
    (`busy`). `act` gives a rule's refusal as an answer, whose effects are undone and which is kept; what
    it raises is not.
    """
    before = kept(caller=request.caller, key=request.key)
    if before is not None:
        if before.fingerprint != request.fingerprint:
            raise Problem("idempotency_key_reused")
        return replay(before)
    response = act()
    _keep(request, response)
    return response


def kept(*, caller: Caller, key: str) -> Kept | None:
    """What this client was answered under a key; of a request under way the end is waited for."""
    ((row_id, *answer),) = statements.prepared(_KEPT, [KEY_LOCKS, caller.pk, key])
    return None if row_id is None else Kept(key, *answer)


def replay(before: Kept) -> Response:
    """The answer as it was first given, marked."""
    headers = {REPLAYED: "true"}
    if before.location:
        headers["Location"] = before.location
    media = MEDIA_TYPE if before.status >= 400 else "application/json"
    return Response(
        json.loads(before.body), status=before.status, headers=headers, content_type=media
    )


def _keep(request: Asked, response: Response) -> None:
    statements.prepared(
        _KEEP,
        [
            request.caller.pk,
            request.key,
            request.fingerprint,
            request.method,
            request.path,
            response.status_code,
            json.dumps(response.data, ensure_ascii=False),
            response.headers.get("Location", ""),
            request.at,
        ],
    )
