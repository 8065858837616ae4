"""A client of the interface in one file of the standard library: to copy, to read, to test with.

    treasury = Client("https://bank.example", client_id, secret)
    stored = treasury.pre_allocate(PreAllocation(...), key="2026-03-21-0001")

Every post carries an Idempotency-Key; what got no answer is asked again under the same key, so it is
done once. Amounts are `Decimal` here and strings in yuan on the wire.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

RETRIED = frozenset({409, 429, 503})  # of these only with Retry-After: 409 is mostly an answer
TRIES = 6
Json = dict[str, Any]


class Refused(Exception):
    """The interface refused (RFC 9457): `status`, `code` and all it says."""

    def __init__(self, status: int, problem: Json) -> None:
        said = " ".join(str(problem.get(name, "")) for name in ("code", "detail", "errors"))
        super().__init__(f"{status} {said}")
        self.status, self.code, self.problem = status, str(problem.get("code")), problem


@dataclass(frozen=True)
class PreAllocation:
    """Money paid ahead to a bank for one scheme and tier."""

    scheme_code: str
    institution_code: str
    tier: str
    received_on: date
    amount: Decimal
    document_number: str


class Client:
    """One registered client; it gets a new token when the old one is about to end."""

    def __init__(self, base: str, client_id: str, secret: str, *, timeout: float = 60) -> None:
        self.base, self.client_id, self.secret = base.rstrip("/"), client_id, secret
        self.timeout = timeout
        self._token, self._until = "", 0.0

    def pre_allocate(self, told: PreAllocation, *, key: str) -> Json:
        """Enter a pre-allocation; its id and state."""
        return self.post("pre-allocations/", _wire(told), key=key)

    def reports(self, **filters: str) -> Iterator[Json]:
        """Reports as sent to finance, latest first."""
        return self.pages("reports/", filters)

    def wait_for_report(self, *, seconds: float, every: float = 5, **filters: str) -> Json:
        """The latest report that fits with its files, once there is one; TimeoutError after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            found = next(self.reports(**filters), None)
            if found is not None:
                return self.get(f"reports/{found['id']}/")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no report {filters}")
            time.sleep(every)

    def settlements(self, **filters: str) -> Iterator[Json]:
        """Claims that banks sent."""
        return self.pages("settlements/", filters)

    def decide(
        self,
        settlement_id: int,
        *,
        document_number: str,
        decided_on: date,
        approved: Mapping[str, Decimal] | None,
        key: str,
    ) -> Json:
        """Decide a claim: yuan by tier, or None for all of it; the claim as it is then."""
        items = None if approved is None else [
            {"tier": tier, "amount": str(amount)} for tier, amount in approved.items()
        ]  # fmt: skip
        body = {"document_number": document_number, "decided_on": decided_on.isoformat()}
        return self.post(
            f"settlements/{settlement_id}/decision/", {**body, "approved": items}, key=key
        )

    def download(self, address: str) -> bytes:
        """A file by its address, as reports and jobs give it."""
        return self._ask("GET", address, None, {})

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Read one address."""
        told = f"?{urllib.parse.urlencode(query)}" if query else ""
        return _read(self._ask("GET", f"/api/v1/{path}{told}", None, {}))

    def pages(self, path: str, filters: Mapping[str, str]) -> Iterator[Json]:
        """Every row of a list, page by page."""
        page = self.get(path, filters)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            page = _read(self._ask("GET", page["next"], None, {}))

    def post(self, path: str, body: Any, *, key: str | None = None) -> Json:
        """Post under a key (one is made if none is given), again and again until it is answered."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or str(uuid.uuid4())}
        return _read(self._ask("POST", f"/api/v1/{path}", raw, headers))

    def _ask(self, method: str, address: str, body: bytes | None, headers: Json) -> bytes:
        for tried in range(1, TRIES + 1):
            try:
                return self._once(method, address, body, headers)
            except Refused as refused:
                wait = refused.problem.get("retry_after")
                if refused.status not in RETRIED or wait is None or tried == TRIES:
                    raise
                time.sleep(float(wait))
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if tried == TRIES:
                    raise
                time.sleep(2**tried / 4)
        raise AssertionError("unreachable")

    def _once(self, method: str, address: str, body: bytes | None, headers: Json) -> bytes:
        url = address if address.startswith(("http://", "https://")) else f"{self.base}{address}"
        told = {
            "Authorization": f"Bearer {self._bearer()}",
            "Accept": "application/json, */*",
            **headers,
        }
        asked = urllib.request.Request(url, body, told, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=self.timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise _refused(error) from None

    def _bearer(self) -> str:
        if time.monotonic() >= self._until:
            form = {"grant_type": "client_credentials", "client_id": self.client_id}
            raw = urllib.parse.urlencode({**form, "client_secret": self.secret}).encode()
            media = {"Content-Type": "application/x-www-form-urlencoded"}
            asked = urllib.request.Request(f"{self.base}/api/v1/oauth/token/", raw, media)
            try:
                with urllib.request.urlopen(asked, timeout=self.timeout) as answer:
                    told = _read(answer.read())
            except urllib.error.HTTPError as error:
                raise _refused(error) from None
            self._token = str(told["access_token"])
            self._until = time.monotonic() + told["expires_in"] - 30
        return self._token


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        problem = _read(error.read())
    except ValueError:
        problem = {"code": "no_problem", "detail": error.reason}
    return Refused(error.code, {**problem, "retry_after": error.headers.get("Retry-After")})


def _read(raw: bytes) -> Json:
    found: Json = json.loads(raw)
    return found


def _wire(told: Any) -> Json:
    """Days as ISO text, amounts as text in yuan."""
    return {
        name: value.isoformat() if isinstance(value, date) else str(value)
        for name, value in asdict(told).items()
    }
