"""Coming in by the door as people do, looking at pages, and keeping pictures of them for people to look at."""

from __future__ import annotations

import os
import time
from base64 import b32decode
from binascii import unhexlify
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel.models import User
from tests import database

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PASSWORD = "a-long-enough-passphrase-9"
KEY = "31" * 20
SHOTS = Path(os.environ.get("SCREENSHOTS") or Path(__file__).parents[2] / ".data" / "screenshots")
GRAVE = {"serious", "critical"}
MARKS = [
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and not os.environ.get("CI"), reason="no Chromium here"
    ),
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; what it asks for is served by the role `app`."""
    from playwright.sync_api import sync_playwright

    with database.web_connections(), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def keep(page: Any, name: str, *, whole: bool = True) -> None:
    """A picture of the page among the artefacts of the tests."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=whole)


def barriers(page: Any, options: dict[str, Any] | None = None) -> list[str]:
    """What axe finds that keeps people from using the page: the rule, and where it is broken."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']} {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in GRAVE or one["id"] == "landmark-one-main"
    ]


def has_authenticator(user: User) -> None:
    """The person has set up an authenticator before, with `KEY`."""
    TOTPDevice.objects.create(user=user, key=KEY, confirmed=True)


def shown_code(key: bytes, *, steps: int = 0) -> str:
    """What an authenticator with this key shows now, or some steps of half a minute later."""
    totp = TOTP(key)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def code_of(typed: str, *, steps: int = 0) -> str:
    """The same for a key as the page tells it for typing."""
    return shown_code(b32decode(typed.replace(" ", "")), steps=steps)


def come_in(page: Any, address: str, name: str, *, times: int = 0) -> None:
    """Give the name's password and, if asked, the code; `times`: how often they came in just before.

    No code is taken twice, so whoever comes in again at once uses the next one.
    """
    page.goto(f"{address}/admin/")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_selector("#id_code, #nav-sidebar")
    if page.locator("#id_code").count():
        page.fill("#id_code", shown_code(unhexlify(KEY), steps=times))
        page.click("#code-form button")
    page.wait_for_url("**/admin/")
