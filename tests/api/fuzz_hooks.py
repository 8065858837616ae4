"""What Schemathesis is told: a token for each operation, and names that exist so that some posts succeed.

`SCHEMATHESIS_HOOKS=tests.api.fuzz_hooks`; see `fuzz.py`, which sets the variables read here.
"""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from typing import Any

import schemathesis
from hypothesis import strategies as st

KNOWN: dict[str, Any] = json.loads(os.environ["FUZZ_KNOWN"])
CLIENTS: dict[str, dict[str, str]] = json.loads(os.environ["FUZZ_CLIENTS"])
TREASURY = frozenset(os.environ["FUZZ_TREASURY"].split())
BASE = os.environ["FUZZ_BASE"]


def _token(name: str) -> str:
    form = {"grant_type": "client_credentials", **CLIENTS[name]}
    asked = urllib.request.Request(
        f"{BASE}/api/v1/oauth/token/",
        urllib.parse.urlencode(form).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return str(json.load(answer)["access_token"])


@schemathesis.auth(refresh_interval=240)
class Tokens:
    """The treasury's token for what only a finance department does, the bank's for the rest."""

    def get(self, case: Any, ctx: Any) -> dict[str, str]:
        """Both tokens."""
        return {name: _token(name) for name in CLIENTS}

    def set(self, case: Any, data: dict[str, str], ctx: Any) -> None:
        """The one that fits."""
        name = "treasury" if case.path.removeprefix("/api/v1/") in TREASURY else "bank"
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data[name]}"}


# A file has at least one byte, which the tool's own generator of files does not heed.
FILES = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
for media_type in FILES:
    schemathesis.openapi.media_type(media_type, st.binary(min_size=1, max_size=200))


@schemathesis.hook
def before_call(ctx: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Every third body names what there is, where it names anything; the tool then looks at it once more."""
    items = case.body if isinstance(case.body, list) else [case.body]
    for number, item in enumerate(items):
        if isinstance(item, dict) and len(str(item)) % 3 == number % 3:
            item.update({name: value for name, value in KNOWN.items() if name in item})
