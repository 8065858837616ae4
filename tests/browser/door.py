"""Coming in by the door as people do: a password, and a code where the role asks for one."""

from __future__ import annotations

import os
import time
from base64 import b32decode
from binascii import unhexlify
from typing import Any

from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel.models import User

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PASSWORD = "a-long-enough-passphrase-9"
KEY = "31" * 20


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
